#include "statistics/mann_whitney.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <utility>
#include <vector>

namespace cohort::engine {
namespace {

// P(U >= u) without ties, u a whole number in [0, n m].
double upper_tail(size_t n, size_t m, size_t u) {
  // The number of orders with U = k of i values among j others, f(i, j, k) = f(i - 1, j, k - j) + f(i, j - 1, k),
  // as shares of all C(i + j, i) orders; one row of j at a time, [i][k].
  std::vector<std::vector<double>> share(n + 1, std::vector<double>(n * m + 1, 0));
  for (auto& row : share) row[0] = 1;  // j = 0
  for (size_t j = 1; j <= m; ++j)
    for (size_t i = 1; i <= n; ++i) {
      const double of_first = double(i) / double(i + j);  // the largest value is one of the i, and beats all j
      for (size_t k = n * m + 1; k-- > 0;)
        share[i][k] = (1 - of_first) * share[i][k] + (k >= j ? of_first * share[i - 1][k - j] : 0);
    }
  double tail = 0;
  for (size_t k = n * m + 1; k-- > u;) tail += share[n][k];
  return tail;
}

}  // namespace

MannWhitney mann_whitney_test(std::span<const double> a, std::span<const double> b) {
  std::vector<std::pair<double, bool>> all;  // value, of the first sample
  for (const double v : a)
    if (std::isfinite(v)) all.emplace_back(v, true);
  const size_t n_first = all.size();
  for (const double v : b)
    if (std::isfinite(v)) all.emplace_back(v, false);
  const size_t n_second = all.size() - n_first;
  if (n_first == 0 || n_second == 0) return {};
  std::ranges::sort(all);

  const double n = double(n_first), m = double(n_second), total = n + m;
  double ranks = 0, ties = 0;  // rank sum of the first sample; sum of t^3 - t over groups of t equal values
  for (size_t begin = 0; begin < all.size();) {
    size_t end = begin;
    while (end < all.size() && all[end].first == all[begin].first) ++end;
    const double rank = double(begin + 1 + end) / 2, t = double(end - begin);
    for (size_t i = begin; i < end; ++i) ranks += all[i].second ? rank : 0;
    ties += t * t * t - t;
    begin = end;
  }
  MannWhitney out{.u = ranks - n * (n + 1) / 2};
  const double larger = std::max(out.u, n * m - out.u);
  if (ties == 0 && all.size() <= size_t(mann_whitney_exact)) {
    out.exact = true;
    out.p = std::min(1.0, 2 * upper_tail(n_first, n_second, size_t(larger)));
    return out;
  }
  const double variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)));
  if (!(variance > 0)) {
    out.p = 1;
    return out;
  }
  const double z = (larger - n * m / 2 - 0.5) / std::sqrt(variance);
  using boost::math::normal, boost::math::cdf, boost::math::complement;
  out.p = std::min(1.0, 2 * cdf(complement(normal(), z)));
  return out;
}

}  // namespace cohort::engine

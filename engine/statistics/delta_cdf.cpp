#include "statistics/delta_cdf.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "statistics/moments.h"
#include "statistics/normal.h"

namespace cohort::engine {

double delta_cdf(std::span<const double> change, bool centred) {
  const Moments m = moments(change);
  if (m.n != change.size() || !(m.sd > 0) || !std::isfinite(m.sd)) return std::numeric_limits<double>::quiet_NaN();

  constexpr int n_points = 1000;
  constexpr double end = 5, step = 2 * end / (n_points - 1);
  const auto point = [](int i) { return -end + step * i; };
  std::vector<size_t> first(n_points + 1, 0);  // how many values have their first point at or above them here
  for (const double value : change) {
    const double z = (value - (centred ? m.mean : 0)) / m.sd;
    int i = int(std::clamp(std::ceil((z + end) / step), 0.0, double(n_points)));
    while (i > 0 && z <= point(i - 1)) --i;
    while (i < n_points && z > point(i)) ++i;
    ++first[size_t(i)];
  }
  double sum = 0;
  size_t below = 0;
  for (int i = 0; i < n_points; ++i) {
    below += first[size_t(i)];
    const double gap = std::abs(double(below) / double(change.size()) - normal_cdf(point(i)));
    sum += i == 0 || i == n_points - 1 ? gap / 2 : gap;
  }
  return sum * step;
}

}  // namespace cohort::engine

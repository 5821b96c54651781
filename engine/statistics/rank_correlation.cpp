#include "statistics/rank_correlation.h"

#include <algorithm>
#include <numeric>

#include "statistics/regression.h"

namespace cohort::engine {

std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::pair<double, size_t>> order(values.size());
  for (size_t i = 0; i < values.size(); ++i) order[i] = {values[i], i};
  std::ranges::sort(order);
  std::vector<double> out(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    while (end < order.size() && order[end].first == order[begin].first) ++end;
    for (size_t i = begin; i < end; ++i) out[order[i].second] = double(begin + 1 + end) / 2;
    begin = end;
  }
  return out;
}

double rank_correlation(std::span<const double> x, std::span<const double> y) {
  return linear_regression(ranks(x), ranks(y)).r;
}

}  // namespace cohort::engine

#include "statistics/holm.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cohort::engine {

std::vector<double> holm(std::span<const double> p) {
  std::vector<double> adjusted(p.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<size_t> order;
  for (size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::ranges::stable_sort(order, {}, [&](size_t i) { return p[i]; });
  double so_far = 0;
  for (size_t k = 0; k < order.size(); ++k) {
    so_far = std::max(so_far, double(order.size() - k) * p[order[k]]);
    adjusted[order[k]] = std::min(1.0, so_far);
  }
  return adjusted;
}

}  // namespace cohort::engine

#include "statistics/quantiles.h"

#include <algorithm>
#include <cmath>

namespace cohort::engine {

Quantiles quantiles(std::vector<double> values, double tail) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  Quantiles out{.n = values.size()};
  if (values.empty()) return out;
  std::ranges::sort(values);
  const auto at = [&](double q) {
    const double place = q * double(values.size() - 1);
    const size_t below = size_t(place), above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - double(below)) * (values[above] - values[below]);
  };
  out.median = at(0.5);
  out.low = at(tail);
  out.high = at(1 - tail);
  return out;
}

}  // namespace cohort::engine

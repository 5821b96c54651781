// Median and a band of quantiles.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

namespace cohort::engine {

struct Quantiles {
  size_t n = 0;  // finite values; all others are left out
  double median = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN(), high = low;
};

// The median and the quantiles `tail` and 1 - tail, 0 <= tail <= 1/2, interpolated linearly between neighbours: quantile q of n
// sorted values is at (n - 1) q. NaN without values.
Quantiles quantiles(std::vector<double> values, double tail);

}  // namespace cohort::engine

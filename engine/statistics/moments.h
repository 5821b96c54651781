// How many, their mean and their standard deviation.
#pragma once

#include <cstddef>
#include <limits>
#include <span>

namespace cohort::engine {

struct Moments {
  size_t n = 0;  // finite values; all others are left out
  double mean = std::numeric_limits<double>::quiet_NaN();
  double sd = std::numeric_limits<double>::quiet_NaN();  // over n - 1; NaN for fewer than two values
};

Moments moments(std::span<const double> values);

}  // namespace cohort::engine

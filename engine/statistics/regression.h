// Ordinary least squares of one variable on another.
#pragma once

#include <cstddef>
#include <limits>
#include <span>

namespace cohort::engine {

struct Regression {
  size_t n = 0;  // pairs of finite numbers
  double slope = std::numeric_limits<double>::quiet_NaN(), intercept = std::numeric_limits<double>::quiet_NaN();
  double r = std::numeric_limits<double>::quiet_NaN();  // Pearson's correlation
  double p = std::numeric_limits<double>::quiet_NaN();  // two-sided: the slope is 0; t test with n - 2 degrees
  double slope_error = std::numeric_limits<double>::quiet_NaN();  // standard error of the slope
};

// y = intercept + slope x over the pairs of which both are finite. Line and r are NaN where x does not vary, r and p where y
// does not either; p and the error are NaN for fewer than three pairs. Throws Error unless x and y are equally long.
Regression linear_regression(std::span<const double> x, std::span<const double> y);

}  // namespace cohort::engine

// Welch's t test: do two samples of unequal variance have the same mean?
#pragma once

#include <limits>
#include <span>

namespace cohort::engine {

struct Welch {
  double t = std::numeric_limits<double>::quiet_NaN();   // positive where the first mean is the larger
  double df = std::numeric_limits<double>::quiet_NaN();  // Welch-Satterthwaite
  double p = std::numeric_limits<double>::quiet_NaN();   // two-sided
};

// Values that are not finite are left out. All NaN where the test is not defined: fewer than two values in a sample, or
// no variance in either. Source: Welch, Biometrika 34 (1947).
Welch welch_test(std::span<const double> a, std::span<const double> b);

}  // namespace cohort::engine

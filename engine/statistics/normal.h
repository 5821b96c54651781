// The standard normal distribution: its cdf is cohort/normal.h's.
#pragma once

#include "cohort/normal.h"

namespace cohort::engine {

// Inverse of normal_cdf, for 0 <= p <= 1 (the ends give infinities).
double normal_quantile(double p);

}  // namespace cohort::engine

// The standard normal distribution, on host and device.
#pragma once

#include <math.h>

#include "cohort/kernels.h"

namespace cohort {

COHORT_FN double normal_cdf(double z) { return 0.5 * ::erfc(-z * 0.70710678118654752440); }

}  // namespace cohort

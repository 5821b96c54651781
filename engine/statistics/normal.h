// The standard normal distribution.
#pragma once

namespace cohort::engine {

double normal_cdf(double z);
// Its inverse, for 0 <= p <= 1 (the ends give infinities).
double normal_quantile(double p);

}  // namespace cohort::engine

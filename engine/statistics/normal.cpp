#include "statistics/normal.h"

#include <boost/math/special_functions/erf.hpp>
#include <limits>
#include <numbers>

namespace cohort::engine {

double normal_quantile(double p) {
  if (p <= 0) return -std::numeric_limits<double>::infinity();
  if (p >= 1) return std::numeric_limits<double>::infinity();
  return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * p);
}

}  // namespace cohort::engine

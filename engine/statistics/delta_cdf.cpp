#include "statistics/delta_cdf.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cohort/delta_cdf.h"
#include "statistics/moments.h"

namespace cohort::engine {

double delta_cdf(std::span<const double> change, bool centred) {
  const Moments m = moments(change);
  if (m.n != change.size() || !(m.sd > 0) || !std::isfinite(m.sd)) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> z(change.begin(), change.end());
  for (double& value : z) value = (value - (centred ? m.mean : 0)) / m.sd;
  std::ranges::sort(z);
  return cohort::delta_cdf(z.data(), int64_t(z.size()));
}

}  // namespace cohort::engine

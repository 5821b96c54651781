#include "statistics/delta_cdf.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cohort/delta_cdf.h"
#include "statistics/moments.h"

namespace cohort::engine {

// Counts how many values have their first point at or above them where: no sorting, which would take most of the time.
double delta_cdf(std::span<const double> change, bool centred) {
  const Moments m = moments(change);
  if (m.n != change.size() || !(m.sd > 0) || !std::isfinite(m.sd)) return std::numeric_limits<double>::quiet_NaN();

  constexpr int n_points = delta_cdf_points;
  std::vector<size_t> first(n_points + 1, 0);
  for (const double value : change) {
    const double z = (value - (centred ? m.mean : 0)) / m.sd;
    int i = int(std::clamp(std::ceil((z + delta_cdf_reach) / delta_cdf_step), 0.0, double(n_points)));
    while (i > 0 && z <= delta_cdf_point(i - 1)) --i;
    while (i < n_points && z > delta_cdf_point(i)) ++i;
    ++first[size_t(i)];
  }
  double sum = 0;
  size_t below = 0;
  for (int i = 0; i < n_points; ++i) {
    below += first[size_t(i)];
    sum += delta_cdf_term(double(below) / double(change.size()), i);
  }
  return sum;
}

}  // namespace cohort::engine

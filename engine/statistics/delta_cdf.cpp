#include "statistics/delta_cdf.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "statistics/moments.h"
#include "statistics/normal.h"

namespace cohort::engine {

double delta_cdf(std::span<const double> change, bool centred) {
  const Moments m = moments(change);
  if (m.n != change.size() || !(m.sd > 0) || !std::isfinite(m.sd)) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> z(change.begin(), change.end());
  for (double& value : z) value = (value - (centred ? m.mean : 0)) / m.sd;
  std::ranges::sort(z);

  constexpr int n_points = 1000;
  constexpr double end = 5, step = 2 * end / (n_points - 1);
  double sum = 0;
  size_t below = 0;
  for (int i = 0; i < n_points; ++i) {
    const double at = -end + step * i;
    while (below < z.size() && z[below] <= at) ++below;
    const double gap = std::abs(double(below) / double(z.size()) - normal_cdf(at));
    sum += i == 0 || i == n_points - 1 ? gap / 2 : gap;
  }
  return sum * step;
}

}  // namespace cohort::engine

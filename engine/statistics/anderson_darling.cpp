#include "statistics/anderson_darling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "statistics/normal.h"

namespace cohort::engine {

double anderson_darling(std::span<const double> z) {
  std::vector<double> sorted(z.begin(), z.end());
  std::ranges::sort(sorted);
  const double n = double(sorted.size());
  double sum = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    // log Phi(z) and log(1 - Phi(z)), bounded where they leave the range of numbers
    const auto log_cdf = [](double at) {
      return std::log(std::max(normal_cdf(at), std::numeric_limits<double>::min()));
    };
    sum += (2 * double(i) + 1) * (log_cdf(sorted[i]) + log_cdf(-sorted[sorted.size() - 1 - i]));
  }
  return sorted.empty() ? std::numeric_limits<double>::quiet_NaN() : -n - sum / n;
}

}  // namespace cohort::engine

#include "statistics/selection.h"

#include <utility>

#include "statistics/moments.h"

namespace cohort::engine {

std::optional<size_t> best_setting(std::span<const std::vector<double>> scores, bool minimise) {
  std::optional<size_t> best;
  std::pair<double, double> least;  // share without a finite score, loss
  for (size_t i = 0; i < scores.size(); ++i) {
    const Moments m = moments(scores[i]);
    if (m.n == 0) continue;
    const std::pair<double, double> here = {1 - double(m.n) / double(scores[i].size()), minimise ? m.mean : -m.mean};
    if (best && !(here < least)) continue;
    best = i;
    least = here;
  }
  return best;
}

}  // namespace cohort::engine

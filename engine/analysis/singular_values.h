// Landmarks of the singular values.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// All in [0, inf). The median of an even number is the mean of the middle two. above_below = count(sigma >
// 1.5)/count(sigma < 1.5) has no value where nothing is below. Source: Li, Cornford, Ghosh, Richards (NeurIPS 2023),
// Learning better with Dale's law: a spectral perspective.
struct singular_values {
  static constexpr const char* doc =
      "largest, median, mean and smallest singular value, and how many exceed 1.5 for one below it (Li et "
      "al., NeurIPS 2023)";
  static constexpr Need need = Need::singular_values;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {{"largest", "sigma_1, the spectral norm"},
                                     {"median", "median singular value"},
                                     {"mean", "mean singular value"},
                                     {"smallest", "smallest singular value"},
                                     {"above_below", "count(sigma > 1.5) / count(sigma < 1.5)"}};
  static void measure(const Observation& seen, std::span<double> out) {
    const std::span<const double> s = seen.singular_values;
    std::fill(out.begin(), out.end(), no_value);
    if (!has_values(s)) return;
    const size_t n = s.size();
    double sum = 0;
    size_t above = 0, below = 0;
    for (const double value : s) {
      sum += value;
      above += value > 1.5;
      below += value < 1.5;
    }
    out[0] = s.front();
    out[1] = .5 * (s[(n - 1) / 2] + s[n / 2]);
    out[2] = sum / double(n);
    out[3] = s.back();
    out[4] = ratio(double(above), double(below));
  }
};

}  // namespace cohort::engine::analysis

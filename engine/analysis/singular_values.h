// The singular values and their landmarks.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// All in [0, inf); fields of SpectrumMeasures. above_below has no value where nothing is below 1.5. Source: Li, Cornford, Ghosh,
// Richards (NeurIPS 2023), Learning better with Dale's law: a spectral perspective.
struct singular_values {
  static constexpr const char* doc =
      "largest, median, mean and smallest singular value, and how many exceed 1.5 for one below it (Li et "
      "al., NeurIPS 2023); the values themselves are kept at the ends";
  static constexpr Need need = Need::singular_values;
  static constexpr bool comparison = false;
  static constexpr bool keeps_spectrum = true;
  static constexpr Field fields[] = {{"largest", "sigma_1, the spectral norm"},
                                     {"median", "median singular value"},
                                     {"mean", "mean singular value"},
                                     {"smallest", "smallest singular value"},
                                     {"above_below", "count(sigma > 1.5) / count(sigma < 1.5)"}};
  static void measure(const Observation& seen, std::span<double> out) {
    std::fill(out.begin(), out.end(), no_value);
    if (!seen.spectrum) return;
    out[0] = seen.spectrum->largest;
    out[1] = seen.spectrum->median;
    out[2] = seen.spectrum->mean;
    out[3] = seen.spectrum->smallest;
    out[4] = seen.spectrum->above_below;
  }
};

}  // namespace cohort::engine::analysis

// How far the first singular value stands out.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// SpectrumMeasures::gap, in [0, 1]: 1 for rank one, 0 where the largest singular value is repeated. No value for a zero matrix
// or one singular value.
struct spectral_gap {
  static constexpr const char* doc =
      "distance of the two largest singular values, (sigma_1 - sigma_2) / sigma_1, in [0, 1]";
  static constexpr Need need = Need::singular_values;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {{"", "(sigma_1 - sigma_2) / sigma_1"}};
  static void measure(const Observation& seen, std::span<double> out) {
    out[0] = seen.spectrum ? seen.spectrum->gap : no_value;
  }
};

}  // namespace cohort::engine::analysis

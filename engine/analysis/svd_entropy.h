// How evenly the singular values share the matrix.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// SpectrumMeasures::entropy, in [0, 1]: 0 for rank one, 1 for an orthogonal matrix. No value for a zero matrix or one singular
// value. Source: Li, Cornford, Ghosh, Richards (NeurIPS 2023), Learning better with Dale's law: a spectral perspective.
struct svd_entropy {
  static constexpr const char* doc =
      "normalised entropy of the singular values, -sum p ln p / ln n with p = sigma / sum sigma, in [0, 1] "
      "(Li et al., NeurIPS 2023)";
  static constexpr Need need = Need::singular_values;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {{"", "normalised entropy, in [0, 1]"}};
  static void measure(const Observation& seen, std::span<double> out) {
    out[0] = seen.spectrum ? seen.spectrum->entropy : no_value;
  }
};

}  // namespace cohort::engine::analysis

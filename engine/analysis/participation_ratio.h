// The number of singular directions that carry the matrix.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// SpectrumMeasures::participation_ratio, in [1, n]: 1 for rank one, n for an orthogonal matrix. Free of scale; no value for
// a zero matrix. Source: Gao, Trautmann, Yu, Santhanam, Ryu, Shenoy, Ganguli (2017), A theory of multineuronal
// dimensionality, dynamics and measurement, with sigma^2 for the variances; beside Liu et al. (ICLR 2024).
struct participation_ratio {
  static constexpr const char* doc =
      "dimension of the spectrum, (sum sigma^2)^2 / sum sigma^4, in [1, n] (Gao et al., 2017)";
  static constexpr Need need = Need::singular_values;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {{"", "(sum sigma^2)^2 / sum sigma^4"}};
  static void measure(const Observation& seen, std::span<double> out) {
    out[0] = seen.spectrum ? seen.spectrum->participation_ratio : no_value;
  }
};

}  // namespace cohort::engine::analysis

// How large the matrix is, twice.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// SpectrumMeasures::nuclear, the convex envelope of the rank, and frobenius; in [0, inf).
struct matrix_norms {
  static constexpr const char* doc = "nuclear norm (sum sigma) and Frobenius norm (square root of sum sigma^2)";
  static constexpr Need need = Need::singular_values;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {{"nuclear", "sum sigma"}, {"frobenius", "square root of sum sigma^2"}};
  static void measure(const Observation& seen, std::span<double> out) {
    out[0] = seen.spectrum ? seen.spectrum->nuclear : no_value;
    out[1] = seen.spectrum ? seen.spectrum->frobenius : no_value;
  }
};

}  // namespace cohort::engine::analysis

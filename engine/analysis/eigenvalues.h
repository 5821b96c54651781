// The eigenvalues, and how far the first stands out.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// EigenvalueMeasures::gap, in [0, 1]; square tensors only. No value where all eigenvalues are 0 or there is but one.
struct eigenvalues {
  static constexpr const char* doc =
      "distance of the two longest eigenvalues (conjugates count once) over the longest, in [0, 1]; the eigenvalues "
      "themselves are kept at the ends; square tensors only";
  static constexpr Need need = Need::eigenvalues;
  static constexpr bool comparison = false;
  static constexpr bool keeps_spectrum = true;
  static constexpr Field fields[] = {
      {"gap", "1 - |lambda'| / |lambda_1|, lambda' the longest that is neither lambda_1 nor its conjugate"}};
  static void measure(const Observation& seen, std::span<double> out) {
    out[0] = seen.eigenvalues ? seen.eigenvalues->gap : no_value;
  }
};

}  // namespace cohort::engine::analysis

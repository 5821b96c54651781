// The longest eigenvalue.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// EigenvalueMeasures::radius, in [0, inf); square tensors only. Source: Li, Cornford, Ghosh, Richards (NeurIPS 2023), Learning
// better with Dale's law: a spectral perspective.
struct spectral_radius {
  static constexpr const char* doc =
      "largest modulus of an eigenvalue, >= 0; square tensors only (Li et al., NeurIPS 2023)";
  static constexpr Need need = Need::eigenvalues;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {{"", "max |lambda|"}};
  static void measure(const Observation& seen, std::span<double> out) {
    out[0] = seen.eigenvalues ? seen.eigenvalues->radius : no_value;
  }
};

}  // namespace cohort::engine::analysis

// How many eigenvalues are as long as the longest.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// EigenvalueMeasures::effective_rank, |lambda_1| the spectral radius; in [1/n, 1]. No value for tensors that are not square and
// for nilpotent or zero matrices. Source: Liu, Baratin, Cornford, Mihalas, Shea-Brown, Lajoie (ICLR 2024), How connectivity
// structure shapes rich and lazy learning in neural circuits.
struct effective_rank {
  static constexpr const char* doc =
      "sum of the eigenvalues' moduli over n times the largest, in [1/n, 1]; square tensors only (Liu et "
      "al., ICLR 2024)";
  static constexpr Need need = Need::eigenvalues;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {{"", "sum |lambda| / (n max |lambda|)"}};
  static void measure(const Observation& seen, std::span<double> out) {
    out[0] = seen.eigenvalues ? seen.eigenvalues->effective_rank : no_value;
  }
};

}  // namespace cohort::engine::analysis

// The rank, robust against small singular values.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// SpectrumMeasures::stable_rank = ||W||_F^2/||W||_2^2, in [1, rank]. Free of scale; no value for a zero matrix. Source:
// Rudelson, Vershynin (2007), Sampling from large matrices; beside Liu et al. (ICLR 2024).
struct stable_rank {
  static constexpr const char* doc = "sum sigma^2 / sigma_1^2, in [1, rank] (Rudelson and Vershynin, 2007)";
  static constexpr Need need = Need::singular_values;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {{"", "sum sigma^2 / sigma_1^2"}};
  static void measure(const Observation& seen, std::span<double> out) {
    out[0] = seen.spectrum ? seen.spectrum->stable_rank : no_value;
  }
};

}  // namespace cohort::engine::analysis

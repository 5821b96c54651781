// How much of the tangent kernel is left.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// KA = <K, K0>/(||K||_F ||K0||_F), K = J J^T with the rows of J the gradients of the logits (every step, trial and
// output) with respect to one weight tensor; in [0, 1], 1 = lazy. No value if a kernel is zero. Source: Liu, Baratin,
// Cornford, Mihalas, Shea-Brown, Lajoie (ICLR 2024), How connectivity structure shapes rich and lazy learning in
// neural circuits.
struct kernel_alignment {
  static constexpr const char* doc =
      "cosine of the tangent kernels of the logits, now against the start, in [0, 1]; 1 = lazy (Liu et al.,"
      " ICLR 2024)";
  static constexpr Need need = Need::tangent;
  static constexpr bool comparison = true;
  static constexpr Field fields[] = {{"", "<K, K0> / (||K||_F ||K0||_F), K = J J^T"}};
  static void measure(const Observation& seen, std::span<double> out) {
    const TangentSums& k = seen.tangent;
    out[0] = ratio(k.now_start, std::sqrt(k.now_now) * std::sqrt(k.start_start));
  }
};

}  // namespace cohort::engine::analysis

// How well the tangent kernel fits the targets.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// KTA = y^T K y/(|y|^2 ||K||_F), K the tangent kernel of kernel_alignment and y the centred one-hot targets of the
// same rows; in [0, 1], 1 if K = y y^T. The value at the start is that of K0. No value if K or y is zero. Source: the
// alignment of Cristianini, Shawe-Taylor, Elisseeff, Kandola (NeurIPS 2001), On kernel-target alignment; beside Liu et
// al. (ICLR 2024).
struct kernel_target_alignment {
  static constexpr const char* doc =
      "alignment of the tangent kernel with the centred one-hot targets, in [0, 1] (Cristianini et al., "
      "NeurIPS 2001)";
  static constexpr Need need = Need::tangent;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {{"", "y^T K y / (|y|^2 ||K||_F)"}};
  static void measure(const Observation& seen, std::span<double> out) {
    const TangentSums& k = seen.tangent;
    out[0] = seen.at_start ? ratio(k.target_start, k.target_target * std::sqrt(k.start_start))
                           : ratio(k.target_now, k.target_target * std::sqrt(k.now_now));
  }
};

}  // namespace cohort::engine::analysis

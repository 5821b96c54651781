// Centred kernel alignment of the hidden states.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// Linear CKA: representation_alignment after every unit's mean over the probe trials was taken off, ||Ac^T
// A0c||_F^2/(||Ac^T Ac||_F ||A0c^T A0c||_F); in [0, 1]. No value where no unit varies over trials. Source: Kornblith,
// Norouzi, Lee, Hinton (ICML 2019), Similarity of neural network representations revisited; beside the uncentred form
// of Liu et al. (ICLR 2024).
struct cka {
  static constexpr const char* doc =
      "linear centred kernel alignment of the hidden states at the decision, now against the start, in [0, "
      "1] (Kornblith et al., ICML 2019)";
  static constexpr Need need = Need::representation;
  static constexpr bool comparison = true;
  static constexpr Field fields[] = {
      {"", "||Ac^T A0c||_F^2 / (||Ac^T Ac||_F ||A0c^T A0c||_F), Ac = A minus its column means"}};
  static void measure(const Observation& seen, std::span<double> out) { out[0] = cosine(seen.gram_centred); }
};

}  // namespace cohort::engine::analysis

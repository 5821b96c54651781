// How much of the geometry of the hidden states is left.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// RA = <G, G0>/(||G||_F ||G0||_F), G = A A^T with the rows of A the hidden states at the decision step of the probe
// trials, not centred; in [0, 1], 1 = lazy. No value for silent networks (A = 0). Source: Liu, Baratin, Cornford,
// Mihalas, Shea-Brown, Lajoie (ICLR 2024), How connectivity structure shapes rich and lazy learning in neural
// circuits.
struct representation_alignment {
  static constexpr const char* doc =
      "cosine of the Gram matrices of the hidden states at the decision, now against the start, uncentred, "
      "in [0, 1]; 1 = lazy (Liu et al., ICLR 2024)";
  static constexpr Need need = Need::representation;
  static constexpr bool comparison = true;
  static constexpr Field fields[] = {{"", "<G, G0> / (||G||_F ||G0||_F), G = A A^T"}};
  static void measure(const Observation& seen, std::span<double> out) { out[0] = cosine(seen.gram); }
};

}  // namespace cohort::engine::analysis

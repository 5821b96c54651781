// How many units are on the same side as at the start.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// Fraction of the entries of A, the hidden states at the decision step of the probe trials [trials][units], with
// sign(A) = sign(A0), where sign(0) = 0; in [0, 1]. With ReLU it compares which units are active. Source: Liu,
// Baratin, Cornford, Mihalas, Shea-Brown, Lajoie (ICLR 2024), How connectivity structure shapes rich and lazy learning
// in neural circuits.
struct sign_similarity {
  static constexpr const char* doc =
      "fraction of hidden states at the decision whose sign (sign(0) = 0) is that at the start, in [0, 1] "
      "(Liu et al., ICLR 2024)";
  static constexpr Need need = Need::hidden;
  static constexpr bool comparison = true;
  static constexpr Field fields[] = {{"", "fraction of equal sign(h)"}};
  static void measure(const Observation& seen, std::span<double> out) {
    out[0] = no_value;
    if (!comparable(seen.hidden, seen.hidden_start)) return;
    const std::span<const float> now = seen.hidden.all(), start = seen.hidden_start.all();
    size_t equal = 0;
    for (size_t i = 0; i < now.size(); ++i) equal += sign(now[i]) == sign(start[i]);
    out[0] = double(equal) / double(now.size());
  }
};

}  // namespace cohort::engine::analysis

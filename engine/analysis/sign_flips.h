// Weights that have crossed zero.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// A weight flips when its sign is opposite to that at the start; one that has become zero (pruned, clamped) has not
// flipped, one that started at zero has no sign to lose. The fraction is among the weights that were not zero at the
// start, in [0, 1], and has no value if all were. Exponentiated gradient keeps it at 0. Source: Cornford, Pogodin,
// Ghosh, Sheng, Bicknell, Codol, Clark, Lajoie, Richards (2024), Brain-like learning with exponentiated gradients.
struct sign_flips {
  static constexpr const char* doc =
      "weights whose sign is opposite to that at the start; fraction in [0, 1]; 0 under exponentiated "
      "gradient (Cornford et al., 2024)";
  static constexpr Need need = Need::weights;
  static constexpr bool comparison = true;
  static constexpr Field fields[] = {{"", "fraction of the weights that were not zero at the start"},
                                     {"count", "number of weights"}};
  static void measure(const Observation& seen, std::span<double> out) {
    out[0] = out[1] = no_value;
    if (!comparable(seen.weights, seen.weights_start)) return;
    const std::span<const float> now = seen.weights.all(), start = seen.weights_start.all();
    size_t flipped = 0, signed_at_start = 0;
    for (size_t i = 0; i < now.size(); ++i) {
      signed_at_start += sign(start[i]) != 0;
      flipped += sign(now[i]) * sign(start[i]) < 0;
    }
    out[0] = ratio(double(flipped), double(signed_at_start));
    out[1] = double(flipped);
  }
};

}  // namespace cohort::engine::analysis

// How far a weight matrix has moved.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// ||W - W0||_F, in [0, inf); the relative form is divided by ||W0||_F and has no value for W0 = 0. The weights are
// effective ones: signs and inhibition applied. Source: Liu, Baratin, Cornford, Mihalas, Shea-Brown, Lajoie (ICLR
// 2024), How connectivity structure shapes rich and lazy learning in neural circuits.
struct weight_change {
  static constexpr const char* doc =
      "Frobenius norm of the weight change since the start, ||W - W0||_F, >= 0; small in lazy learning (Liu"
      " et al., ICLR 2024)";
  static constexpr Need need = Need::weights;
  static constexpr bool comparison = true;
  static constexpr Field fields[] = {{"", "||W - W0||_F"}, {"relative", "||W - W0||_F / ||W0||_F"}};
  static void measure(const Observation& seen, std::span<double> out) {
    out[0] = out[1] = no_value;
    if (!comparable(seen.weights, seen.weights_start)) return;
    const std::span<const float> now = seen.weights.all(), start = seen.weights_start.all();
    double change = 0, scale = 0;
    for (size_t i = 0; i < now.size(); ++i) {
      const double w = now[i], w0 = start[i];
      change += (w - w0) * (w - w0);
      scale += w0 * w0;
    }
    out[0] = std::sqrt(change);
    out[1] = ratio(std::sqrt(change), std::sqrt(scale));
  }
};

}  // namespace cohort::engine::analysis

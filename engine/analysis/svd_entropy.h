// How evenly the singular values share the matrix.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// H = -sum p_i ln p_i / ln n, p_i = sigma_i/sum sigma, 0 ln 0 = 0, n the number of singular values; in [0, 1]: 0 for
// rank one, 1 for an orthogonal matrix. No value for a zero matrix or n = 1. Source: Li, Cornford, Ghosh, Richards
// (NeurIPS 2023), Learning better with Dale's law: a spectral perspective.
struct svd_entropy {
  static constexpr const char* doc =
      "normalised entropy of the singular values, -sum p ln p / ln n with p = sigma / sum sigma, in [0, 1] "
      "(Li et al., NeurIPS 2023)";
  static constexpr Need need = Need::singular_values;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {{"", "normalised entropy, in [0, 1]"}};
  static void measure(const Observation& seen, std::span<double> out) {
    const std::span<const double> s = seen.singular_values;
    out[0] = no_value;
    if (!has_values(s)) return;
    double sum = 0, entropy = 0;
    for (const double value : s) sum += value;
    for (const double value : s)
      if (value > 0) entropy -= value / sum * std::log(value / sum);
    if (sum > 0) out[0] = ratio(entropy, std::log(double(s.size())));
  }
};

}  // namespace cohort::engine::analysis

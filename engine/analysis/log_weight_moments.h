// How log-normal the weights are.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// Moments of ln|w| over the weights that are not zero, dividing by their number: mean, sd = sqrt(m2), skewness =
// m3/m2^(3/2), excess kurtosis = m4/m2^2 - 3. Log-normal weights have skewness and kurtosis 0. No value without a
// nonzero weight; no skewness and kurtosis where all |w| are equal. Source: Cornford, Pogodin, Ghosh, Sheng, Bicknell,
// Codol, Clark, Lajoie, Richards (2024), Brain-like learning with exponentiated gradients.
struct log_weight_moments {
  static constexpr const char* doc =
      "moments of ln|w| over the nonzero weights; skewness and kurtosis are 0 for log-normal weights "
      "(Cornford et al., 2024)";
  static constexpr Need need = Need::weights;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {{"mean", "mean of ln|w|"},
                                     {"sd", "standard deviation of ln|w|"},
                                     {"skewness", "skewness of ln|w|"},
                                     {"kurtosis", "excess kurtosis of ln|w|"}};
  static void measure(const Observation& seen, std::span<double> out) {
    std::fill(out.begin(), out.end(), no_value);
    if (!seen.weights.data || !has_values(seen.weights.all())) return;
    // Deviations from the first one, so that the mean of equal values is exact.
    double n = 0, sum = 0, first = 0;
    const auto each_log = [&](auto&& use) {
      for (const float w : seen.weights.all())
        if (w != 0) use(std::log(std::abs(double(w))));
    };
    each_log([&](double log_w) {
      if (n == 0) first = log_w;
      n += 1;
      sum += log_w - first;
    });
    if (n == 0) return;
    const double mean = first + sum / n;
    double m2 = 0, m3 = 0, m4 = 0;
    each_log([&](double log_w) {
      const double d = log_w - mean;
      m2 += d * d / n;
      m3 += d * d * d / n;
      m4 += d * d * d * d / n;
    });
    out[0] = mean;
    out[1] = std::sqrt(m2);
    out[2] = ratio(m3, m2 * std::sqrt(m2));
    out[3] = ratio(m4, m2 * m2) - 3;
  }
};

}  // namespace cohort::engine::analysis

// How log-normal the weights are.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// Moments of ln|w| over the weights that are not zero, dividing by their number: mean, sd = sqrt(m2), skewness =
// m3/m2^(3/2), excess kurtosis = m4/m2^2 - 3; and the Kolmogorov-Smirnov distance to the normal distribution that has its mean
// and its standard deviation (over n - 1). Log-normal weights have skewness and kurtosis 0 and a distance beyond 0.895 /
// (sqrt(n) - 0.01 + 0.85 / sqrt(n)) one time in twenty (Lilliefors' test; Stephens 1974). No value without a nonzero weight; no
// skewness, kurtosis and distance where all |w| are equal. Source: Cornford, Pogodin, Ghosh, Sheng, Bicknell, Codol, Clark,
// Lajoie, Richards (2024), Brain-like learning with exponentiated gradients.
struct log_weight_moments {
  static constexpr const char* doc =
      "moments of ln|w| over the nonzero weights, and its distance to a normal distribution; skewness and kurtosis are "
      "0 "
      "for log-normal weights (Cornford et al., 2024)";
  static constexpr Need need = Need::log_weights;
  static constexpr bool comparison = false;
  static constexpr Field fields[] = {
      {"mean", "mean of ln|w|"},
      {"sd", "standard deviation of ln|w|"},
      {"skewness", "skewness of ln|w|"},
      {"kurtosis", "excess kurtosis of ln|w|"},
      {"ks", "Kolmogorov-Smirnov distance of ln|w| to the normal distribution fitted to it"}};
  static void measure(const Observation& seen, std::span<double> out) {
    std::fill(out.begin(), out.end(), no_value);
    if (!seen.log_weights) return;
    const Normality& fit = *seen.log_weights;
    out[0] = fit.mean;
    out[1] = std::sqrt(fit.m2);
    out[2] = fit.skewness;
    out[3] = fit.kurtosis;
    out[4] = fit.ks_centred;
  }
};

}  // namespace cohort::engine::analysis

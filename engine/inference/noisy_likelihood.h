// The likelihood of a geometry where both measurements of a weight are noisy: v0 = w0 + e0, v1 = w1 + e1,
//   f(v1 | v0) = sum over latent w0, w1 of P(w0 | v0) P(w1 | w0) N(v1; w1, sd(w1)^2).
// Latent weights are summed over cells of two thirds of the noise (latent_grid.h). P(w1 | w0) is the exact mass that the normal
// dual change gives to a cell, so that singular maps do no harm near 0; P(w0 | v0) comes from the distribution of weights
// before learning, estimated beforehand from all v0 (start_density.h), the same for all geometries.
#pragma once

#include <memory>

#include "inference/likelihood.h"
#include "inference/noise.h"

namespace cohort::engine {

// Coefficients of variation above this make weights flip their signs by noise.
inline constexpr double largest_relative_noise = 0.3;

// Weights may be 0. Throws Error for noise that is negative, above the largest relative one, or so far below the range of the
// weights that it has no effect.
std::unique_ptr<Likelihood> noisy_likelihood(const WeightPairs& pairs, const Noise& noise, MeanChange mean);

}  // namespace cohort::engine

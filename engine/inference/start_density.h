// The distribution of weights before learning, from noisy measurements of them.
#pragma once

#include <span>
#include <vector>

namespace cohort::engine {

// One measurement: `weight` times, with likelihood[k] if the latent weight is in cell first + k.
struct LatentMeasurement {
  double times = 1;
  size_t first = 0;
  std::span<const double> likelihood;
};

// The mass of each of n_cells cells: the exponential of a natural cubic spline over the cells, its knots at quantiles of the
// measurements, more of them the more there are; by EM. Smooth where neighbouring measurements are, which is all that is asked
// of it: it says where within its noise a weight is likely to have been.
// Source: Efron, "Empirical Bayes deconvolution estimates", Biometrika 103 (2016).
std::vector<double> start_density(std::span<const LatentMeasurement> measurements, size_t n_cells);

}  // namespace cohort::engine

// Does any geometry of the families explain the data? Under the true one the standardised dual changes are normal and
// independent of the weights before learning.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "inference/likelihood.h"
#include "inference/noise.h"

namespace cohort::engine {

struct FitTest {
  const char* name = "";
  const char* doc = "";
  double statistic = 0, p_value = 1;
};

struct GoodnessOfFit {
  std::vector<FitTest> tests;
  double p_value = 1;  // of all tests together: of the smallest p value
  int bootstrap = 0;   // data sets simulated
};

// Of residuals z [n] (Likelihood::residuals) and weights before learning [n]:
//   trend      sqrt(n) times the absolute rank correlation of z and w: learning that draws weights to a value, unmodelled noise
//   spread     sum over eight bins of equally many |w| of n_bin (mean of z^2 - 1)^2 / 2: changes whose size depends on the
//              weight in another way than the geometry has it
//   normality  Anderson and Darling's A^2 of z: heavy or light tails
// Large values speak against the model.
std::vector<FitTest> fit_statistics(std::span<const double> z, std::span<const double> before);

struct BootstrapOptions {
  Noise noise;
  MeanChange mean = MeanChange::zero;
  int data_sets = 499;
  uint64_t seed = 0;
  int n_threads = 1;
};

// p values by parametric bootstrap: data sets of at most largest_bootstrap synapses are simulated with this map and change, and the
// map's parameter is fitted again to each of them. The distributions of the statistics do not depend on n beyond that size.
inline constexpr size_t largest_bootstrap = 1500;
GoodnessOfFit goodness_of_fit(Likelihood& likelihood, std::span<const double> before, const MirrorMap& map,
                              const DualChange& change, const BootstrapOptions& options);

}  // namespace cohort::engine

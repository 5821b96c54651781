// What the inference can tell apart, by simulation: its power, its error, the coverage of its intervals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inference/simulate.h"

namespace cohort::engine {

struct PowerOptions {
  std::vector<double> truths = {1, 1.5, 2, 3};           // p; 1 is negative entropy
  std::vector<double> candidates = {1, 1.5, 2, 2.5, 3};  // among which the most likely is chosen
  std::vector<double> synapses = {30, 100, 300, 1000, 3000};
  std::vector<double> noise = {0, 0.05, 0.1, 0.2};  // sd, relative to the size of the weights
  std::vector<double> change = {0.1};  // sd of the change of a weight of typical size, relative to it: sd of the dual
                                       // change = change size phi''(size)
  std::vector<Start> starts = {Start::normal};
  int data_sets = 1000;    // of every combination
  double level = 0;        // > 0: intervals for p of this level as well, and their coverage
  bool published = false;  // the robustness experiment's own sizes, see below
  uint64_t seed = 0;
  int n_threads = 1;
};

// One combination, over its data sets.
struct PowerRow {
  Start start = Start::normal;
  double truth = 1;
  size_t synapses = 0;
  double noise = 0, change = 0;
  int data_sets = 0;
  double flips = 0;  // mean share of measured weights that change their sign
  // Chosen among the candidates: by likelihood, and by the smallest Delta-CDF. Share of exact choices, rmse of p.
  double exact = 0, rmse = 0, delta_cdf_exact = 0, delta_cdf_rmse = 0;
  // With intervals: of the estimate among all p, and the share of intervals that hold the truth.
  double estimate_rmse = 0, coverage = 0, width = 0;
};

// All combinations, in the order of the options. The values of a combination, the data set and the seed determine the random
// numbers.
std::vector<PowerRow> power(const PowerOptions& options);

// Pogodin et al.'s experiment on the robustness of Delta-CDF: 1000 weights, N(0, 1/100) or signed log-normal numbers of mean = sd =
// 1 / sqrt(1000), a dual change of .1 phi'(.1) N(0, 1), candidates 1, 1.1, ..., 3, truths 1, 2, 3.
PowerOptions robustness_protocol();
// Intervals of 95 % for p of 1.3, 1.5, 2, 2.5, 3, without noise and with known noise of 5 and 10 %; 1000 weights.
PowerOptions coverage_protocol();

std::string power_csv(const std::vector<PowerRow>& rows, const PowerOptions& options);
// For each start, change and noise the fewest synapses with which every truth is chosen in at least `share` of the data sets.
std::string fewest_synapses_text(const std::vector<PowerRow>& rows, double share);

}  // namespace cohort::engine

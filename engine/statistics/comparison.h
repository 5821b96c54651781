// All pairs of several samples compared, p values corrected for their number.
#pragma once

#include <span>
#include <vector>

#include "statistics/mann_whitney.h"
#include "statistics/welch.h"

namespace cohort::engine {

struct Comparison {
  size_t a = 0, b = 0;  // a < b, indices of samples
  Welch welch;
  double welch_holm = 0;  // over all pairs, each kind of test by itself
  MannWhitney mann_whitney;
  double mann_whitney_holm = 0;
};

// Pairs (0, 1), (0, 2), ..., (1, 2), ...
std::vector<Comparison> compare_pairs(std::span<const std::vector<double>> samples);

}  // namespace cohort::engine

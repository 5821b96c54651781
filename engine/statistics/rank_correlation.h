// Spearman's rank correlation.
#pragma once

#include <span>
#include <vector>

namespace cohort::engine {

// Ranks from 1 on; equal values share the mean of theirs.
std::vector<double> ranks(std::span<const double> values);

// The correlation of the ranks of x and y; NaN where one of them does not vary. Throws Error unless they are equally long.
double rank_correlation(std::span<const double> x, std::span<const double> y);

}  // namespace cohort::engine

// The Mann-Whitney U test (Wilcoxon's rank sum): is one of two samples the larger?
#pragma once

#include <limits>
#include <span>

namespace cohort::engine {

struct MannWhitney {
  double u = std::numeric_limits<double>::quiet_NaN();  // pairs in which the first is larger; ties count one half
  double p = std::numeric_limits<double>::quiet_NaN();  // two-sided
  bool exact = false;
};

// Together so many values, and no ties: p is exact.
inline constexpr int mann_whitney_exact = 50;

// Exact p up to mann_whitney_exact values without ties, else the normal approximation, its variance corrected for ties
// and its numerator for continuity. p = 1 where all values are equal. Values that are not finite are left out; NaN where
// a sample has none. Source: Mann, Whitney, Ann. Math. Stat. 18 (1947).
MannWhitney mann_whitney_test(std::span<const double> a, std::span<const double> b);

}  // namespace cohort::engine

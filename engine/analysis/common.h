// What several analyses share. "No value" is NaN: the measure is not defined for what was seen, or that is not finite.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "analysis/analysis.h"

namespace cohort::engine::analysis {

inline constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

// numerator / denominator; no value where that is not finite, 0/0 and x/0 included.
inline double ratio(double numerator, double denominator) {
  const double value = numerator / denominator;
  return std::isfinite(value) ? value : no_value;
}

template <class Real>
bool has_values(std::span<const Real> values) {
  return !values.empty() && std::all_of(values.begin(), values.end(), [](Real value) { return std::isfinite(value); });
}

// Both there, of one shape and finite.
inline bool comparable(const MatrixView& a, const MatrixView& b) {
  return a.data && b.data && a.rows == b.rows && a.cols == b.cols && has_values(a.all()) && has_values(b.all());
}

inline int sign(float value) { return int(value > 0) - int(value < 0); }

// <G, H>/(||G||_F ||H||_F); in [0, 1] up to rounding. No value if a Gram matrix is zero or not finite.
inline double cosine(const GramSums& s) { return ratio(s.xy, std::sqrt(s.xx) * std::sqrt(s.yy)); }

}  // namespace cohort::engine::analysis

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

// Cosine of the Gram matrices G = A A^T and H = B B^T of two matrices [rows][cols], <G, H>/(||G||_F ||H||_F), where
// <G, H> = ||A^T B||_F^2; in double. With `centred` every column has its mean over the rows taken off first.
// In [0, 1] up to rounding; no value unless comparable(a, b), and if a Gram matrix is zero.
double gram_cosine(const MatrixView& a, const MatrixView& b, bool centred);

}  // namespace cohort::engine::analysis

// Cells of the line of weights, two thirds of the measurement noise wide: where latent weights are summed over.
#pragma once

#include <cmath>
#include <cstddef>

#include "inference/noise.h"

namespace cohort::engine {

// t(w) is the integral of 1 / sd(w): in t the noise has unit size everywhere. Cell k is [k h, (k + 1) h) in t; 0 is an edge.
class LatentGrid {
 public:
  static constexpr double h = 2.0 / 3;

  // smallest: the smallest |w| > 0 that matters, below which purely relative noise counts as absolute.
  LatentGrid(const Noise& noise, double smallest)
      : noise_(noise), a_(noise.absolute > 0 ? noise.absolute : noise.relative * smallest / 10) {}

  double t(double w) const {
    return noise_.relative > 0 ? std::asinh(noise_.relative * w / a_) / noise_.relative : w / a_;
  }
  double weight(double t) const {
    return noise_.relative > 0 ? a_ * std::sinh(noise_.relative * t) / noise_.relative : a_ * t;
  }
  long cell(double w) const { return long(std::floor(t(w) / h)); }
  double edge(long k) const { return weight(double(k) * h); }
  double middle(long k) const { return weight((double(k) + 0.5) * h); }
  double sd(double w) const { return std::hypot(a_, noise_.relative * w); }

 private:
  Noise noise_;
  double a_;
};

}  // namespace cohort::engine

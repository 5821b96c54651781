// Hyperbolic entropy: grad phi(w) = asinh(w / beta), between gradient descent (beta large) and exponentiated gradient
// (beta small). Ghai, Hazan, Singer 2020, "Exponentiated gradient meets gradient descent". The step is written in primal
// space without asinh: with u = exp(-lr d), w+ = ((w + r) u - (r - w) / u) / 2, r = sqrt(w^2 + beta^2).
#pragma once

#include "geometry/geometry.h"

COHORT_BEGIN
namespace geometry {

struct hypentropy {
  static constexpr const char* doc = "hyperbolic entropy, dual asinh(w / beta) (rule.beta)";
  static constexpr bool zeros_stay = false;
  template <class Real>
  COHORT_FORCE_INLINE static Real step(Real w, Real d, Real lr, const Params& q) {
    const Real a = math::abs(w), s = w < Real(0) ? Real(-1) : Real(1), beta = Real(q.beta);
    const Real r = math::sqrt(a * a + beta * beta), large = a + r;
    const Real small = beta * (beta / large);  // r - a without cancellation
    const Real e = -lr * s * d, up = math::exp(e), down = math::exp(-e);
    const Real moved = s * (large * up - small * down) / Real(2);
    return lr * d == Real(0) ? w : moved;
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real decay(Real w) {
    return w;
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_dual(Real w, const Params& q) {
    return math::copysign(asinh(math::abs(w) / Real(q.beta)), w);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_primal(Real y, Real, const Params& q) {
    return math::copysign(Real(q.beta) * sinh(math::abs(y)), y);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real potential(Real w, const Params& q) {
    return w * to_dual(w, q) - math::sqrt(w * w + Real(q.beta * q.beta));
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real curvature(Real w, const Params& q) {
    return Real(1) / math::sqrt(w * w + Real(q.beta * q.beta));
  }

 private:
  // Of numbers >= 0, to a few ulps also where they are tiny, and without squares that overflow.
  template <class Real>
  COHORT_FORCE_INLINE static Real asinh(Real a) {
    const Real b = math::min(a, Real(1e10));                                  // beyond, it is ln 2 a
    const Real rest = b + b * (b / (Real(1) + math::sqrt(b * b + Real(1))));  // asinh b = log(1 + rest)
    const Real sum = Real(1) + rest, taken = sum - Real(1);
    const Real moderate = taken > Real(0) ? math::log(sum) * (rest / taken) : rest;
    return a > b ? math::log(a) + Real(0.6931471805599453) : moderate;
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real sinh(Real y) {
    const Real z = y * y;
    Real series = Real(1);  // to y^17 / 17!
    for (int k = 16; k > 0; k -= 2) series = Real(1) + series * z / Real(k * (k + 1));
    return y < Real(1) ? y * series : (math::exp(y) - math::exp(-y)) / Real(2);
  }
};

}  // namespace geometry
COHORT_END

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
    const Real a = math::abs(w) / Real(q.beta);
    return math::copysign(math::log(a + math::sqrt(a * a + Real(1))), w);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_primal(Real y, Real, const Params& q) {
    return Real(q.beta) * (math::exp(y) - math::exp(-y)) / Real(2);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real potential(Real w, const Params& q) {
    return w * to_dual(w, q) - math::sqrt(w * w + Real(q.beta * q.beta));
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real curvature(Real w, const Params& q) {
    return Real(1) / math::sqrt(w * w + Real(q.beta * q.beta));
  }
};

}  // namespace geometry
COHORT_END

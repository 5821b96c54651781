// Gradient descent: phi(w) = w^2 / 2.
#pragma once

#include "geometry/geometry.h"

COHORT_BEGIN
namespace geometry {

struct euclidean {
  static constexpr const char* doc = "gradient descent, phi = w^2 / 2";
  static constexpr bool zeros_stay = false;
  template <class Real>
  COHORT_FORCE_INLINE static Real step(Real w, Real d, Real lr, const Params&) {
    return w - lr * d;
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real decay(Real w) {
    return w;
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_dual(Real w, const Params&) {
    return w;
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_primal(Real y, Real, const Params&) {
    return y;
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real potential(Real w, const Params&) {
    return w * w / Real(2);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real curvature(Real, const Params&) {
    return Real(1);
  }
};

}  // namespace geometry
COHORT_END

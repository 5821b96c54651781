// Unsigned exponentiated gradient: w <- w exp(-lr d) whatever the sign of w (Cornford et al. 2024). It is mirror descent
// with neg_entropy's potential where w > 0; where w < 0 it ascends in the mirrored coordinate, so its dual there is
// -(ln|w| + 1) with the direction of d reversed: to_dual is s-free, ln|w| + 1, and step subtracts lr d from it.
#pragma once

#include "geometry/neg_entropy.h"

COHORT_BEGIN
namespace geometry {

struct unsigned_eg {
  static constexpr const char* doc = "unsigned exponentiated gradient, w exp(-lr d)";
  static constexpr bool zeros_stay = true;
  template <class Real>
  COHORT_FORCE_INLINE static Real step(Real w, Real d, Real lr, const Params&) {
    return w * math::exp(-lr * d);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real decay(Real w) {
    return math::abs(math::sign(w));
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_dual(Real w, const Params& q) {
    return math::sign(w) * neg_entropy::to_dual(w, q);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_primal(Real y, Real w_ref, const Params&) {
    return math::sign(w_ref) * math::exp(y - Real(1));
  }
  // w ln |w|: its gradient is ln |w| + 1 on both orthants.
  template <class Real>
  COHORT_FORCE_INLINE static Real potential(Real w, const Params& q) {
    return math::sign(w) * neg_entropy::potential(w, q);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real curvature(Real w, const Params&) {
    return Real(1) / w;
  }
};

}  // namespace geometry
COHORT_END

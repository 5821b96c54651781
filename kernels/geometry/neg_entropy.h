// Exponentiated gradient, signed and unnormalised: phi(w) = |w| ln |w|, w <- w exp(-lr sign(w) d). Signs never flip and
// exact zeros stay (Cornford et al. 2024, update rules; Pogodin et al., ICLR 2024, potential).
#pragma once

#include "geometry/geometry.h"

COHORT_BEGIN
namespace geometry {

struct neg_entropy {
  static constexpr const char* doc = "exponentiated gradient, phi = |w| ln |w|: signs and zeros stay";
  static constexpr bool zeros_stay = true;
  template <class Real>
  COHORT_FORCE_INLINE static Real step(Real w, Real d, Real lr, const Params&) {
    return w * math::exp(-lr * math::sign(w) * d);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real decay(Real w) {
    return math::sign(w);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_dual(Real w, const Params&) {
    const Real a = math::abs(w);
    return math::sign(w) * (math::log(a > Real(0) ? a : Real(1)) + Real(1));
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_primal(Real y, Real w_ref, const Params&) {
    const Real s = math::sign(w_ref);
    return s * math::exp(s * y - Real(1));
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real potential(Real w, const Params&) {
    const Real a = math::abs(w);
    return a * math::log(a > Real(0) ? a : Real(1));
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real curvature(Real w, const Params&) {
    return Real(1) / math::abs(w);
  }
};

}  // namespace geometry
COHORT_END

// phi(w) = |w|^p / p, p > 1: the dual is sign(w) |w|^(p-1), and signs may flip (Pogodin et al., ICLR 2024). p = 3, 2 and
// 1.5 take square roots instead of powers; they are the ones the papers train.
#pragma once

#include "geometry/geometry.h"

COHORT_BEGIN
namespace geometry {

struct p_norm {
  static constexpr const char* doc = "p-norm, phi = |w|^p / p, p > 1 (rule.p)";
  static constexpr bool zeros_stay = false;
  template <class Real>
  COHORT_FORCE_INLINE static Real step(Real w, Real d, Real lr, const Params& q) {
    const Real moved = to_primal(to_dual(w, q) - lr * d, w, q);
    return lr * d == Real(0) ? w : moved;
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real decay(Real w) { return w; }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_dual(Real w, const Params& q) { return power(w, q.p - 1); }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_primal(Real y, Real, const Params& q) { return power(y, 1 / (q.p - 1)); }
  template <class Real>
  COHORT_FORCE_INLINE static Real potential(Real w, const Params& q) { return math::pow_abs(w, q.p) / Real(q.p); }

 private:
  // sign(x) |x|^e; the test of e is the same for every weight of a tensor.
  template <class Real>
  COHORT_FORCE_INLINE static Real power(Real x, double e) {
    if (e == 1.0) return x;
    if (e == 2.0) return x * math::abs(x);
    if (e == 0.5) return math::copysign(math::sqrt(math::abs(x)), x);
    return math::copysign(math::pow_abs(x, e), x);
  }
};

}  // namespace geometry
COHORT_END

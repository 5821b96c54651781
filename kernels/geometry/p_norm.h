// phi(w) = |w|^p / p, p > 1: the dual is sign(w) |w|^(p-1), and signs may flip (Pogodin et al., ICLR 2024). p = 3, 2 and
// 1.5 take square roots instead of powers; they are the ones the papers train.
#pragma once

#include "geometry/geometry.h"

COHORT_BEGIN
namespace geometry {

// Which powers the maps take: known before the loop over weights, so that the loop vectorises.
enum class Power { any, three_halves, two, three };

template <Power power>
struct p_norm_of {
  static constexpr const char* doc = "p-norm, phi = |w|^p / p, p > 1 (rule.p)";
  static constexpr bool zeros_stay = false;
  template <class Real>
  COHORT_FORCE_INLINE static Real step(Real w, Real d, Real lr, const Params& q) {
    const Real moved = to_primal(to_dual(w, q) - lr * d, w, q);
    return lr * d == Real(0) ? w : moved;
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real decay(Real w) {
    return w;
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_dual(Real w, const Params& q) {
    if constexpr (power == Power::three)
      return w * math::abs(w);
    else if constexpr (power == Power::two)
      return w;
    else if constexpr (power == Power::three_halves)
      return math::copysign(math::sqrt(math::abs(w)), w);
    else
      return math::copysign(math::pow_abs(w, q.p - 1), w);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real to_primal(Real y, Real, const Params& q) {
    if constexpr (power == Power::three)
      return math::copysign(math::sqrt(math::abs(y)), y);
    else if constexpr (power == Power::two)
      return y;
    else if constexpr (power == Power::three_halves)
      return y * math::abs(y);
    else
      return math::copysign(math::pow_abs(y, 1 / (q.p - 1)), y);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real potential(Real w, const Params& q) {
    return math::pow_abs(w, q.p) / Real(q.p);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real curvature(Real w, const Params& q) {
    if constexpr (power == Power::three)
      return Real(2) * math::abs(w);
    else if constexpr (power == Power::two)
      return Real(1);
    else if constexpr (power == Power::three_halves)
      return Real(0.5) / math::sqrt(math::abs(w));
    else
      return Real(q.p - 1) * math::pow_abs(w, q.p - 2);
  }
};

struct p_norm : p_norm_of<Power::any> {
  // f(map) with the map for this p.
  template <class F>
  COHORT_TEAM_FN static void specialise(const Params& q, F f) {
    if (q.p == 3.0)
      f(p_norm_of<Power::three>{});
    else if (q.p == 2.0)
      f(p_norm_of<Power::two>{});
    else if (q.p == 1.5)
      f(p_norm_of<Power::three_halves>{});
    else
      f(p_norm_of<Power::any>{});
  }
};

}  // namespace geometry
COHORT_END

// What happens to a weight after its step; w0 is the weight before it. The loop over weights is compiled once per
// projection. Frozen sign: Li et al., NeurIPS 2023. cSGD: Cornford et al. 2024.
#pragma once

#include "math/elementary.h"

COHORT_BEGIN

struct none {
  static constexpr const char* doc = "weights move freely";
  template <class Real>
  COHORT_FORCE_INLINE static Real apply(Real, Real w) {
    return w;
  }
};
struct clamp {
  static constexpr const char* doc = "max(w, 0): magnitudes stay non-negative";
  template <class Real>
  COHORT_FORCE_INLINE static Real apply(Real, Real w) {
    return math::max(Real(0), w);
  }
};
struct frozen_sign {
  static constexpr const char* doc = "s0 max(s0 w, 1e-9): signs stay, zeros stay";
  template <class Real>
  COHORT_FORCE_INLINE static Real apply(Real w0, Real w) {
    const Real s = math::sign(w0);
    return s * math::max(Real(1e-9), s * w);
  }
};
struct csgd {
  static constexpr const char* doc = "a weight that would change sign becomes 1e-18 of its old sign";
  template <class Real>
  COHORT_FORCE_INLINE static Real apply(Real w0, Real w) {
    const Real s = math::sign(w0);
    return s * w < Real(0) ? Real(1e-18) * s : w;
  }
};

template <class F>
COHORT_TEAM_FN void with_projection(ProjectionId id, F f) {
  switch (id) {
#define COHORT_CASE(word)  \
  case ProjectionId::word: \
    f(word{});             \
    break;
    COHORT_FOR_EACH_PROJECTION(COHORT_CASE)
#undef COHORT_CASE
  }
}

COHORT_END

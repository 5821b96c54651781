// Activations and their derivatives, the latter as functions of the output h = f(z).
#pragma once

#include "math/elementary.h"

COHORT_BEGIN

struct relu {
  static constexpr const char* doc = "max(z, 0)";
  template <class Real>
  COHORT_FORCE_INLINE static Real value(Real z) {
    return math::max(Real(0), z);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real slope(Real h) {
    return h > Real(0) ? Real(1) : Real(0);
  }
};
struct tanh {
  static constexpr const char* doc = "hyperbolic tangent";
  template <class Real>
  COHORT_FORCE_INLINE static Real value(Real z) {
    return math::tanh(z);
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real slope(Real h) {
    return Real(1) - h * h;
  }
};
struct linear {
  static constexpr const char* doc = "z";
  template <class Real>
  COHORT_FORCE_INLINE static Real value(Real z) {
    return z;
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real slope(Real) {
    return Real(1);
  }
};
struct softplus {
  static constexpr const char* doc = "ln(1 + exp(z))";
  template <class Real>
  COHORT_FORCE_INLINE static Real value(Real z) {  // max(z, 0) + ln(1 + exp(-|z|))
    return math::max(Real(0), z) + math::log_positive(Real(1) + math::exp(-math::abs(z)));
  }
  template <class Real>
  COHORT_FORCE_INLINE static Real slope(Real h) {
    return Real(1) - math::exp(-h);
  }
};

// Calls f(activation) for the run-time id: one branch for a whole matrix.
template <class F>
COHORT_TEAM_FN void with_activation(ActivationId id, F f) {
  switch (id) {
#define COHORT_CASE(word)  \
  case ActivationId::word: \
    f(word{});             \
    break;
    COHORT_FOR_EACH_ACTIVATION(COHORT_CASE)
#undef COHORT_CASE
  }
}

COHORT_END

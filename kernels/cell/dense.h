// A layer of weights of any sign: z = W a + b.
#pragma once

#include "cell/layer.h"

COHORT_BEGIN
namespace cell {

struct dense {
  static constexpr const char* doc = "z = W a + b";
  static constexpr ParameterisationId parameterisation = ParameterisationId::dense;

  template <class Team, class Real, class Emit>
  COHORT_TEAM_FN static void forward(const Team& team, NormForm, const Layer<Real>& l, const Input<Real>& x, int n,
                                     Emit emit) {
    affine(team, l, x, n, emit);
  }
  template <class Team, class Real>
  COHORT_TEAM_FN static void backward(const Team& team, NormForm, const Layer<Real>& l, int n, Real* dz,
                                      const Scratch<Real>&, const Gradient<Real>& gradient) {
    bias_gradient(team, l, n, dz, gradient);
  }
};

}  // namespace cell
COHORT_END

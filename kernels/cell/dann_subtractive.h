// Dale's ANN without its division (Cornford et al., ICLR 2021): z = (W_ex - W_ei W_ix) a + b.
#pragma once

#include "cell/inhibition.h"

COHORT_BEGIN
namespace cell {

struct dann_subtractive {
  static constexpr const char* doc = "subtractive inhibition only: z = (W_ex - W_ei W_ix) a + b (Cornford et al. 2021)";
  static constexpr ParameterisationId parameterisation = ParameterisationId::dann;

  template <class Team, class Real, class Emit>
  COHORT_TEAM_FN static void forward(const Team& team, NormForm, const Layer<Real>& l, const Input<Real>& x, int n,
                                     Emit emit) {
    interneurons(team, l, x, n);
    const Real* const b = l.b;
    subtracted(team, l, x, n, [=](int p, int u, Real v) { emit(p, u, v + b[u]); });
  }
  template <class Team, class Real>
  COHORT_TEAM_FN static void backward(const Team& team, NormForm, const Layer<Real>& l, int n, Real* dz,
                                      const Scratch<Real>& scratch, const Gradient<Real>& gradient) {
    bias_gradient(team, l, n, dz, gradient);
    subtracted_gradient(team, l, n, dz, gradient);
    const int ld_i = l.ld_i;
    Real* const dzi = scratch.dzi;
    const Product<Real> products[1] = {{dz, l.ld, 1, l.minus_ei, ld_i, l.n}};
    team.gemm(n, l.ni, products, [=](int p, int k, Real v) { dzi[p * ld_i + k] = v; });
  }
};

}  // namespace cell
COHORT_END

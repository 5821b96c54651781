// Dale's ANN (Cornford et al., ICLR 2021): subtractive and divisive feedforward inhibition,
//   z = (g / gamma) zhat + b,  zhat = W_ex a - W_ei zi,  gamma = (W_ei exp(alpha)) zi + 1e-8,  zi = W_ix a,
// with one alpha per interneuron, shared by all units.
#pragma once

#include "cell/inhibition.h"

COHORT_BEGIN
namespace cell {

struct dann {
  static constexpr const char* doc =
      "subtractive and divisive inhibition: z = g (W_ex - W_ei W_ix) a / gamma + b (DANN; Cornford et al. 2021)";
  static constexpr ParameterisationId parameterisation = ParameterisationId::dann;

  template <class Team, class Real, class Emit>
  COHORT_TEAM_FN static void forward(const Team& team, NormForm, const Layer<Real>& l, const Input<Real>& x, int n,
                                     Emit emit) {
    interneurons(team, l, x, n);
    const int ld = l.ld;
    Real *const gamma = l.gamma, *const zhat = l.u;
    const Product<Real> divisive[1] = {{l.zi, l.ld_i, 1, l.eia_t, ld, l.ni}};
    team.gemm(n, l.n, divisive, [=](int p, int u, Real v) { gamma[p * ld + u] = v + Real(1e-8); });
    const Real *const b = l.b, *const g = l.g;
    subtracted(team, l, x, n, [=](int p, int u, Real v) {
      zhat[p * ld + u] = v;
      emit(p, u, g[u] * v / gamma[p * ld + u] + b[u]);
    });
  }

  template <class Team, class Real>
  COHORT_TEAM_FN static void backward(const Team& team, NormForm, const Layer<Real>& l, int n, Real* dz,
                                      const Scratch<Real>& scratch, const Gradient<Real>& gradient) {
    const int ld = l.ld, ld_i = l.ld_i, ni = l.ni, units = l.n;
    const Real *const zhat = l.u, *const gamma = l.gamma, *const g = l.g, *const factor = l.factor;
    bias_gradient(team, l, n, dz, gradient);
    sum_positions(team, n, units, gradient.gain,
                  [=](int p, int u) { return dz[p * ld + u] * zhat[p * ld + u] / gamma[p * ld + u]; });
    team.sync();
    Real* const dgamma = scratch.dgamma;
    team.for_each_2d(n, ld, [=](int p, int u) {
      const int i = p * ld + u;
      const Real dzhat = u < units ? dz[i] * g[u] / gamma[i] : Real(0);
      dz[i] = dzhat;
      dgamma[i] = u < units ? -dzhat * zhat[i] / gamma[i] : Real(0);
    });
    team.sync();
    subtracted_gradient(team, l, n, dz, gradient);
    // v = dgamma^T zi: the gradient of W_ei exp(alpha).
    Real *const ei = gradient.ei, *const alpha = gradient.alpha, *const dv = scratch.dv;
    const Product<Real> divisive[1] = {{dgamma, 1, ld, l.zi, ld_i, n}};
    team.gemm(units, ni, divisive, [=](int u, int k, Real v) { dv[u * ld_i + k] = v; });
    team.for_each_2d(units, ni, [=](int u, int k) { ei[u * ni + k] += dv[u * ld_i + k] * factor[k]; });
    const Real* const eia = l.eia;
    sum_positions(team, units, ni, alpha, [=](int u, int k) { return eia[u * ld_i + k] * dv[u * ld_i + k]; });
    Real* const dzi = scratch.dzi;
    const Product<Real> to_interneurons[2] = {{dz, ld, 1, l.minus_ei, ld_i, units},
                                              {dgamma, ld, 1, l.eia, ld_i, units}};
    team.gemm(n, ni, to_interneurons, [=](int p, int k, Real v) { dzi[p * ld_i + k] = v; });
  }
};

}  // namespace cell
COHORT_END

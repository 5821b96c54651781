// Batch normalisation (Ioffe, Szegedy 2015), always with the statistics of the batch at hand, at test time too (as in the code of
// Cornford et al., ICLR 2021).
#pragma once

#include "cell/norm.h"

COHORT_BEGIN
namespace cell {

struct batch_norm {
  static constexpr const char* doc =
      "pre-activations normalised over the batch, times a gain; batch statistics at test time too";
  static constexpr ParameterisationId parameterisation = ParameterisationId::dense;

  template <class Team, class Real, class Emit>
  COHORT_TEAM_FN static void forward(const Team& team, NormForm form, const Layer<Real>& l, const Input<Real>& x, int n,
                                     Emit emit) {
    norm_inputs(team, form, l, x, n);
    const int ld = l.ld;
    Real *const u = l.u, *const mean = l.mean, *const rate = l.rate;
    sum_positions(team, n, l.n, mean, [=](int p, int i) { return u[p * ld + i] / Real(n); });
    sum_positions(team, n, l.n, rate, [=](int p, int i) {
      const Real deviation = u[p * ld + i] - mean[i];
      return deviation * deviation;
    });
    team.for_each(l.n, [=](int i) { rate[i] = norm_rate(form, rate[i], n); });
    team.sync();
    team.for_each_2d(n, l.n, [=](int p, int i) { u[p * ld + i] = (u[p * ld + i] - mean[i]) * rate[i]; });
    team.sync();
    norm_outputs(team, l, n, emit);
  }

  template <class Team, class Real>
  COHORT_TEAM_FN static void backward(const Team& team, NormForm form, const Layer<Real>& l, int n, Real* dz,
                                      const Scratch<Real>& scratch, const Gradient<Real>& gradient) {
    norm_affine_gradient(team, l, n, dz, gradient);
    const int ld = l.ld, divisor = norm_divisor(form, n);
    const Real *const x = l.u, *const rate = l.rate;
    Real *const mean = l.mean, *const products = scratch.dgamma;
    sum_positions(team, n, l.n, mean, [=](int p, int i) { return dz[p * ld + i] / Real(n); });
    sum_positions(team, n, l.n, products, [=](int p, int i) { return dz[p * ld + i] * x[p * ld + i] / Real(divisor); });
    team.sync();
    team.for_each_2d(n, l.n, [=](int p, int i) {
      const int k = p * ld + i;
      dz[k] = norm_gradient(rate[i], dz[k], mean[i], x[k], products[i]);
    });
    team.sync();
    norm_inner_bias(team, form, l, n, dz, gradient);
  }
};

}  // namespace cell
COHORT_END

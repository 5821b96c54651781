// What the norms share: u = W a (published form: W a + b), x = (u - mean) / sd, z = g x + b, with mean and variance over a group
// of n numbers. Standard form: sd = sqrt(sum of squares / n + 1e-5); published form (Cornford et al., ICLR 2021, code):
// sd = sqrt(sum of squares / (n - 1)).
#pragma once

#include "cell/layer.h"

COHORT_BEGIN
namespace cell {

// 1 / sd of a group from its sum of squared deviations.
template <class Real>
COHORT_TEAM_FN Real norm_rate(NormForm form, Real squares, int n) {
  return Real(1) /
         (form == NormForm::standard ? math::sqrt(squares / Real(n) + Real(1e-5)) : math::sqrt(squares / Real(n - 1)));
}

// dL/du from dL/dx, their mean over the group and the mean of dL/dx x (over n, published: n - 1).
template <class Real>
COHORT_TEAM_FN Real norm_gradient(Real rate, Real dx, Real mean, Real x, Real mean_of_products) {
  return rate * (dx - mean - x * mean_of_products);
}
COHORT_TEAM_FN int norm_divisor(NormForm form, int n) { return form == NormForm::standard ? n : n - 1; }

// u. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void norm_inputs(const Team& team, NormForm form, const Layer<Real>& l, const Input<Real>& x, int n) {
  Real* const out = l.u;
  const int ld = l.ld;
  if (form == NormForm::published) {
    affine(team, l, x, n, [=](int p, int u, Real v) { out[p * ld + u] = v; });
  } else {
    const Product<Real> products[1] = {{x.a, x.ld, 1, l.w_t, ld, l.d}};
    team.gemm(n, l.n, products, [=](int p, int u, Real v) { out[p * ld + u] = v; });
  }
}

// emit(p, u, g x + b). Ends synced.
template <class Team, class Real, class Emit>
COHORT_TEAM_FN void norm_outputs(const Team& team, const Layer<Real>& l, int n, Emit emit) {
  const Real *const x = l.u, *const g = l.g, *const b = l.b;
  const int ld = l.ld;
  team.for_each_2d(n, l.n, [=](int p, int u) { emit(p, u, g[u] * x[p * ld + u] + b[u]); });
  team.sync();
}

// The gradients of g and b as they stand outside of the norm; then dz becomes dL/dx. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void norm_affine_gradient(const Team& team, const Layer<Real>& l, int n, Real* dz,
                                         const Gradient<Real>& gradient) {
  const int ld = l.ld;
  const Real *const x = l.u, *const g = l.g;
  bias_gradient(team, l, n, dz, gradient);
  sum_positions(team, n, l.n, gradient.gain, [=](int p, int u) { return dz[p * ld + u] * x[p * ld + u]; });
  team.sync();
  team.for_each_2d(n, l.n, [=](int p, int u) { dz[p * ld + u] *= g[u]; });
  team.sync();
}

// Published form: what b gets from inside of the norm, dL/du summed over positions. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void norm_inner_bias(const Team& team, NormForm form, const Layer<Real>& l, int n, const Real* du,
                                    const Gradient<Real>& gradient) {
  const int ld = l.ld, parts = gradient.bias_parts;
  Real* const bias = gradient.bias;
  if (form == NormForm::published && bias)
    for (int p = 0; p < n; ++p) team.for_each(l.n, [=](int u) { bias[u * parts] += du[p * ld + u]; });
  team.sync();
}

}  // namespace cell
COHORT_END

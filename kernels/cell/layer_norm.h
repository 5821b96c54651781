// Layer normalisation (Ba, Kiros, Hinton 2016): every position's pre-activations are normalised over the layer's units.
#pragma once

#include "cell/norm.h"

COHORT_BEGIN
namespace cell {

struct layer_norm {
  static constexpr const char* doc = "pre-activations normalised over the units of a layer, times a gain";
  static constexpr ParameterisationId parameterisation = ParameterisationId::dense;

  template <class Team, class Real, class Emit>
  COHORT_TEAM_FN static void forward(const Team& team, NormForm form, const Layer<Real>& l, const Input<Real>& x, int n,
                                     Emit emit) {
    norm_inputs(team, form, l, x, n);
    const int units = l.n, ld = l.ld;
    for (int p = 0; p < n; ++p) {
      Real* const u = l.u + ptrdiff_t(p) * ld;
      const Real mean = team.template sum<Real>(units, [=](int i) { return u[i]; }) / Real(units);
      const Real squares = team.template sum<Real>(units, [=](int i) { return (u[i] - mean) * (u[i] - mean); });
      const Real rate = norm_rate(form, squares, units);
      team.for_each(units, [=](int i) { u[i] = (u[i] - mean) * rate; });
      if (team.lane() == 0) l.rate[p] = rate;
    }
    team.sync();
    norm_outputs(team, l, n, emit);
  }

  template <class Team, class Real>
  COHORT_TEAM_FN static void backward(const Team& team, NormForm form, const Layer<Real>& l, int n, Real* dz,
                                      const Scratch<Real>&, const Gradient<Real>& gradient) {
    norm_affine_gradient(team, l, n, dz, gradient);
    const int units = l.n, ld = l.ld, divisor = norm_divisor(form, units);
    for (int p = 0; p < n; ++p) {
      Real* const d = dz + ptrdiff_t(p) * ld;
      const Real* const x = l.u + ptrdiff_t(p) * ld;
      const Real mean = team.template sum<Real>(units, [=](int i) { return d[i]; }) / Real(units);
      const Real products = team.template sum<Real>(units, [=](int i) { return d[i] * x[i]; }) / Real(divisor);
      const Real rate = l.rate[p];
      team.for_each(units, [=](int i) { d[i] = norm_gradient(rate, d[i], mean, x[i], products); });
    }
    team.sync();
    norm_inner_bias(team, form, l, n, dz, gradient);
  }
};

}  // namespace cell
COHORT_END

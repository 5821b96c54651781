// One network of a cohort, and how its parameters become the core's weights and back.
#pragma once

#include "core/recurrent.h"
#include "program/dispatch.h"

COHORT_BEGIN

template <class Real>
struct Network {
  const NetSpec& spec;
  NetState& state;
  Real* theta;
  Real* momentum;
  Real* second_moment;  // or nullptr
  uint8_t* mask;        // or nullptr

  COHORT_TEAM_FN Network(const Cohort<Real>& c, int i)
      : spec(c.nets[i]),
        state(c.state[i]),
        theta(c.theta + size_t(i) * n_params(c.signature)),
        momentum(c.momentum ? c.momentum + size_t(i) * n_params(c.signature) : nullptr),
        second_moment(c.second_moment ? c.second_moment + size_t(i) * n_params(c.signature) : nullptr),
        mask(c.mask ? c.mask + size_t(i) * n_params(c.signature) : nullptr) {}
};

// The data are excitatory. Of the presynaptic units of a layer of another width than n_hidden, the same fraction is, rounded down.
COHORT_TEAM_FN parameterisation::Info tensor_info(const Signature& g, const NetSpec& spec, const Tensor& t) {
  if (t.layer == 0 && t.role != Role::recurrent) return {t.rows, t.cols, t.n_inhibitory, t.cols};
  const int excitatory =
      t.cols == g.n_hidden ? spec.n_excitatory : int(int64_t(t.cols) * spec.n_excitatory / g.n_hidden);
  return {t.rows, t.cols, t.n_inhibitory, excitatory};
}
template <class Real>
COHORT_TEAM_FN parameterisation::Parts<Real> tensor_parts(Real* theta, const Tensor& t) {
  return {theta + t.offset, theta + t.offset_ei, theta + t.offset_ix};
}

// Biases and dense layers are always dense.
COHORT_TEAM_FN ParameterisationId parameterisation_of(const NetSpec& spec, const Tensor& t) {
  return t.role == Role::bias || t.dense ? ParameterisationId::dense : spec.parameterisation;
}

// The leak of a tensor's weights: none of the readout and of dense layers.
COHORT_TEAM_FN double leak_of(const NetSpec& spec, const Tensor& t) {
  return t.role == Role::readout || t.dense ? 1 : spec.alpha;
}

// out(i, j, w) for every effective weight of tensor t.
template <class Team, class Real, class Out>
COHORT_TEAM_FN void for_each_effective(const Team& team, const Signature& g, const NetSpec& spec, const Tensor& t,
                                       Real* theta, Out out) {
  if (t.role == Role::bias) {
    const Real* const b = theta + t.offset;
    const int parts = t.cols;
    team.for_each(t.rows, [=](int i) {
      Real sum = b[i * parts];
      for (int k = 1; k < parts; ++k) sum += b[i * parts + k];
      out(i, 0, sum);
    });
    return;
  }
  with_parameterisation(parameterisation_of(spec, t),
                        [&](auto p) { p.assemble(team, tensor_info(g, spec, t), tensor_parts(theta, t), out); });
}

// theta -> the core's weights; the leak goes into them (core/recurrent.h). Padding is zeroed by clear_weights. Ends synced.
template <class Team, class Real>
COHORT_PHASE_FN void assemble(const Team& team, const Signature& g, const NetSpec& spec, Real* theta,
                              const RecurrentWeights<Real>& w) {
  const int ld = Team::template pad<Real>(g.n_hidden), ld_out = Team::template pad<Real>(g.n_out);
  const Real keep = Real(1 - spec.alpha);
  for (int l = 0; l < g.n_layers; ++l) {
    const auto layer = w.layer[l];
    const Real a = Real(leak_of(spec, tensor(g, input_tensor(l))));
    for_each_effective(team, g, spec, tensor(g, recurrent_tensor(l)), theta, [=](int i, int j, Real v) {
      const Real r = a * v + (i == j ? keep : Real(0));
      layer.r[i * ld + j] = r;
      layer.r_t[j * ld + i] = r;
    });
    for_each_effective(team, g, spec, tensor(g, input_tensor(l)), theta, [=](int i, int j, Real v) {
      layer.s_t[j * ld + i] = a * v;
      if (l > 0) layer.s[i * ld + j] = a * v;
    });
    for_each_effective(team, g, spec, tensor(g, bias_tensor(l)), theta,
                       [=](int i, int, Real v) { layer.c[i] = a * v; });
  }
  for_each_effective(team, g, spec, tensor(g, readout_tensor(g)), theta, [=](int o, int j, Real v) {
    w.v[o * ld + j] = v;
    w.v_t[j * ld_out + o] = v;
  });
  for_each_effective(team, g, spec, tensor(g, readout_bias_tensor(g)), theta, [=](int o, int, Real v) { w.d[o] = v; });
  if (const double offset = logit_offset(spec.task); offset != 0) {
    team.sync();
    const bool bias = g.bias;
    team.for_each(g.n_out, [=](int o) { w.d[o] = (bias ? w.d[o] : Real(0)) + Real(offset); });
  }
  team.sync();
}

// Gradients of the core's weights -> gradients of theta, in the layout of theta. Ends synced.
template <class Team, class Real>
COHORT_PHASE_FN void pull_back(const Team& team, const Signature& g, const NetSpec& spec, Real* theta,
                               const RecurrentWeights<Real>& dw, Real* gradient) {
  const int ld = Team::template pad<Real>(g.n_hidden);
  for (int k = 0; k < n_tensors(g); ++k) {
    const Tensor t = tensor(g, k);
    if (t.size() == 0) continue;
    const Real a = Real(leak_of(spec, t));
    with_parameterisation(parameterisation_of(spec, t), [&](auto p) {
      const auto info = tensor_info(g, spec, t);
      const auto from = tensor_parts(theta, t), to = tensor_parts(gradient, t);
      if (t.role == Role::readout) {
        p.pull_back(
            team, info, from, [=](int o, int j) { return dw.v[o * ld + j]; }, to);
      } else if (t.role == Role::recurrent) {
        const Real* const r = dw.layer[t.layer].r;
        p.pull_back(
            team, info, from, [=](int i, int j) { return a * r[i * ld + j]; }, to);
      } else if (t.role == Role::input) {
        const Real* const s_t = dw.layer[t.layer].s_t;
        p.pull_back(
            team, info, from, [=](int i, int j) { return a * s_t[j * ld + i]; }, to);
      } else {
        const bool last = t.layer == g.n_layers;
        const Real* const c = last ? dw.d : dw.layer[t.layer].c;
        const Real scale = last ? Real(1) : a;
        p.pull_back(
            team, info, from, [=](int i, int) { return scale * c[i]; }, to);
      }
    });
  }
  team.sync();
}

COHORT_END

// The start of one network: every tensor drawn from its own stream, so that networks of equal seed share what they can.
#pragma once

#include "program/network.h"

COHORT_BEGIN

// Of what is not weights: gains 1, alphas ln sqrt((2 pi - 1) / d) for a layer of d inputs (Cornford et al., ICLR 2021), biases 0
// or as InitSpec::input_mean has them; those that are drawn are draw_biases'.
COHORT_TEAM_FN double start_of(const Signature& g, const NetSpec& spec, const Tensor& t) {
  if (t.role == Role::gain) return 1;
  if (t.role == Role::alpha) return 0.5 * math::log(5.283185307179586 / double(layer_inputs(g, t.layer)));
  if (t.layer > 0 || spec.parameterisation != ParameterisationId::column_ei) return 0;
  const double gain = g.n_layers > 0 ? spec.init.input_gain : spec.init.readout_gain;
  return 0 - math::sqrt(double(g.n_in)) * gain * spec.init.input_mean;
}

// Biases as InitSpec::bias has them, but 0. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void draw_biases(const Team& team, const Signature& g, const NetSpec& spec, const Tensor& t,
                                const rng::Key& key, Real* b) {
  const bool recurrent = g.core == CoreId::recurrent && t.layer < g.n_layers && !t.dense;
  const bool split = spec.init.bias == BiasStart::split;
  const int fan = recurrent ? t.rows : layer_inputs(g, t.layer), parts = t.cols;
  const Real bound = Real(1) / math::sqrt(Real(fan)), most = math::sqrt(Real(2)) * bound;
  team.for_each(int(t.size()), [=](int i) {
    const Real u = rng::to_uniform<Real>(key.words(uint32_t(i)).w[0]);
    b[i] = !split ? bound * (Real(2) * u - Real(1)) : i % parts % 2 ? -most * u : most * u;
  });
  team.sync();
}

// Input weights of the dense layers after recurrent ones, whatever those start from; gain 1.
inline constexpr DistributionId dense_layer_start = DistributionId::uniform_fan_in;

template <class Team, class Real>
COHORT_TEAM_FN void initialise_network(const Team& team, const InitArgs<Real>& a, int i, void*) {
  const Signature& g = a.cohort.signature;
  const Network<Real> net(a.cohort, i);
  const NetSpec& spec = net.spec;
  for (int k = 0; k < n_tensors(g); ++k) {
    const Tensor t = tensor(g, k);
    if (t.size() == 0) continue;
    Real* const w = net.theta + t.offset;
    const rng::Key key(spec.seed, t.role == Role::recurrent ? 0 : spec.pairing_salt, rng::stream_weights, uint32_t(k),
                       0);
    if (t.role == Role::bias && spec.init.bias != BiasStart::zero) {
      draw_biases(team, g, spec, t, key, w);
      continue;
    }
    if (!is_weights(t.role)) {
      const Real start = Real(start_of(g, spec, t));
      team.for_each(int(t.size()), [=](int j) { w[j] = start; });
      team.sync();
      continue;
    }
    const DistributionId id = t.dense                     ? dense_layer_start
                              : t.role == Role::recurrent ? spec.init.recurrent
                              : t.role == Role::input     ? spec.init.input
                                                          : spec.init.readout;
    const double gain = t.dense                     ? 1
                        : t.role == Role::recurrent ? spec.init.gain
                        : t.role == Role::input     ? spec.init.input_gain
                                                    : spec.init.readout_gain;
    const parameterisation::Info info = tensor_info(g, spec, t);
    const init::Draw draw{key,
                          t.rows,
                          t.cols,
                          t.n_inhibitory,
                          g.n_layers > 0 ? g.n_hidden : t.cols,
                          t.role,
                          gain,
                          spec.init.mean_over_sd,
                          info.n_excitatory,
                          spec.init.iid_inhibition != 0,
                          t.layer,
                          spec.init.zero_diagonal != 0};
    with_distribution(id, [&](auto distribution) { distribution.draw(team, draw, tensor_parts(net.theta, t)); });
    if (parameterisation_of(spec, t) == ParameterisationId::column_ei) {
      team.for_each(t.rows * t.cols, [=](int j) { w[j] = math::abs(w[j]); });
      team.sync();
    }
  }
  if (net.mask) {
    uint8_t* const mask = net.mask;
    team.for_each(int(n_params(g)), [=](int j) { mask[j] = 1; });
    team.sync();
    for (int l = 0; l < g.n_layers && spec.init.density < 1; ++l) {
      const Tensor t = tensor(g, recurrent_tensor(l));
      const rng::Key key(spec.seed, 0, rng::stream_mask, uint32_t(l), 0);
      const float density = float(spec.init.density);
      Real* const w = net.theta;
      team.for_each(t.rows * t.cols, [=](int j) {
        const bool present = rng::to_uniform<float>(key.words(uint32_t(j)).w[0]) < density;
        mask[t.offset + size_t(j)] = present;
        if (!present) w[t.offset + size_t(j)] = Real(0);
      });
      team.sync();
    }
  }
  if (team.lane() == 0) net.state = NetState{};
  team.sync();
}

COHORT_END

// The start of one network: every tensor drawn from its own stream, so that networks of equal seed share what they can.
#pragma once

#include "program/network.h"

COHORT_BEGIN

template <class Team, class Real>
COHORT_TEAM_FN void initialise_network(const Team& team, const InitArgs<Real>& a, int i, void*) {
  const Signature& g = a.cohort.signature;
  const Network<Real> net(a.cohort, i);
  const NetSpec& spec = net.spec;
  for (int k = 0; k < n_tensors(g); ++k) {
    const Tensor t = tensor(g, k);
    Real* const w = net.theta + t.offset;
    if (t.role == Role::bias) {
      team.for_each(int(t.size()), [=](int j) { w[j] = Real(0); });
      team.sync();
      continue;
    }
    const DistributionId id = t.role == Role::recurrent ? spec.init.recurrent
                              : t.role == Role::input   ? spec.init.input
                                                        : spec.init.readout;
    const double gain = t.role == Role::recurrent ? spec.init.gain
                        : t.role == Role::input   ? spec.init.input_gain
                                                  : spec.init.readout_gain;
    const rng::Key key(spec.seed, t.role == Role::recurrent ? 0 : spec.pairing_salt, rng::stream_weights, uint32_t(k),
                       0);
    const parameterisation::Info info = tensor_info(spec, t);
    const init::Draw draw{key,
                          t.rows,
                          t.cols,
                          t.n_inhibitory,
                          g.n_hidden,
                          t.role,
                          gain,
                          spec.init.mean_over_sd,
                          info.n_excitatory,
                          spec.init.iid_inhibition != 0,
                          spec.init.zero_diagonal != 0};
    with_distribution(id, [&](auto distribution) { distribution.draw(team, draw, tensor_parts(net.theta, t)); });
    if (spec.parameterisation == ParameterisationId::column_ei) {
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

// The recurrent core (core/recurrent.h) for a block of the tensor-core program. A network whose numbers leave the range of
// fp16 does the step again in bf16x3, and all steps from then on.
#pragma once

#include "cuda/tuned/mma/backward.h"
#include "program/step.h"

COHORT_BEGIN

template <int N, int n_planes>
COHORT_TEAM_FN void recurrent_forward(const MmaTeam<N, n_planes>& team, const Signature& g,
                                      const RecurrentWeights<float>& w, ActivationId activation, Extent extent,
                                      const float* x, float* h, bool noisy, float* y) {
  using Team = MmaTeam<N, n_planes>;
  if (team.wide) {
    load_omega<MmaWide>(team, g, w);
    mma_forward<MmaWide>(team, g, activation, extent, x, noisy ? h : nullptr, w.d, y);
  } else {
    load_omega<typename Team::Narrow>(team, g, w);
    mma_forward<typename Team::Narrow>(team, g, activation, extent, x, noisy ? h : nullptr, w.d, y);
  }
}

template <int N, int n_planes>
COHORT_TEAM_FN void recurrent_learn(const MmaTeam<N, n_planes>& team, const Signature& g,
                                    const RecurrentWeights<float>&, ActivationId activation, Extent extent,
                                    const float* x, float*, const float* e, float*, const RecurrentWeights<float>& dw) {
  if (team.wide)
    mma_backward<MmaWide>(team, g, activation, extent, x, e, dw);
  else if (!*team.memory().left)
    mma_backward<typename MmaTeam<N, n_planes>::Narrow>(team, g, activation, extent, x, e, dw);
  readout_bias_gradient(team, g, extent, e, dw);
}

template <int N, int n_planes>
COHORT_TEAM_FN float loss_and_gradient(const MmaTeam<N, n_planes>& block, const Signature& g, const Network<float>& net,
                                       bool classes, int rows, const Workspace<float>& w, bool noisy, uint64_t step) {
  using Team = MmaTeam<N, n_planes>;
  Team team = block;
  team.wide = net.state.overflowed_at >= 0;
  const auto attempt = [&] { return loss_and_gradient<Team, float>(team, g, net, classes, rows, w, noisy, step); };
  const float loss = attempt();
  if (team.wide || !*Team::memory().left) return loss;  // not written again before all lanes have met
  if (team.lane() == 0) net.state.overflowed_at = int64_t(step);
  team.wide = true;
  return attempt();
}

COHORT_END

// The weights of one tensor as the core sees them.
#pragma once

#include "program/network.h"

COHORT_BEGIN

// Signs and inhibition applied, parts of biases added, the leak not. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void effective_network(const Team& team, const EffectiveArgs<Real>& a, int i, void*) {
  const Network<Real> net(a.cohort, i);
  const Tensor t = tensor(a.cohort.signature, a.tensor);
  Real* const out = a.weights + size_t(i) * size_t(t.rows) * size_t(effective_cols(t));
  const int cols = effective_cols(t);
  for_each_effective(team, a.cohort.signature, net.spec, t, net.theta,
                     [=](int r, int c, Real v) { out[r * cols + c] = v; });
  team.sync();
}

COHORT_END

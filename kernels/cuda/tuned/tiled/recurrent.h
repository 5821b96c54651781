// The recurrent core (core/recurrent.h) for a block of the tiled program: same arrays, same results but for the order of sums.
#pragma once

#include "cuda/tuned/tiled/backward.h"
#include "cuda/tuned/tiled/forward.h"

COHORT_BEGIN

COHORT_TEAM_FN int n_panels(const TileTeam& team, int rows) {
  return (rows + team.shape.rows() - 1) / team.shape.rows();
}

template <class Real>
COHORT_TEAM_FN void recurrent_forward(const TileTeam& team, const Signature& g, const RecurrentWeights<Real>& w,
                                      ActivationId activation, Extent extent, const Real* x, Real* h, bool noisy,
                                      Real* y) {
  for (int l = 0; l < g.n_layers; ++l) {
    for (int panel = 0; panel < n_panels(team, extent.rows); ++panel)
      if (team.shape.resident)
        tile_forward<true>(team, g, w, l, activation, extent, panel, x, h, noisy, y);
      else
        tile_forward<false>(team, g, w, l, activation, extent, panel, x, h, noisy, y);
    team.sync();  // states are read by all lanes
  }
}

template <class Real>
COHORT_TEAM_FN void recurrent_learn(const TileTeam& team, const Signature& g, const RecurrentWeights<Real>& w,
                                    ActivationId activation, Extent extent, const Real* x, Real* h, const Real* e,
                                    Real* delta, const RecurrentWeights<Real>& dw) {
  for (int l = g.n_layers - 1; l >= 0; --l) {
    for (int panel = 0; panel < n_panels(team, extent.rows); ++panel)
      if (team.shape.resident)
        tile_backward<true>(team, g, w, l, activation, extent, panel, x, h, e, delta, dw);
      else
        tile_backward<false>(team, g, w, l, activation, extent, panel, x, h, e, delta, dw);
    team.sync();
  }
  readout_bias_gradient(team, g, extent, e, dw);
}

COHORT_END

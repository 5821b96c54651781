// The forward pass of the tiled program: h_1..h_T of a layer, and the logits of the last one. A step is one product on
// register tiles, h_t in shared memory, two barriers and the activation.
#pragma once

#include "cuda/tuned/tiled/pass.h"
#include "cuda/tuned/tiled/weights.h"

COHORT_BEGIN

// y of step t for the panel's rows, from h_{t+1} in p.memory.state and V in p.memory.sums: the warps of one column of
// tiles, in turn from step to step, a lane a row.
COHORT_TEAM_FN void tile_readout(const TilePass& p, int t) {
  if (t % (p.cols / TileShape::tile) != p.place.col_warp) return;
  const int row = TileShape::tile * p.place.row_warp + CtaTeam::lane() % 32, n_out = p.plan->n_out, ld = p.plan->ld;
  const float* const h = p.memory.state + row * p.stride();
  float* const y = p.plan->y + ptrdiff_t(t) * p.plan->rows + row;
  for (int o = 0; o < n_out; o += 4) {
    const float* v = p.memory.sums + o * p.cols;
    float sum[4] = {};
    for (int k = 0; k < ld; k += 4) {
      const Quad<float> a = load_quad(h + k);
      COHORT_UNROLL
      for (int i = 0; i < 4; ++i) {
        const Quad<float> b = load_quad(v + i * p.cols + k);
        COHORT_UNROLL
        for (int j = 0; j < 4; ++j) sum[i] += a.v[j] * b.v[j];
      }
    }
    COHORT_UNROLL
    for (int i = 0; i < 4; ++i)
      if (o + i < n_out && row < p.plan->n_rows) y[(o + i) * p.plan->n_positions] = sum[i] + p.plan->d[o + i];
  }
}

template <bool resident>
COHORT_PHASE_FN void tile_forward(const TileTeam& team, const Signature& g, const RecurrentWeights<float>& w, int l,
                                  ActivationId activation, Extent extent, int panel, const float* x, float* h,
                                  bool noisy, float* y) {
  team.sync();  // nobody is in the pass before
  const TilePass p = TilePass::current(team, g);
  if (team.lane() == 0) {
    TilePlan* const plan = TilePass::shared_plan();
    TilePass::fill(team, g, l, activation, extent, panel, x, h, plan);
    plan->y = plan->last ? y + panel * team.shape.rows() : nullptr;
    plan->c = w.layer[l].c;
    plan->d = w.d;
    plan->side_stride = plan->first ? tile_stride(g.n_in) : p.stride();
    plan->noisy = noisy;
    plan->weights[0] = {w.layer[l].r_t, g.n_hidden};
    plan->weights[1] = {w.layer[l].s_t, plan->first ? g.n_in : g.n_hidden};
  }
  team.sync();
  const auto copy_side = [&](int t) {
    if (p.plan->first)
      p.copy_inputs(p.side(t), t);
    else
      p.copy_states(p.side(t), p.plan->below, t);
    ptx::cp_async_commit();
  };

  copy_side(0);
  TileWeights<resident> weights(p);
  weights.load();
  float* const state = p.memory.state;
  p.clear(state, p.tile_rows() * p.stride());  // h_0
  if (p.plan->last) {                          // V, its rows padded to a multiple of 4
    const int cols = p.cols, ld = p.plan->ld, n_out = g.n_out;
    const float* const from = w.v;
    float* const v = p.memory.sums;
    team.for_each_2d((n_out + 3) / 4 * 4, cols,
                     [=](int o, int u) { v[o * cols + u] = o < n_out && u < ld ? from[o * ld + u] : 0.0f; });
  }
  weights.wait_for_copies();
  team.sync();

  for (int t = 0; t < p.plan->steps; ++t) {
    if (t + 1 < p.plan->steps) copy_side(t + 1);
    Tile tile;
    weights.multiply(tile, p, t);
    weights.wait_for_copies();
    team.sync();  // everybody has read h_t
    const float* const c = p.plan->c;
    float* const out = p.plan->h + (t + 1) * p.plan->slot;
    Quad<float> bias[2] = {};
    COHORT_UNROLL
    for (int half = 0; half < 2; ++half)
      if (p.place.first_col + 16 * half < p.plan->ld) bias[half] = load_quad(c + p.place.first_col + 16 * half);
    with_activation(p.plan->activation, [&](auto f) {
      p.for_each_quad([&](int r, int half, int in_tile, int in_states, bool there) {
        Quad<float> z = tile.quad(r, half), noise = {};
        if (p.plan->noisy && there) noise = load_quad(out + in_states);
        COHORT_UNROLL
        for (int i = 0; i < 4; ++i) z.v[i] = f.value(z.v[i] + bias[half].v[i] + noise.v[i]);
        store_quad(state + in_tile, z);
        if (there) store_quad(out + in_states, z);
      });
    });
    team.sync();  // h_{t+1} is complete
    if (p.plan->last && t >= p.plan->first_logits) tile_readout(p, t);
  }
  ptx::cp_async_wait<0>();
}

COHORT_END

// The backward pass of the tiled program: deltas of a layer from T down to 1, and the gradients of all its weights. The
// sequence is cut into chunks of steps; gradients of n x n weights follow each chunk, the narrow ones are summed on the way.
#pragma once

#include "cuda/tuned/tiled/gradients.h"
#include "cuda/tuned/tiled/weights.h"

COHORT_BEGIN

// Rows: inputs, bias, readout.
COHORT_TEAM_FN NarrowSums narrow_sums(const TilePass& p) {
  return {p.memory.sums, p.plan->n_in + 1 + p.plan->n_out, p.cols};
}

// The plan of the pass; resident weights are under way, delta_T and the sums are 0.
template <bool resident>
COHORT_PHASE_FN void begin_backward(const TileTeam& team, const Signature& g, const RecurrentWeights<float>& w, int l,
                                    ActivationId activation, Extent extent, int panel, const float* x, float* h,
                                    const float* e, float* delta, const RecurrentWeights<float>& dw) {
  team.sync();  // nobody is in the pass before
  const TilePass p = TilePass::current(team, g);
  if (team.lane() == 0) {
    TilePlan* const plan = TilePass::shared_plan();
    TilePass::fill(team, g, l, activation, extent, panel, x, h, plan);
    const int first_row = panel * team.shape.rows();
    plan->e = e + first_row;
    plan->delta = delta + l * plan->slot * plan->steps + ptrdiff_t(first_row) * plan->ld;
    plan->above = plan->delta + plan->slot * plan->steps;
    plan->weights[0] = {w.layer[l].r, g.n_hidden};
    plan->weights[1] = {plan->last ? w.v : w.layer[l + 1].s, plan->last ? g.n_out : g.n_hidden};
    plan->product[0] = {plan->delta, plan->h, dw.layer[l].r};
    plan->product[1] = {plan->below, plan->delta, dw.layer[l].s_t};
    plan->ds_t = dw.layer[l].s_t;
    plan->dc = dw.layer[l].c;
    plan->dv = dw.v;
    plan->side_stride = plan->last ? tile_stride(g.n_out) : p.stride();
  }
  team.sync();
  if constexpr (resident) TileWeights<true>(p).load();
  p.clear(p.memory.state, p.tile_rows() * p.stride());
  p.clear(p.memory.sums, p.plan->row_warps * narrow_sums(p).n * p.cols);
}

// delta_t for t in [t0, t1), from the last on.
template <bool resident>
COHORT_PHASE_FN void backward_steps(const TileTeam& team, const Signature& g, int t0, int t1) {
  const TilePass pass = TilePass::current(team, g);
  float* const state = pass.memory.state;
  const auto copy_side = [](const TilePass& p, int t) {
    if (p.plan->last)
      p.copy_errors(p.side(t), t);
    else
      p.copy_states(p.side(t), p.plan->above, t);
    if (p.plan->first) p.copy_inputs(p.input(t), t);
    ptx::cp_async_commit();
  };
  const auto copy_slope = [](const TilePass& p, int t) {  // each lane what it will read itself
    const float* const from = p.plan->h + (t + 1) * p.plan->slot;
    p.for_each_quad([&](int, int, int in_tile, int in_states, bool there) {
      const float* const source = there ? from + in_states : from;
      ptx::cp_async_16(p.memory.slope + in_tile, source, there);
    });
    ptx::cp_async_commit();
  };

  copy_side(pass, t1 - 1);
  copy_slope(pass, t1 - 1);
  TileWeights<resident> weights(pass);
  if constexpr (!resident) weights.load();
  weights.wait_for_copies();
  team.sync();
  for (int t = t1 - 1; t >= t0; --t) {
    if (t > t0) copy_side(pass, t - 1);
    Tile tile;
    weights.multiply(tile, pass, t);
    weights.wait_for_copies();
    team.sync();  // everybody has read delta_{t+1}
    const TilePass p = pass.anew();
    float states[4][8];
    p.for_each_quad([&](int r, int half, int in_tile, int, bool) {
      const Quad<float> q = load_quad(p.memory.slope + in_tile);
      COHORT_UNROLL
      for (int c = 0; c < 4; ++c) states[r][4 * half + c] = q.v[c];
    });
    if (p.plan->last) {
      const int next = 8 * p.plan->side_stride;
      const float* const errors = p.side(t) + p.place.first_row * p.plan->side_stride;
      for (int o = 0; o < p.plan->n_out; ++o)
        narrow_sums(p).add(p.place, p.plan->n_in + 1 + o, states, [=](int r) { return errors[r * next + o]; });
    }
    with_activation(p.plan->activation, [&](auto f) {
      COHORT_UNROLL
      for (int r = 0; r < 4; ++r) {
        COHORT_UNROLL
        for (int c = 0; c < 8; ++c) tile.v[r][c] *= f.slope(states[r][c]);
      }
    });
    float* const out = p.plan->delta + t * p.plan->slot;
    p.for_each_quad([&](int r, int half, int in_tile, int in_states, bool there) {
      const Quad<float> d = tile.quad(r, half);
      store_quad(state + in_tile, d);
      if (there) store_quad(out + in_states, d);
    });
    if (p.plan->first) {
      const int stride = tile_stride(p.plan->n_in);
      const float* const inputs = p.input(t) + p.place.first_row * stride;
      for (int i = 0; i < p.plan->n_in; ++i)
        narrow_sums(p).add(p.place, i, tile.v, [=](int r) { return inputs[8 * r * stride + i]; });
    }
    if (p.plan->bias) narrow_sums(p).add(p.place, p.plan->n_in, tile.v, [](int) { return 1.0f; });
    if (t > t0) copy_slope(p, t - 1);
    team.sync();  // delta_t is complete
  }
  ptx::cp_async_wait<0>();
}

// Adds the narrow gradients to the network's.
COHORT_PHASE_FN void finish_backward(const TileTeam& team, const Signature& g) {
  const TilePass p = TilePass::current(team, g);
  const TilePlan& plan = *p.plan;
  const auto flush = [&](int i, float* out) { narrow_sums(p).flush(plan.row_warps, i, plan.ld, out); };
  if (plan.first)
    for (int i = 0; i < plan.n_in; ++i) flush(i, plan.ds_t + i * plan.ld);
  if (plan.bias) flush(plan.n_in, plan.dc);
  if (plan.last)
    for (int o = 0; o < plan.n_out; ++o) flush(plan.n_in + 1 + o, plan.dv + o * plan.ld);
}

template <bool resident>
COHORT_TEAM_FN void tile_backward(const TileTeam& team, const Signature& g, const RecurrentWeights<float>& w, int l,
                                  ActivationId activation, Extent extent, int panel, const float* x, float* h,
                                  const float* e, float* delta, const RecurrentWeights<float>& dw) {
  const int chunk = (CtaTeam::gradient_rows + team.shape.rows() - 1) / team.shape.rows();
  begin_backward<resident>(team, g, w, l, activation, extent, panel, x, h, e, delta, dw);
  for (int end = extent.steps; end > 0; end -= chunk) {
    const int start = end > chunk ? end - chunk : 0;
    backward_steps<resident>(team, g, start, end);
    tile_gradients(team, g, 0, start, end);
    if (l > 0) tile_gradients(team, g, 1, start, end);
  }
  finish_backward(team, g);
}

COHORT_END

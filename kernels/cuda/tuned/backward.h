// The backward pass of the tiled program: deltas of a layer from T down to 1, and the gradients of all its weights.
#pragma once

#include "cuda/tuned/gradients.h"
#include "cuda/tuned/weights.h"

COHORT_BEGIN

template <bool resident>
COHORT_PHASE_FN void tile_backward(const TileTeam& team, const Signature& g, const RecurrentWeights<float>& w, int l,
                                   ActivationId activation, Extent extent, int panel, const float* x, float* h,
                                   const float* e, float* delta, const RecurrentWeights<float>& dw) {
  TilePlan* plan;
  const TilePass p = TilePass::begin(team, g, &plan);
  if (team.lane() == 0) {
    TilePass::fill(team, g, l, activation, extent, panel, x, h, plan);
    const int first_row = panel * team.shape.rows();
    plan->e = e + first_row;
    plan->delta = delta + l * plan->slot * plan->steps + ptrdiff_t(first_row) * plan->ld;
    plan->above = plan->delta + plan->slot * plan->steps;
    plan->dr = dw.layer[l].r;
    plan->ds_t = dw.layer[l].s_t;
    plan->dc = dw.layer[l].c;
    plan->dv = dw.v;
    plan->side_stride = plan->last ? tile_stride(g.n_out) : p.stride();
    plan->chunk = (CtaTeam::gradient_rows + team.shape.rows() - 1) / team.shape.rows();
  }
  team.sync();
  const auto narrow = [&] {  // rows: inputs, bias, readout
    return NarrowSums{p.memory.sums, p.plan->n_in + 1 + p.plan->n_out, p.cols};
  };
  const auto copy_side = [&](int t) {
    if (p.plan->last)
      p.copy_errors(p.side(t), t);
    else
      p.copy_states(p.side(t), p.plan->above, t);
    if (p.plan->first) p.copy_inputs(p.input(t), t);
    ptx::cp_async_commit();
  };
  const auto copy_slope = [&](int t) {  // each lane what it will read itself
    const float* const from = p.plan->h + (t + 1) * p.plan->slot;
    p.for_each_quad([&](int, int, int in_tile, int in_states, bool there) {
      const float* const source = there ? from + in_states : from;
      ptx::cp_async_16(p.memory.slope + in_tile, source, there);
    });
    ptx::cp_async_commit();
  };

  copy_side(extent.steps - 1);
  copy_slope(extent.steps - 1);
  WeightOperand above = {w.v, g.n_out};
  if (!p.plan->last) above = {w.layer[l + 1].s, g.n_hidden};
  TileWeights<resident> weights(team.shape, p.memory.weights, p.plan->ld, {w.layer[l].r, g.n_hidden}, above);
  float* const state = p.memory.state;
  p.clear(state, p.tile_rows() * p.stride());  // delta_T
  p.clear(p.memory.sums, p.plan->row_warps * narrow().n * p.cols);
  weights.wait_for_copies();
  team.sync();

  for (int t = p.plan->steps - 1; t >= 0; --t) {
    if (t > 0) copy_side(t - 1);
    Tile tile;
    weights.multiply(tile, state + p.place.first_row * p.stride(), p.stride(),
                     p.side(t) + p.place.first_row * p.plan->side_stride, p.plan->side_stride, p.place.first_col);
    weights.wait_for_copies();
    team.sync();  // everybody has read delta_{t+1}
    float states[4][8];
    p.for_each_quad([&](int r, int half, int in_tile, int, bool) {
      const Quad q = load_quad(p.memory.slope + in_tile);
      COHORT_UNROLL
      for (int c = 0; c < 4; ++c) states[r][4 * half + c] = q.v[c];
    });
    if (p.plan->last) {
      const int next = 8 * p.plan->side_stride;
      const float* const errors = p.side(t) + p.place.first_row * p.plan->side_stride;
      for (int o = 0; o < p.plan->n_out; ++o)
        narrow().add(p.place, p.plan->n_in + 1 + o, states, [&](int r) { return errors[r * next + o]; });
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
      const Quad d = tile.quad(r, half);
      store_quad(state + in_tile, d);
      if (there) store_quad(out + in_states, d);
    });
    if (p.plan->first) {
      const int stride = tile_stride(p.plan->n_in);
      const float* const inputs = p.input(t) + p.place.first_row * stride;
      for (int i = 0; i < p.plan->n_in; ++i)
        narrow().add(p.place, i, tile.v, [&](int r) { return inputs[8 * r * stride + i]; });
    }
    if (p.plan->bias) narrow().add(p.place, p.plan->n_in, tile.v, [](int) { return 1.0f; });
    if (t % p.plan->chunk == 0) {
      const int end = t + p.plan->chunk < p.plan->steps ? t + p.plan->chunk : p.plan->steps;
      for (int product = 0; product < (p.plan->first ? 1 : 2); ++product)
        tile_gradients(p, product == 0 ? p.plan->delta : p.plan->below, product == 0 ? p.plan->h : p.plan->delta, t,
                       end, product == 0 ? p.plan->dr : p.plan->ds_t);
    }
    if (t > 0) copy_slope(t - 1);
    team.sync();  // delta_t is complete
  }
  ptx::cp_async_wait<0>();
  const TilePlan& done = *p.plan;
  const auto flush = [&](int i, float* out) { narrow().flush(done.row_warps, i, done.ld, out); };
  if (done.first)
    for (int i = 0; i < done.n_in; ++i) flush(i, done.ds_t + i * done.ld);
  if (done.bias) flush(done.n_in, done.dc);
  if (done.last)
    for (int o = 0; o < done.n_out; ++o) flush(done.n_in + 1 + o, done.dv + o * done.ld);
}

COHORT_END

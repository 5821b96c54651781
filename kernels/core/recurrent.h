// The recurrent core: h_t = f(R h_{t-1} + S x_t + c), y_t = V h_t + d, layer after layer over the whole sequence, with
// R = (1 - a) I + a W, S = a U, c = a b: the leak is folded into the weights when they are assembled (h_{-1} = 0), and
// into their gradients when they are pulled back. The last Signature::n_dense layers are dense: h_t = f(S x_t + c), no R and no
// noise. The core knows nothing of parameters, rules or tasks.
//
// Layouts, row-major: inputs x [T][rows][n_in]; states h [layers][T+1][rows][ld], slot 0 = h_{-1}; delta [layers][T][rows][ld]
// = dL/d(pre-activation); logits and errors y [n_out][T][rows].
#pragma once

#include "core/activation.h"
#include "team/arena.h"
#include "team/product.h"

COHORT_BEGIN

// Effective weights of one network or their gradients, with the leading dimensions that gemm wants.
template <class Real>
struct RecurrentWeights {
  struct Layer {
    Real *r, *r_t;  // R [n][ld] and its transpose; gradients use r only; nullptr of a dense layer
    Real *s, *s_t;  // S [n][ld] (layers > 0) and S^T [n_in of the layer][ld]; gradients use s_t only
    Real* c;        // [ld]
  };
  static constexpr int max_layers = 8;
  Layer layer[max_layers];
  Real *v, *v_t, *d;  // V [n_out][ld], V^T [n][ld_out], d [n_out]

  template <class Team>
  COHORT_FN static RecurrentWeights carve(Arena& arena, const Signature& g, bool gradients) {
    const size_t n = size_t(g.n_hidden), ld = size_t(Team::template pad<Real>(g.n_hidden));
    RecurrentWeights w{};
    for (int l = 0; l < g.n_layers; ++l) {
      const size_t n_in = size_t(l == 0 ? g.n_in : g.n_hidden);
      const bool recurrent = !is_dense_layer(g, l);
      if (recurrent) w.layer[l].r = arena.take<Real>(n * ld);
      w.layer[l].s_t = arena.take<Real>(n_in * ld);
      w.layer[l].c = arena.take<Real>(ld);
      if (!gradients) {
        if (recurrent) w.layer[l].r_t = arena.take<Real>(n * ld);
        if (l > 0) w.layer[l].s = arena.take<Real>(n * ld);
      }
    }
    w.v = arena.take<Real>(size_t(g.n_out) * ld);
    w.d = arena.take<Real>(size_t(Team::template pad<Real>(g.n_out)));
    if (!gradients) w.v_t = arena.take<Real>(n * size_t(Team::template pad<Real>(g.n_out)));
    return w;
  }
};

// A sequence of states: element (t, row, unit) at data[(t * rows + row) * ld + unit]; row_stride 0 shows one row to all.
template <class Real>
struct States {
  Real* data;
  ptrdiff_t step, row;
  COHORT_FORCE_INLINE Real* at(int t, int r) const { return data + t * step + r * row; }
};

struct Extent {
  int rows, steps, first;  // batch rows, time steps, first step that has logits
};

// y for steps >= extent.first from the last layer's states.
template <class Team, class Real>
COHORT_TEAM_FN void recurrent_readout(const Team& team, const Signature& g, const RecurrentWeights<Real>& w,
                                      Extent extent, const Real* h, Real* y) {
  const int n = g.n_hidden, rows = extent.rows, ld = Team::template pad<Real>(n),
            ld_out = Team::template pad<Real>(g.n_out);
  const ptrdiff_t slot = ptrdiff_t(rows) * ld, layer_size = slot * (extent.steps + 1);
  const int first = extent.first * rows, n_positions = extent.steps * rows;
  const Product<Real> readout = {
      h + (g.n_layers - 1) * layer_size + slot + ptrdiff_t(first) * ld, ld, 1, w.v_t, ld_out, n};
  const Real* const d = w.d;
  team.gemm_narrow(n_positions - first, g.n_out, readout, w.v, ld,
                   [=](int r, int o, Real z) { y[ptrdiff_t(o) * n_positions + first + r] = z + d[o]; });
}

// Fills h (slots 1..T; those of recurrent layers hold the noise to add when `noisy`) and y for steps >= extent.first.
template <class Team, class Real>
COHORT_PHASE_FN void recurrent_forward(const Team& team, const Signature& g, const RecurrentWeights<Real>& w,
                                       ActivationId activation, Extent extent, const Real* x, Real* h, bool noisy,
                                       Real* y) {
  const int n = g.n_hidden, rows = extent.rows, ld = Team::template pad<Real>(n);
  const ptrdiff_t slot = ptrdiff_t(rows) * ld, layer_size = slot * (extent.steps + 1);
  for (int l = 0; l < g.n_layers; ++l) {
    const auto& layer = w.layer[l];
    Real* const hl = h + l * layer_size;
    const int n_in = l == 0 ? g.n_in : n;
    const Real* const in = l == 0 ? x : h + (l - 1) * layer_size + slot;
    const ptrdiff_t in_row = l == 0 ? n_in : ld;
    const bool recurrent = !is_dense_layer(g, l);
    const Real* const r_t = recurrent ? layer.r_t : layer.s_t;  // a product of nothing needs an address as well
    with_activation(activation, [&](auto f) {
      for (int t = 0; t < extent.steps; ++t) {
        const Product<Real> products[2] = {{hl + t * slot, ld, 1, r_t, ld, recurrent && t > 0 ? n : 0},
                                           {in + t * rows * in_row, in_row, 1, layer.s_t, ld, n_in}};
        Real* const out = hl + (t + 1) * slot;
        const Real* const c = layer.c;
        if (noisy && recurrent)
          team.gemm(rows, n, products,
                    [=](int r, int u, Real z) { out[r * ld + u] = f.value(z + c[u] + out[r * ld + u]); });
        else
          team.gemm(rows, n, products, [=](int r, int u, Real z) { out[r * ld + u] = f.value(z + c[u]); });
        team.round_operands(out, rows * ld);
      }
    });
  }
  recurrent_readout(team, g, w, extent, h, y);
}

// delta of every layer from the errors e [n_out][T][rows] (0 before extent.first), last layer first. `states(l)` gives the
// states of layer l, slot 0 = h_{-1}. After the deltas of (l, t) are known, done(l, t) is called by every lane.
template <class Team, class Real, class StatesOf, class Done>
COHORT_PHASE_FN void recurrent_backward(const Team& team, const Signature& g, const RecurrentWeights<Real>& w,
                                        ActivationId activation, Extent extent, const Real* e, StatesOf states,
                                        Real* delta, Done done) {
  const int n = g.n_hidden, rows = extent.rows, ld = Team::template pad<Real>(n);
  const ptrdiff_t slot = ptrdiff_t(rows) * ld, layer_size = slot * extent.steps,
                  n_positions = ptrdiff_t(extent.steps) * rows;
  for (int l = g.n_layers - 1; l >= 0; --l) {
    const bool last = l == g.n_layers - 1;
    Real* const dl = delta + l * layer_size;
    const States<Real> h = states(l);
    const bool recurrent = !is_dense_layer(g, l);
    const Real* const w_r = recurrent ? w.layer[l].r : w.layer[l].s_t;
    with_activation(activation, [&](auto f) {
      for (int t = extent.steps - 1; t >= 0; --t) {
        const int k = recurrent && t + 1 < extent.steps ? n : 0;
        const Product<Real> from_next = {dl + (t + 1) * slot, ld, 1, w_r, ld, k};
        const Product<Real> from_above =
            last ? Product<Real>{e + t * rows, 1, n_positions, w.v, ld, t >= extent.first ? g.n_out : 0}
                 : Product<Real>{delta + (l + 1) * layer_size + t * slot, ld, 1, w.layer[l + 1].s, ld, n};
        const Product<Real> products[2] = {from_next, from_above};
        Real* const out = dl + t * slot;
        team.gemm(rows, n, products, [=](int r, int u, Real z) { out[r * ld + u] = z * f.slope(h.at(t + 1, r)[u]); });
        team.round_operands(out, rows * ld);
        done(l, t);
      }
    });
  }
}

// The part of recurrent_gradients that is not a product with n columns and rows: bias, and the readout with the last layer.
// hl: states of layer l, slot 0 = h_{-1}; dl: its deltas from step t0 on.
template <class Team, class Real>
COHORT_TEAM_FN void narrow_gradients(const Team& team, const Signature& g, Extent extent, int l, int t0, int t1,
                                     const Real* hl, const Real* e, const Real* dl, const RecurrentWeights<Real>& dw) {
  const int n = g.n_hidden, rows = extent.rows, ld = Team::template pad<Real>(n), k = (t1 - t0) * rows;
  const ptrdiff_t slot = ptrdiff_t(rows) * ld;
  const auto& layer = dw.layer[l];
  const auto add_to = [ld](Real* out) { return [=](int r, int c, Real z) { out[r * ld + c] += z; }; };
  if (g.bias) {
    const Real one = Real(1);
    const Product<Real> bias[1] = {{&one, 0, 0, dl, ld, k}};
    team.gemm(1, n, bias, add_to(layer.c));
  }
  const int from = t0 > extent.first ? t0 : extent.first;
  if (l == g.n_layers - 1 && from < t1) {
    const ptrdiff_t n_positions = ptrdiff_t(extent.steps) * rows;
    const Product<Real> readout[1] = {
        {e + from * rows, n_positions, 1, hl + (from + 1) * slot, ld, (t1 - from) * rows}};
    team.gemm(g.n_out, n, readout, add_to(dw.v));
  }
}

// Adds the weight gradients of steps [t0, t1) of layer l to dw, which the caller has zeroed. One product per matrix with
// K = steps x rows. `e` as above; the readout goes with the last layer.
template <class Team, class Real>
COHORT_PHASE_FN void recurrent_gradients(const Team& team, const Signature& g, Extent extent, int l, int t0, int t1,
                                         const Real* x, const Real* h, const Real* e, const Real* delta,
                                         const RecurrentWeights<Real>& dw) {
  const int n = g.n_hidden, rows = extent.rows, ld = Team::template pad<Real>(n), k = (t1 - t0) * rows;
  const ptrdiff_t slot = ptrdiff_t(rows) * ld;
  const Real* const dl = delta + l * slot * extent.steps + t0 * slot;
  const Real* const hl = h + l * slot * (extent.steps + 1);
  const auto& layer = dw.layer[l];
  const auto add_to = [ld](Real* out) { return [=](int r, int c, Real z) { out[r * ld + c] += z; }; };

  if (!is_dense_layer(g, l)) {
    const Product<Real> recurrent[1] = {{dl, 1, ld, hl + t0 * slot, ld, k}};
    team.gemm(n, n, recurrent, add_to(layer.r));
  }
  const int n_in = l == 0 ? g.n_in : n;
  const ptrdiff_t in_row = l == 0 ? n_in : ld;
  const Real* const in = l == 0 ? x + t0 * rows * in_row : h + (l - 1) * slot * (extent.steps + 1) + (t0 + 1) * slot;
  const Product<Real> input[1] = {{in, 1, in_row, dl, ld, k}};
  team.gemm(n_in, n, input, add_to(layer.s_t));
  narrow_gradients(team, g, extent, l, t0, t1, hl, e, dl, dw);
}

// Adds the gradient of the readout's bias to dw.d: each output's errors, summed. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void readout_bias_gradient(const Team& team, const Signature& g, Extent extent, const Real* e,
                                          const RecurrentWeights<Real>& dw) {
  if (!g.bias) return;
  const int n = (extent.steps - extent.first) * extent.rows;
  const ptrdiff_t n_positions = ptrdiff_t(extent.steps) * extent.rows;
  for (int o = 0; o < g.n_out; ++o) {
    const Real* const errors = e + o * n_positions + extent.first * extent.rows;
    const Real total = team.template sum<Real>(n, [=](int i) { return errors[i]; });
    if (team.lane() == 0) dw.d[o] += total;
  }
  team.sync();
}

// delta of every layer and, added to dw, which the caller has zeroed, all weight gradients: of recurrent weights a few
// steps at a time, while their deltas are still in cache. Arrays as above. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void recurrent_learn(const Team& team, const Signature& g, const RecurrentWeights<Real>& w,
                                    ActivationId activation, Extent extent, const Real* x, Real* h, const Real* e,
                                    Real* delta, const RecurrentWeights<Real>& dw) {
  const int rows = extent.rows, ld = Team::template pad<Real>(g.n_hidden),
            stride = Team::gradient_rows / rows > 0 ? Team::gradient_rows / rows : 1;
  const ptrdiff_t slot = ptrdiff_t(rows) * ld;
  const auto states = [=](int l) { return States<Real>{h + l * slot * (extent.steps + 1), slot, ld}; };
  recurrent_backward(team, g, w, activation, extent, e, states, delta, [&](int l, int t) {
    if (t % stride == 0)
      recurrent_gradients(team, g, extent, l, t, t + stride < extent.steps ? t + stride : extent.steps, x, h, e, delta,
                          dw);
  });
  readout_bias_gradient(team, g, extent, e, dw);
}

COHORT_END

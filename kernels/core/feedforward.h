// The feedforward core: layer after layer, each a cell (cell/layer.h), every position - a time step of a trial - by itself. The last
// layer is the readout and linear. Positions [first * rows, steps * rows) are computed; y is laid out as the recurrent core's.
#pragma once

#include "core/activation.h"
#include "core/recurrent.h"
#include "registry_cell.h"
#include "team/arena.h"

COHORT_BEGIN

template <class F>
COHORT_TEAM_FN void with_cell(CellId id, F f) {
  switch (id) {
#define COHORT_CASE(word) \
  case CellId::word:      \
    f(cell::word{});      \
    break;
    COHORT_FOR_EACH_CELL(COHORT_CASE)
#undef COHORT_CASE
  }
}

// The layers of one network: weights as products want them, and activity. Arrays of a layer are found anew when they are asked
// for, so that depth costs no registers.
template <class Real>
struct FeedforwardLayers {
  unsigned char* base;  // an empty array of an arena, behind which the layers follow
  int positions;

  // Layer l < n_layers, or the readout, from an arena that stands behind the layers before it.
  template <class Team>
  COHORT_FN static cell::Layer<Real> carve(Arena& arena, const Signature& g, int l, int positions) {
    const Tensor t = tensor(g, input_tensor(g, l));
    const bool divides = g.cell == CellId::dann, norm = is_norm(cell_of(g, l));
    cell::Layer<Real> layer{};
    layer.n = t.rows;
    layer.d = t.cols;
    layer.ni = t.n_inhibitory;
    layer.ld = Team::template pad<Real>(layer.n);
    layer.ld_d = Team::template pad<Real>(layer.d);
    layer.ld_i = Team::template pad<Real>(layer.ni);
    const size_t n = size_t(layer.n), d = size_t(layer.d), ni = size_t(layer.ni), p = size_t(positions),
                 ld = size_t(layer.ld), ld_d = size_t(layer.ld_d), ld_i = size_t(layer.ld_i);
    if (l > 0) layer.w = arena.take<Real>(n * ld_d);
    layer.w_t = arena.take<Real>(d * ld);
    layer.b = arena.take<Real>(ld);
    if (ni > 0) {
      layer.minus_ei = arena.take<Real>(n * ld_i);
      layer.minus_ei_t = arena.take<Real>(ni * ld);
      layer.ix = arena.take<Real>(ni * ld_d);
      layer.ix_t = arena.take<Real>(d * ld_i);
      layer.zi = arena.take<Real>(p * ld_i);
    }
    if (divides) {
      layer.eia = arena.take<Real>(n * ld_i);
      layer.eia_t = arena.take<Real>(ni * ld);
      layer.factor = arena.take<Real>(ld_i);
      layer.gamma = arena.take<Real>(p * ld);
    }
    if (divides || norm) {
      layer.g = arena.take<Real>(ld);
      layer.u = arena.take<Real>(p * ld);
    }
    if (norm) {
      layer.mean = arena.take<Real>(p > ld ? p : ld);
      layer.rate = arena.take<Real>(p > ld ? p : ld);
    }
    if (l < g.n_layers) layer.h = arena.take<Real>(p * ld);
    return layer;
  }
  // Norms hold for the readout only where the signature says so.
  COHORT_FN static CellId cell_of(const Signature& g, int l) {
    return is_norm(g.cell) && l == g.n_layers && !g.normalised_readout ? CellId::dense : g.cell;
  }
  template <class Team>
  COHORT_TEAM_FN cell::Layer<Real> layer(const Signature& g, int l) const {
    Arena arena(base);
    arena.take<unsigned char>(0);
    for (int k = 0; k < l; ++k) carve<Team>(arena, g, k, positions);
    return carve<Team>(arena, g, l, positions);
  }
};

// x [steps * rows][ld of n_in] to the logits y [n_out][steps * rows] of the positions from `first` on; states of all layers.
template <class Team, class Real>
COHORT_PHASE_FN void feedforward_forward(const Team& team, const Signature& g, const FeedforwardLayers<Real>& layers,
                                         ActivationId activation, NormForm norm, int first, int n, const Real* x,
                                         Real* y) {
  const int n_positions = first + n;
  cell::Input<Real> input{x + ptrdiff_t(first) * Team::template pad<Real>(g.n_in), Team::template pad<Real>(g.n_in)};
  for (int l = 0; l <= g.n_layers; ++l) {
    const cell::Layer<Real> layer = layers.template layer<Team>(g, l);
    with_cell(FeedforwardLayers<Real>::cell_of(g, l), [&](auto cell) {
      if (l == g.n_layers) {
        const int n_out = g.n_out;
        cell.forward(team, norm, layer, input, n, [=](int p, int o, Real z) {
          if (o < n_out) y[ptrdiff_t(o) * n_positions + first + p] = z;
        });
      } else {
        Real* const h = layer.h;
        const int ld = layer.ld;
        with_activation(activation, [&](auto f) {
          cell.forward(team, norm, layer, input, n, [=](int p, int u, Real z) { h[p * ld + u] = f.value(z); });
        });
      }
    });
    input = {layer.h, layer.ld};
  }
}

// Scratch of the backward pass.
template <class Real>
struct FeedforwardScratch {
  Real* delta[2];  // [positions][widest ld]
  cell::Scratch<Real> cell;

  template <class Team>
  COHORT_FN static FeedforwardScratch carve(Arena& arena, const Signature& g, int positions) {
    size_t widest = size_t(Team::template pad<Real>(g.n_out)), most = 0, pairs = 0;
    for (int l = 0; l <= g.n_layers; ++l) {
      const Tensor t = tensor(g, input_tensor(g, l));
      const size_t ld = size_t(Team::template pad<Real>(t.rows)),
                   ld_i = size_t(Team::template pad<Real>(t.n_inhibitory));
      widest = ld > widest ? ld : widest;
      most = ld_i > most ? ld_i : most;
      pairs = size_t(t.rows) * ld_i > pairs ? size_t(t.rows) * ld_i : pairs;
    }
    const size_t p = size_t(positions);
    FeedforwardScratch s{};
    for (Real*& d : s.delta) d = arena.take<Real>(p * widest);
    s.cell.dgamma = arena.take<Real>(p * widest);
    s.cell.dzi = arena.take<Real>(p * most);
    s.cell.dv = arena.take<Real>(pairs);
    return s;
  }
};

// From the errors e [n_out][first + n] at positions from `first` on, layer after layer, last first: dL/d(W a) of layer l is handed
// to done(l, layer, input, du) [n][layer.ld], with scratch.dzi where there are interneurons; `gradient(l)` says where what else the
// layer learns goes (cell/layer.h). Stops after layer `last`. Ends synced.
template <class Team, class Real, class GradientOf, class Done>
COHORT_PHASE_FN void feedforward_backward(const Team& team, const Signature& g, const FeedforwardLayers<Real>& layers,
                                          ActivationId activation, NormForm norm, int first, int n, const Real* x,
                                          const Real* e, const FeedforwardScratch<Real>& scratch, int last,
                                          GradientOf gradient, Done done) {
  const int n_positions = first + n;
  const Real* const x_first = x + ptrdiff_t(first) * Team::template pad<Real>(g.n_in);
  Real *du = scratch.delta[0], *below = scratch.delta[1];
  const int ld_out = Team::template pad<Real>(g.n_out), n_out = g.n_out;
  {
    Real* const out = du;
    team.for_each_2d(n, ld_out, [=](int p, int o) {
      out[p * ld_out + o] = o < n_out ? e[ptrdiff_t(o) * n_positions + first + p] : Real(0);
    });
    team.sync();
  }
  for (int l = g.n_layers; l >= last; --l) {
    const cell::Layer<Real> layer = layers.template layer<Team>(g, l);
    const cell::Layer<Real> before = layers.template layer<Team>(g, l > 0 ? l - 1 : 0);
    const cell::Input<Real> input =
        l == 0 ? cell::Input<Real>{x_first, Team::template pad<Real>(g.n_in)} : cell::Input<Real>{before.h, before.ld};
    with_cell(FeedforwardLayers<Real>::cell_of(g, l),
              [&](auto cell) { cell.backward(team, norm, layer, n, du, scratch.cell, gradient(l)); });
    done(l, layer, input, du);
    if (l == last) break;
    Real* const out = below;
    const Real* const h = before.h;
    const int ld = before.ld;
    const Product<Real> products[2] = {{du, layer.ld, 1, layer.w, layer.ld_d, layer.n},
                                       {scratch.cell.dzi, layer.ld_i, 1, layer.ix, layer.ld_d, layer.ni}};
    with_activation(activation, [&](auto f) {
      team.gemm(n, layer.d, products, [=](int p, int u, Real v) { out[p * ld + u] = v * f.slope(h[p * ld + u]); });
    });
    below = du;
    du = out;
  }
  team.sync();
}

COHORT_END

// What a cell works on: the arrays of one layer of a feedforward network. A cell is a struct in cell/<name>.h with
//
//   static constexpr ParameterisationId parameterisation;      of its weights; of a DANN's cells, what its parts are
//   forward(team, norm, layer, a, n, emit)                     emit(p, u, z) once for every position p < n and unit u < layer.n at
//                                                              least, z the pre-activation
//   backward(team, norm, layer, n, dz, scratch, gradient)      dz [n][ld] = dL/dz becomes dL/d(W a), W the main weights; the
//                                                              gradients of everything but W are written; with inhibition,
//                                                              scratch.dzi gets dL/dzi
// Both start and end synced. `a` [n][lda] are the layer's inputs, padded and readable to Team::pad(d). Positions are the rows of
// all time steps that count.
#pragma once

#include "math/elementary.h"
#include "team/product.h"

COHORT_BEGIN
namespace cell {

template <class Real>
struct Layer {
  int n, d, ni;                 // units, inputs, interneurons (0: no inhibition)
  int ld, ld_d, ld_i;           // leading dimensions of rows of n, d and ni numbers
  Real *w, *w_t;                // W or W_ex [n][ld_d], nullptr in the first layer, and its transpose [d][ld]
  Real *minus_ei, *minus_ei_t;  // -W_ei [n][ld_i], [ni][ld]
  Real *ix, *ix_t;              // W_ix [ni][ld_d], [d][ld_i]
  Real *eia, *eia_t;            // W_ei exp(alpha) [n][ld_i], [ni][ld]; divisive inhibition only
  Real *b, *g;                  // bias, gain [ld]; 0 where there is none
  Real* factor;                 // exp(alpha) [ld_i]
  Real* h;                      // [positions][ld] activity; nullptr: the readout
  Real* u;                      // [positions][ld] zhat of a DANN; normalised pre-activations of a norm
  Real* gamma;                  // [positions][ld] divisive inhibition
  Real* zi;                     // [positions][ld_i] interneurons
  Real *mean, *rate;            // of a norm: mean and 1 / sd of a position or unit [max(positions, ld)]
};

template <class Real>
struct Input {
  const Real* a;
  int ld;
};

// Gradients in the layout of the parameters; nullptr where the network has no such tensor.
template <class Real>
struct Gradient {
  Real *main, *ei, *ix;       // [n][d], [n][ni], [ni][d]
  Real *bias, *gain, *alpha;  // [n][bias_parts], of which cells write the first; [n]; [ni]
  int bias_parts;
};

template <class Real>
struct Scratch {
  Real* dgamma;  // [positions][ld]
  Real* dzi;     // [positions][ld_i]
  Real* dv;      // [n][ld_i]
};

// out[u stride] = sum over p < n of f(p, u). No sync.
template <class Team, class Real, class F>
COHORT_TEAM_FN void sum_positions(const Team& team, int n, int units, int stride, Real* out, F f) {
  team.for_each(units, [=](int u) { out[u * stride] = Real(0); });
  for (int p = 0; p < n; ++p) team.for_each(units, [=](int u) { out[u * stride] += f(p, u); });
}
template <class Team, class Real, class F>
COHORT_TEAM_FN void sum_positions(const Team& team, int n, int units, Real* out, F f) {
  sum_positions(team, n, units, 1, out, f);
}

// z = W a + b.
template <class Team, class Real, class Emit>
COHORT_TEAM_FN void affine(const Team& team, const Layer<Real>& l, const Input<Real>& x, int n, Emit emit) {
  const Product<Real> products[1] = {{x.a, x.ld, 1, l.w_t, l.ld, l.d}};
  const Real* const b = l.b;
  team.gemm(n, l.n, products, [=](int p, int u, Real v) { emit(p, u, v + b[u]); });
}

template <class Team, class Real>
COHORT_TEAM_FN void bias_gradient(const Team& team, const Layer<Real>& l, int n, const Real* dz,
                                  const Gradient<Real>& gradient) {
  const int ld = l.ld;
  if (gradient.bias)
    sum_positions(team, n, l.n, gradient.bias_parts, gradient.bias, [=](int p, int u) { return dz[p * ld + u]; });
  team.sync();
}

}  // namespace cell
COHORT_END

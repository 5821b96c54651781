// What the cells of Dale's ANN share (Cornford et al., ICLR 2021): linear interneurons zi = W_ix a, whose activity is taken off
// the units', zhat = W_ex a - W_ei zi.
#pragma once

#include "cell/layer.h"

COHORT_BEGIN
namespace cell {

// zi. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void interneurons(const Team& team, const Layer<Real>& l, const Input<Real>& x, int n) {
  Real* const zi = l.zi;
  const int ld_i = l.ld_i;
  const Product<Real> products[1] = {{x.a, x.ld, 1, l.ix_t, ld_i, l.d}};
  team.gemm(n, l.ni, products, [=](int p, int k, Real v) { zi[p * ld_i + k] = v; });
}

// emit(p, u, zhat); zi must be there. Ends synced.
template <class Team, class Real, class Emit>
COHORT_TEAM_FN void subtracted(const Team& team, const Layer<Real>& l, const Input<Real>& x, int n, Emit emit) {
  const Product<Real> products[2] = {{x.a, x.ld, 1, l.w_t, l.ld, l.d}, {l.zi, l.ld_i, 1, l.minus_ei_t, l.ld, l.ni}};
  team.gemm(n, l.n, products, emit);
}

// The gradient of W_ei from dzhat. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void subtracted_gradient(const Team& team, const Layer<Real>& l, int n, const Real* dzhat,
                                        const Gradient<Real>& gradient) {
  const int ni = l.ni;
  Real* const ei = gradient.ei;
  const Product<Real> products[1] = {{dzhat, 1, l.ld, l.zi, l.ld_i, n}};
  team.gemm(l.n, ni, products, [=](int u, int k, Real v) {
    if (k < ni) ei[u * ni + k] = -v;
  });
}

}  // namespace cell
COHORT_END

// Sums over the Gram matrices of hidden states, now and at the start, by the smaller of two forms of the same numbers:
// <A A^T, B B^T> over pairs of trials, or ||A^T B||_F^2 over pairs of units. In double whatever Real is: nearly equal Gram
// matrices and units with large means cost float its digits.
#pragma once

#include "program/network.h"

COHORT_BEGIN

struct Grams {
  static constexpr int tile = 64;
  double *x, *y;       // [inner][ld], now and at the start
  double* mean[2];     // [n] of each unit over the trials
  double* product[2];  // [tile][tile]
  int n_trials, n, outer, inner, ld, n_strips;
  bool over_trials;

  // Multiplications with symmetry used: trials^2 (2 n) for two Gram matrices of trials, n^2 (4 trials) for A^T A, B^T B and
  // all of A^T B.
  COHORT_FN static bool takes_trials(int trials, int n) { return trials <= 2 * n; }

  template <class Team>
  COHORT_FN static Grams carve(Arena& arena, int trials, int n) {
    Grams w;
    w.n_trials = trials;
    w.n = n;
    w.over_trials = takes_trials(trials, n);
    w.outer = w.over_trials ? trials : n;
    w.inner = w.over_trials ? n : trials;
    w.ld = Team::template pad<double>(w.outer);
    w.n_strips = (w.outer + tile - 1) / tile;
    w.x = arena.take<double>(size_t(w.inner) * size_t(w.ld));
    w.y = arena.take<double>(size_t(w.inner) * size_t(w.ld));
    for (double*& m : w.mean) m = arena.take<double>(size_t(n));
    for (double*& p : w.product) p = arena.take<double>(size_t(tile) * tile);
    return w;
  }
  COHORT_FN int height(int strip) const { return outer - strip * tile < tile ? outer - strip * tile : tile; }
};

template <class Team, class Real>
COHORT_FN size_t alignment_bytes(const AlignmentArgs<Real>& a) {
  Arena arena(nullptr);
  Grams::carve<Team>(arena, a.trials, a.cohort.signature.n_hidden);
  return arena.used();
}

// States [trials][n] in the layout of the products, less each unit's mean where there is one.
template <class Team, class Real>
COHORT_TEAM_FN void lay_out_states(const Team& team, const Grams& w, const Real* states, const double* mean,
                                   double* out) {
  const int n = w.n, ld = w.ld;
  const bool over_trials = w.over_trials;
  team.for_each_2d(w.n_trials, n, [=](int b, int u) {
    out[over_trials ? ptrdiff_t(u) * ld + b : ptrdiff_t(b) * ld + u] =
        double(states[ptrdiff_t(b) * n + u]) - (mean ? mean[u] : 0);
  });
}

// Sums from the states in w.x and w.y. Ends synced.
template <class Team>
COHORT_PHASE_FN GramSums gram_sums(const Team& team, const Grams& w) {
  constexpr int tile = Grams::tile;
  const auto multiply = [&](const double* a, int i, const double* b, int j, double* out) {
    const Product<double> product[1] = {{a + i * tile, 1, w.ld, b + j * tile, w.ld, w.inner}};
    team.gemm(w.height(i), w.height(j), product, [=](int r, int c, double v) { out[r * tile + c] = v; });
  };
  const auto inner_product = [&](int i, int j, const double* a, const double* b) {
    const int cols = w.height(j);
    return team.template sum<double>(w.height(i) * cols, [=](int k) {
      const int at = k / cols * tile + k % cols;
      return a[at] * b[at];
    });
  };
  double *const first = w.product[0], *const second = w.product[1];
  GramSums sums{0, 0, 0};
  for (int i = 0; i < w.n_strips; ++i)
    for (int j = 0; j < w.n_strips; ++j) {
      if (j <= i) {  // symmetric
        const double times = i == j ? 1 : 2;
        multiply(w.x, i, w.x, j, first);
        multiply(w.y, i, w.y, j, second);
        sums.xx += times * inner_product(i, j, first, first);
        sums.yy += times * inner_product(i, j, second, second);
        if (w.over_trials) sums.xy += times * inner_product(i, j, first, second);
      }
      if (!w.over_trials) {
        multiply(w.x, i, w.y, j, first);
        sums.xy += inner_product(i, j, first, first);
      }
    }
  return sums;
}

template <class Team, class Real>
COHORT_TEAM_FN void alignment_network(const Team& team, const AlignmentArgs<Real>& a, int i, void* memory) {
  const Signature& g = a.cohort.signature;
  const int n = g.n_hidden, trials = a.trials;
  Arena arena(memory);
  const Grams w = Grams::carve<Team>(arena, trials, n);
  const size_t at = (size_t(i) * size_t(g.n_layers) + size_t(a.layer)) * size_t(trials) * size_t(n);
  const Real* const states[2] = {a.hidden + at, a.hidden_start + at};
  for (int k = 0; k < 2; ++k) {
    const Real* const h = states[k];
    double* const mean = w.mean[k];
    team.for_each(n, [=](int u) {
      double sum = 0;
      for (int b = 0; b < trials; ++b) sum += double(h[ptrdiff_t(b) * n + u]);
      mean[u] = sum / trials;
    });
  }
  team.sync();
  for (int pass = 0; pass < 2; ++pass) {
    const bool centred = pass == 1;
    lay_out_states(team, w, states[0], centred ? w.mean[0] : nullptr, w.x);
    lay_out_states(team, w, states[1], centred ? w.mean[1] : nullptr, w.y);
    team.sync();
    const GramSums sums = gram_sums(team, w);
    if (team.lane() == 0) (centred ? a.centred : a.uncentred)[i] = sums;
  }
  team.sync();
}

COHORT_END

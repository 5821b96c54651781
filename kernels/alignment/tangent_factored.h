// The factored form (Liu et al., ICLR 2024, kernel alignment): the gradient of a row is sum_s delta_s (x) p_s with p the
// presynaptic activity, so
//   K[(t,b,k), (t',b',k')] = sum_{s, s'} (delta_s . delta'_s') (p_s . p'_s').
// Nothing of size rows x rows is stored: blocks of two trials are made for the network now and at its start, and only their
// sums kept.
#pragma once

#include "alignment/tangent_rows.h"

COHORT_BEGIN

template <class Real>
struct FactoredTangent {
  TangentPasses<Real> passes;
  struct Side {    // the network now, and at its start
    Real* post;    // [trials][n_pairs][ld_post] deltas
    Real* post_t;  // [trials][n_post][ld_pairs]
    Real* pre;     // [trials][T][ld_pre] presynaptic activity
    Real* pre_t;   // [trials][n_pre][ld_steps]
    Real* kernel;  // [n_rows][n_rows] of a block
  } side[2];
  Real* products;                  // [n_pairs][ld_pairs]
  Real* overlaps;                  // [T][ld_steps]
  int32_t *pair_step, *row_begin;  // [n_pairs], [n_rows + 1]
  int n_post, n_pre, n_steps, n_rows, n_pairs, ld_post, ld_pre, ld_pairs, ld_steps;

  template <class Team>
  COHORT_FN static FactoredTangent carve(Arena& arena, const Signature& g, int trials, const Tensor& t,
                                         const TangentRows& rows) {
    FactoredTangent w;
    w.n_post = t.rows;
    w.n_pre = t.cols;
    w.n_steps = g.n_steps;
    w.n_rows = rows.n_rows();
    w.n_pairs = rows.n_pairs();
    w.ld_post = Team::template pad<Real>(t.rows);
    w.ld_pre = Team::template pad<Real>(t.cols);
    w.ld_pairs = Team::template pad<Real>(w.n_pairs);
    w.ld_steps = Team::template pad<Real>(g.n_steps);
    const size_t n = size_t(trials), r = size_t(w.n_rows), steps = size_t(g.n_steps);
    w.passes = TangentPasses<Real>::template carve<Team>(arena, g, trials, rows);
    for (auto& s : w.side) {
      s.post = arena.take<Real>(n * size_t(w.n_pairs) * size_t(w.ld_post));
      s.post_t = arena.take<Real>(n * size_t(w.n_post) * size_t(w.ld_pairs));
      s.pre = arena.take<Real>(n * steps * size_t(w.ld_pre));
      s.pre_t = arena.take<Real>(n * size_t(w.n_pre) * size_t(w.ld_steps));
      s.kernel = arena.take<Real>(r * r);
    }
    w.products = arena.take<Real>(size_t(w.n_pairs) * size_t(w.ld_pairs));
    w.overlaps = arena.take<Real>(steps * size_t(w.ld_steps));
    w.pair_step = arena.take<int32_t>(size_t(w.n_pairs));
    w.row_begin = arena.take<int32_t>(r + 1);
    return w;
  }
};

// The list of pairs. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void list_pairs(const Team& team, const TangentRows& rows, const FactoredTangent<Real>& w) {
  if (team.lane() == 0) {
    int n = 0;
    for (int row = 0; row < w.n_rows; ++row) {
      w.row_begin[row] = n;
      for (int k = 0; k < rows.length(row); ++k) w.pair_step[n++] = rows.step(row, k);
    }
    w.row_begin[w.n_rows] = n;
  }
  team.sync();
}

// Deltas and presynaptic activity of every trial for parameters theta; batch and list of pairs are in the workspace. Ends
// synced.
template <class Team, class Real>
COHORT_TEAM_FN void tangent_factors(const Team& team, const Signature& g, const NetSpec& spec, Real* theta,
                                    const Tensor& t, const TangentRows& rows, int trials,
                                    const FactoredTangent<Real>& w, const typename FactoredTangent<Real>::Side& side) {
  // padding of the second operands of gemm
  team.for_each_2d(trials * w.n_post, w.ld_pairs - w.n_pairs,
                   [=](int r, int c) { side.post_t[ptrdiff_t(r) * w.ld_pairs + w.n_pairs + c] = Real(0); });
  team.for_each_2d(trials * w.n_pre, w.ld_steps - w.n_steps,
                   [=](int r, int c) { side.pre_t[ptrdiff_t(r) * w.ld_steps + w.n_steps + c] = Real(0); });
  tangent_passes(team, g, spec, theta, t, rows, trials, w.passes, [&](int b, const TangentTrial<Real>& trial) {
    Real* const pre = side.pre + ptrdiff_t(b) * w.n_steps * w.ld_pre;
    Real* const pre_t = side.pre_t + ptrdiff_t(b) * w.n_pre * w.ld_steps;
    team.for_each_2d(w.n_steps, w.n_pre, [=](int s, int j) {
      const Real v = trial.pre(s, j);
      pre[s * w.ld_pre + j] = v;
      pre_t[j * w.ld_steps + s] = v;
    });
    Real* const post = side.post + ptrdiff_t(b) * w.n_pairs * w.ld_post;
    Real* const post_t = side.post_t + ptrdiff_t(b) * w.n_post * w.ld_pairs;
    for (int row = 0; row < w.n_rows; ++row) {
      const int begin = w.row_begin[row];
      team.for_each_2d(w.row_begin[row + 1] - begin, w.n_post, [=](int i, int u) {
        const Real v = trial.post(rows.step(row, i), row, u);
        post[(begin + i) * w.ld_post + u] = v;
        post_t[u * w.ld_pairs + begin + i] = v;
      });
    }
  });
}

// Block (b, b') of the kernel into side.kernel. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void tangent_block(const Team& team, int b, int b2, const FactoredTangent<Real>& w,
                                  const typename FactoredTangent<Real>::Side& side) {
  const int n_steps = w.n_steps, n_rows = w.n_rows, n_pairs = w.n_pairs, ld_steps = w.ld_steps, ld_pairs = w.ld_pairs;
  const Product<Real> activity[1] = {{side.pre + ptrdiff_t(b) * n_steps * w.ld_pre, w.ld_pre, 1,
                                      side.pre_t + ptrdiff_t(b2) * w.n_pre * ld_steps, ld_steps, w.n_pre}};
  Real* const overlaps = w.overlaps;
  team.gemm(n_steps, n_steps, activity, [=](int s, int s2, Real v) { overlaps[s * ld_steps + s2] = v; });
  const Product<Real> deltas[1] = {{side.post + ptrdiff_t(b) * n_pairs * w.ld_post, w.ld_post, 1,
                                    side.post_t + ptrdiff_t(b2) * w.n_post * ld_pairs, ld_pairs, w.n_post}};
  Real* const products = w.products;
  team.gemm(n_pairs, n_pairs, deltas, [=](int i, int j, Real v) { products[i * ld_pairs + j] = v; });
  const int32_t *const step = w.pair_step, *const begin = w.row_begin;
  Real* const kernel = side.kernel;
  for (int k = team.lane(); k < n_rows * n_rows; k += team.size()) {
    const int row = k / n_rows, col = k % n_rows;
    Real sum = Real(0);
    for (int i = begin[row]; i < begin[row + 1]; ++i)
      for (int j = begin[col]; j < begin[col + 1]; ++j)
        sum += products[i * ld_pairs + j] * overlaps[step[i] * ld_steps + step[j]];
    kernel[k] = sum;
  }
  team.sync();
}

// Sums of the core's kernels: those of W without the leak's factor.
template <class Team, class Real>
COHORT_PHASE_FN TangentSums factored_sums(const Team& team, const Signature& g, const NetSpec& spec,
                                          const Dataset& data, const Tensor& t, const TangentRows& rows, int trials,
                                          Real* theta, Real* theta_start, void* memory) {
  Arena arena(memory);
  const auto w = FactoredTangent<Real>::template carve<Team>(arena, g, trials, t, rows);
  clear_weights(team, w.passes.forward);
  fill_batch(team, g, spec, data, Split::train, {rng::phase_kernel, 0, 0}, trials, w.passes.forward.batch);
  list_pairs(team, rows, w);
  tangent_factors(team, g, spec, theta, t, rows, trials, w, w.side[0]);
  tangent_factors(team, g, spec, theta_start, t, rows, trials, w, w.side[1]);
  TangentSums sums{0, 0, 0, 0, 0, tangent_targets(team, g, spec, rows, trials, w.passes)};
  const int n = w.n_rows;
  const Real* const y = w.passes.target;
  for (int b = 0; b < trials; ++b)
    for (int b2 = b; b2 < trials; ++b2) {
      for (const auto& s : w.side) tangent_block(team, b, b2, w, s);
      add_tangent_block(team, n, n, n, w.side[0].kernel, w.side[1].kernel, y + b * n, y + b2 * n, b == b2 ? 1 : 2,
                        sums);
    }
  return sums;
}

COHORT_END

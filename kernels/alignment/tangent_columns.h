// The explicit form: J itself, a block of its columns at a time (all presynaptic units of a few postsynaptic ones), for all
// rows; K grows by J J^T of every block. Kernels are kept whole, their lower half in tiles, now and at the start.
#pragma once

#include "alignment/tangent_rows.h"

COHORT_BEGIN

template <class Real>
struct ColumnsTangent {
  static constexpr int tile = tangent_tile;
  TangentPasses<Real> passes;
  Real* post;       // [trials][n_post][T][ld_rows] deltas of one network
  Real* pre;        // [trials][T][ld_pre] its presynaptic activity
  Real* block;      // [n_strips][units * n_pre][tile]: J^T, its rows of J in strips
  Real* kernel[2];  // [n_strips (n_strips + 1) / 2][tile][tile], now and at the start
  int n_post, n_pre, n_steps, n_rows, n_all, n_strips, units, ld_rows, ld_pre;

  template <class Team>
  COHORT_FN static ColumnsTangent carve(Arena& arena, const Signature& g, int trials, const Tensor& t,
                                        const TangentRows& rows) {
    ColumnsTangent w;
    w.n_post = t.rows;
    w.n_pre = t.cols;
    w.n_steps = g.n_steps;
    w.n_rows = rows.n_rows();
    w.n_all = trials * w.n_rows;
    w.n_strips = tangent_strips(w.n_all);
    w.units = tangent_block_units(t, w.n_all, sizeof(Real));
    w.ld_rows = Team::template pad<Real>(w.n_rows);
    w.ld_pre = Team::template pad<Real>(t.cols);
    const size_t n = size_t(trials), steps = size_t(g.n_steps), strips = size_t(w.n_strips);
    w.passes = TangentPasses<Real>::template carve<Team>(arena, g, trials, rows);
    w.post = arena.take<Real>(n * size_t(w.n_post) * steps * size_t(w.ld_rows));
    w.pre = arena.take<Real>(n * steps * size_t(w.ld_pre));
    w.block = arena.take<Real>(strips * size_t(w.units) * size_t(w.n_pre) * tile);
    for (Real*& k : w.kernel) k = arena.take<Real>(strips * (strips + 1) / 2 * tile * tile);
    return w;
  }
  // Rows in a strip: all but the last are full.
  COHORT_FN int height(int strip) const { return n_all - strip * tile < tile ? n_all - strip * tile : tile; }
  // Tile (i, j), i >= j, of a kernel.
  COHORT_FN static ptrdiff_t tile_at(int i, int j) { return (ptrdiff_t(i) * (i + 1) / 2 + j) * tile * tile; }
};

// Columns of J of the postsynaptic units [first, first + count) into w.block. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void form_columns(const Team& team, const TangentRows& rows, int trials, const ColumnsTangent<Real>& w,
                                 int first, int count) {
  constexpr int tile = ColumnsTangent<Real>::tile;
  const int n_rows = w.n_rows, n_pre = w.n_pre, width = w.units * n_pre;
  for (int b = 0; b < trials; ++b)
    for (int u = 0; u < count; ++u) {
      const Real* const pre = w.pre + (ptrdiff_t(b) * w.n_steps + rows.origin) * w.ld_pre;
      const Real* const post = w.post + ((ptrdiff_t(b) * w.n_post + first + u) * w.n_steps + rows.origin) * w.ld_rows;
      const Product<Real> outer[1] = {{pre, 1, w.ld_pre, post, w.ld_rows, w.n_steps - rows.origin}};
      Real* const out = w.block + ptrdiff_t(u) * n_pre * tile;
      team.gemm(n_pre, n_rows, outer, [=](int j, int r, Real v) {
        if (r >= n_rows) return;  // the next trial's
        const int row = b * n_rows + r;
        out[(ptrdiff_t(row / tile) * width + j) * tile + row % tile] = v;
      });
    }
}

// The kernel for parameters theta, without the leak's factor; the batch is in the workspace. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void tangent_kernel(const Team& team, const Signature& g, const NetSpec& spec, Real* theta,
                                   const Tensor& t, const TangentRows& rows, int trials, const ColumnsTangent<Real>& w,
                                   Real* kernel) {
  constexpr int tile = ColumnsTangent<Real>::tile;
  tangent_passes(team, g, spec, theta, t, rows, trials, w.passes, [&](int b, const TangentTrial<Real>& trial) {
    Real* const pre = w.pre + ptrdiff_t(b) * w.n_steps * w.ld_pre;
    Real* const post = w.post + ptrdiff_t(b) * w.n_post * w.n_steps * w.ld_rows;
    const int n_rows = w.n_rows, n_steps = w.n_steps, ld_pre = w.ld_pre, ld_rows = w.ld_rows;
    team.for_each_2d(n_steps, w.n_pre, [=](int s, int j) { pre[s * ld_pre + j] = trial.pre(s, j); });
    team.for_each_2d(n_steps * n_rows, w.n_post, [=](int p, int u) {
      const int s = p / n_rows, row = p % n_rows;
      post[(ptrdiff_t(u) * n_steps + s) * ld_rows + row] = trial.post(s, row, u);
    });
  });
  const ptrdiff_t strip = ptrdiff_t(w.units) * w.n_pre * tile;
  for (int first = 0; first < w.n_post; first += w.units) {
    const int count = w.n_post - first < w.units ? w.n_post - first : w.units;
    form_columns(team, rows, trials, w, first, count);
    const bool begins = first == 0;
    for (int i = 0; i < w.n_strips; ++i)
      for (int j = 0; j <= i; ++j) {
        Real* const out = kernel + ColumnsTangent<Real>::tile_at(i, j);
        const Product<Real> product[1] = {{w.block + i * strip, 1, tile, w.block + j * strip, tile, count * w.n_pre}};
        team.gemm(w.height(i), w.height(j), product, [=](int r, int c, Real v) {
          Real& sum = out[r * tile + c];
          sum = begins ? v : sum + v;
        });
      }
  }
}

// Sums of the core's kernels: those of W without the leak's factor.
template <class Team, class Real>
COHORT_PHASE_FN TangentSums columns_sums(const Team& team, const Signature& g, const NetSpec& spec, const Dataset& data,
                                         const Tensor& t, const TangentRows& rows, int trials, Real* theta,
                                         Real* theta_start, void* memory) {
  constexpr int tile = ColumnsTangent<Real>::tile;
  Arena arena(memory);
  const auto w = ColumnsTangent<Real>::template carve<Team>(arena, g, trials, t, rows);
  clear_weights(team, w.passes.forward);
  fill_batch(team, g, spec, data, Split::train, {rng::phase_kernel, 0, 0}, trials, w.passes.forward.batch);
  tangent_kernel(team, g, spec, theta, t, rows, trials, w, w.kernel[0]);
  tangent_kernel(team, g, spec, theta_start, t, rows, trials, w, w.kernel[1]);
  TangentSums sums{0, 0, 0, 0, 0, tangent_targets(team, g, spec, rows, trials, w.passes)};
  const Real* const y = w.passes.target;
  for (int i = 0; i < w.n_strips; ++i)
    for (int j = 0; j <= i; ++j) {
      const ptrdiff_t at = ColumnsTangent<Real>::tile_at(i, j);
      add_tangent_block(team, w.height(i), w.height(j), tile, w.kernel[0] + at, w.kernel[1] + at, y + i * tile,
                        y + j * tile, i == j ? 1 : 2, sums);
    }
  return sums;
}

COHORT_END

// Weight gradients of the tiled program: of n x n weights as products over a few steps at a time, whose states and deltas
// are still in L2; of narrow ones (input, readout, bias) summed in the epilogue of the backward pass.
#pragma once

#include "cuda/tuned/tiled/pass.h"

COHORT_BEGIN

// Products of the current pass over steps [t0, t1) and the panel's rows. Operands go through a ring in memory.slope; a warp
// has a tile of the result. Syncs before and after.
COHORT_PHASE_FN void tile_gradients(const TileTeam& team, const Signature& g, int product, int t0, int t1) {
  const TilePass p = TilePass::current(team, g);
  constexpr int stages = TileShape::n_stages;
  const int rows = p.tile_rows() / (2 * stages), cols = p.cols, col_warps = cols / TileShape::tile;
  const int per_step = (p.plan->n_rows + rows - 1) / rows, n = (t1 - t0) * per_step;
  const int warp = CtaTeam::lane() / 32, n_warps = CtaTeam::size() / 32, n_tiles = col_warps * col_warps;
  float* const ring = p.memory.slope;
  const auto copy = [&](int i) {
    if (i < n) {
      const int row = i % per_step * rows, ld = p.plan->ld;
      const CopyShape shape = {rows, cols, cols, p.plan->n_rows - row, ld};
      const ptrdiff_t from = (t0 + i / per_step) * p.plan->slot + row * ld;
      float* const to = ring + i % stages * (2 * rows * cols);
      copy_rows(to, shape, p.plan->product[product].a + from, ld);
      copy_rows(to + rows * cols, shape, p.plan->product[product].b + from, ld);
    }
    ptx::cp_async_commit();
  };
  for (int first = 0; first < n_tiles; first += n_warps) {
    const bool busy = first + warp < n_tiles;
    const int row = (first + warp) / col_warps * TileShape::tile + 4 * p.place.group,
              col = (first + warp) % col_warps * TileShape::tile + 4 * p.place.quad;
    CtaTeam::sync();
    for (int i = 0; i < stages - 1; ++i) copy(i);
    Tile tile;
    for (int i = 0; i < n; ++i) {
      ptx::cp_async_wait<stages - 2>();
      CtaTeam::sync();
      copy(i + stages - 1);
      const float* const from = ring + i % stages * (2 * rows * cols);
      if (busy) tile.multiply_transposed(from + row, from + rows * cols + col, cols, rows);
    }
    ptx::cp_async_wait<0>();
    if (!busy) continue;
    const int ld = p.plan->ld;
    COHORT_UNROLL
    for (int r = 0; r < 4; ++r) {
      COHORT_UNROLL
      for (int half = 0; half < 2; ++half) {
        if (row + r >= p.plan->n_hidden || col + 16 * half >= ld) continue;
        float* const to = p.plan->product[product].out + (row + r) * ld + col + 16 * half;
        const Quad<float> more = tile.quad(r, half);
        Quad<float> sum = load_quad(to);
        COHORT_UNROLL
        for (int c = 0; c < 4; ++c) sum.v[c] += more.v[c];
        store_quad(to, sum);
      }
    }
  }
  CtaTeam::sync();
}

// Sums over the panel's rows of factor[row] value[row][unit], one row of sums per factor: [row_warps][n][cols].
struct NarrowSums {
  float* sums;
  int n, cols;

  // Adds the lane's rows to row i; factor(r) is that of the lane's row r.
  template <class Factor>
  COHORT_FORCE_INLINE void add(const LanePlace& place, int i, const float (&value)[4][8], Factor factor) const {
    float part[8] = {};
    COHORT_UNROLL
    for (int r = 0; r < 4; ++r) {
      const float x = factor(r);
      COHORT_UNROLL
      for (int c = 0; c < 8; ++c) part[c] += x * value[r][c];
    }
    const int kept = kept_of_group(place.group);
    const float total = sum_over_groups(part, kept);
    sums[(place.row_warp * n + i) * cols + place.first_col + kept / 4 * 16 + kept % 4] += total;
  }
  // out[u] += row i, summed over the row warps, u < n_cols. No sync.
  COHORT_TEAM_FN void flush(int row_warps, int i, int n_cols, float* out) const {
    const float* const from = sums + i * cols;
    const int next = n * cols;
    CtaTeam{}.for_each(n_cols, [=](int u) {
      float total = 0.0f;
      for (int k = 0; k < row_warps; ++k) total += from[k * next + u];
      out[u] += total;
    });
  }
};

COHORT_END

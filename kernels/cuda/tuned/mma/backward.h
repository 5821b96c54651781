// The backward pass of the tensor-core program: deltas from T down to 1, which never leave the chip, and all gradients.
//
// Iteration t of T, ..., 0: recurrence warps show h_t, delta_{t+1}, x_t (the input of step t + 1) and e_t in a stage, their
// team meets, gradient warps add delta_{t+1}^T [h_t x_t] and h_t^T e_t, and recurrence warps go on to
// delta_t = f'(h_t) (R^T delta_{t+1} + V^T e_t). Two stages a warp, so that one barrier an iteration suffices.
#pragma once

#include "cuda/tuned/mma/forward.h"

COHORT_BEGIN

// Errors of the lane's two rows: outputs 2 quad, 2 quad + 1 of rows group and group + 8. Step t of 1 .. T; 0 elsewhere.
struct MmaErrors {
  const float* e;  // of step 1, the lane's first row and output
  int step, next_output, first;
  unsigned mask;  // bit i: is value i there?
  COHORT_TEAM_FN MmaErrors(const Signature& g, const MmaPlace& place, Extent extent, int first_row, const float* e_)
      : step(extent.rows), next_output(extent.steps * extent.rows), first(extent.first + 1), mask(0) {
    const int row = first_row + place.group, out = 2 * place.quad;
    e = e_ + out * next_output + row;
    COHORT_UNROLL
    for (int i = 0; i < 4; ++i) mask |= (row + 8 * (i / 2) < extent.rows && out + i % 2 < g.n_out ? 1u : 0u) << i;
  }
  COHORT_FORCE_INLINE void load(int t, float (&v)[4]) const {
    COHORT_UNROLL
    for (int i = 0; i < 4; ++i)
      v[i] = t >= first && mask >> i & 1 ? e[(t - 1) * step + i % 2 * next_output + i / 2 * 8] : 0.0f;
  }
};

// A gradient warp's tile rows [first, first + own) of the gradient of Omega, in registers.
template <int N, class Format>
struct MmaGradient {
  using Layout = MmaLayout<N>;
  static constexpr int own = Layout::own, tiles = Layout::tiles;
  MmaSums r[own][tiles];
  float s[own][4] = {}, v[own][4] = {};  // of S and c; of V^T

  // The last warp has fewer rows where they do not divide evenly.
  static COHORT_FORCE_INLINE bool there(int first, int i) { return tiles % own == 0 || first + i < tiles; }

  COHORT_FORCE_INLINE void add(const MmaStage<N, Format>& stage, int first, int lane) {
    const MmaFragment<Format, 2> x = stage.x().template load_pair<true, true>(0, 0, lane),
                                 e = stage.e().template load_pair<true, true>(0, 0, lane);
    MmaFragment<Format> delta[own];
    COHORT_UNROLL
    for (int i = 0; i < own; ++i) {
      if (!there(first, i)) continue;
      delta[i] = stage.delta().template load<Operand::a, true>(0, 2 * (first + i), lane);
      accumulate<Format>(s[i], delta[i], x);
      accumulate<Format>(v[i], stage.h().template load<Operand::a, true>(0, 2 * (first + i), lane), e);
    }
    COHORT_UNROLL
    for (int j = 0; j < tiles; ++j) {
      const MmaFragment<Format> h = stage.h().template load<Operand::b, true>(0, 2 * j, lane);
      COHORT_UNROLL
      for (int i = 0; i < own; ++i)
        if (there(first, i)) accumulate<Format>(r[i][j], delta[i], h);
    }
  }

  // Adds all of it, times `unit`, to the core's gradients.
  COHORT_TEAM_FN void add_to(const RecurrentWeights<float>& dw, const Signature& g, int first, float unit) const {
    const MmaPlace place;
    const int n = g.n_hidden, ld = CtaTeam::pad<float>(n);
    COHORT_UNROLL
    for (int i = 0; i < own; ++i) {
      if (!there(first, i)) continue;
      COHORT_UNROLL
      for (int k = 0; k < 4; ++k) {
        const int row = 16 * (first + i) + place.group + 8 * (k / 2), col = 2 * place.quad + k % 2;
        if (row >= n) continue;
        if (col < g.n_in)
          dw.layer[0].s_t[col * ld + row] += unit * s[i][k];
        else if (g.bias && col == g.n_in)
          dw.layer[0].c[row] += unit * s[i][k];
        if (col < g.n_out) dw.v[col * ld + row] += unit * v[i][k];
        COHORT_UNROLL
        for (int j = 0; j < 2 * tiles; ++j)
          if (8 * j + col < n) dw.layer[0].r[row * ld + 8 * j + col] += unit * r[i][j / 2].v[j % 2][k];
      }
    }
  }
};

// A recurrence warp in 16 rows of the batch.
template <class Format, class Team>
struct MmaRecurrence {
  static constexpr int N = Team::N, tiles = Team::Layout::tiles, side = Team::Layout::side;
  using Stage = MmaStage<N, Format>;

  MmaPlace place;
  MmaMatrix<side, side, Format> omega;
  MmaInputs inputs;
  MmaErrors errors;
  const uint16_t* history;  // of step 0
  int history_step;
  bool there;  // are there such rows? Else all is 0
  float unscale, error_scale;
  float next_x[4] = {}, next_e[4];
  MmaFragment<Format> delta[tiles];

  COHORT_FORCE_INLINE MmaRecurrence(const Team& team, const Signature& g, Extent extent, int block, const float* x,
                                    const float* e, float error_scale_)
      : omega{Team::memory().omega},
        inputs(g, place, extent, 16 * block, x),
        errors(g, place, extent, 16 * block, e),
        unscale(Team::memory().scale[1]),
        error_scale(error_scale_) {
    const int n_blocks = (extent.rows + 15) / 16;
    there = block < n_blocks;
    history = team.history + ptrdiff_t(there ? block : 0) * Stage::States::halves;
    history_step = n_blocks * Stage::States::halves;
    errors.load(extent.steps, next_e);
  }
  // h_t to a stage, in the background.
  COHORT_FORCE_INLINE void fetch(const Stage& stage, int t) const {
    const uint16_t* const from = history + ptrdiff_t(t) * history_step;
    COHORT_UNROLL
    for (int i = 0; i < Stage::States::halves; i += 32 * 8)
      ptx::cp_async_16(stage.h_ + i + 8 * place.lane, from + i + 8 * place.lane, there);
    ptx::cp_async_commit();
  }
  // delta_{t+1}, x_t and e_t to the stage, and h_t has arrived there; who reads it, of the own warp too, meets this lane first.
  COHORT_FORCE_INLINE void show(const Stage& stage) {
    COHORT_UNROLL
    for (int k = 0; k < tiles; ++k) stage.delta().store(0, 2 * k, delta[k], place.lane);
    stage.x().store(0, 0, narrow_operand<Format>(next_x, 1.0f), place.lane);
    stage.e().store(0, 0, narrow_operand<Format>(next_e, error_scale), place.lane);
    ptx::cp_async_wait<0>();
  }
  // delta_t, t > 0; what comes next is on its way.
  COHORT_FORCE_INLINE void advance(const Stage& stage, int t, ActivationId activation, RangeCheck& range) {
    const MmaFragment<Format, 2> e = narrow_operand<Format>(next_e, error_scale);
    inputs.load(t - 1, next_x);
    errors.load(t - 1, next_e);
    MmaSums sums[tiles];
    COHORT_UNROLL
    for (int j = 0; j < tiles; ++j)
      multiply<Format>(sums[j], e, omega.template load_pair<false, true>(N / 8, 2 * j, place.lane));
    COHORT_UNROLL
    for (int k = 0; k < tiles; ++k) {
      COHORT_UNROLL
      for (int j = 0; j < tiles; ++j)
        multiply<Format>(sums[j], delta[k], omega.template load<Operand::b, true>(2 * k, 2 * j, place.lane));
    }
    with_activation(activation, [&](auto f) {
      COHORT_UNROLL
      for (int k = 0; k < tiles; ++k) {
        const MmaFragment<Format> h = stage.h().template load<Operand::a, false>(0, 2 * k, place.lane);
        COHORT_UNROLL
        for (int i = 0; i < 4; ++i) {
          const float2 state = h.get(i);
          delta[k].set(i, unscale * sums[k].v[i / 2][2 * (i % 2)] * f.slope(state.x),
                       unscale * sums[k].v[i / 2][2 * (i % 2) + 1] * f.slope(state.y));
        }
      }
    });
    COHORT_UNROLL
    for (int k = 0; k < tiles; ++k) delta[k].check(range);
  }
};

// The power of two that errors are scaled with.
template <class Team>
COHORT_PHASE_FN float error_scale(const Team& team, const Signature& g, Extent extent, const float* e) {
  const int n = extent.steps * extent.rows, unread = extent.first * extent.rows, n_out = g.n_out;
  const float largest = team.largest(n - unread, [=](int i) {
    float m = 0.0f;
    for (int o = 0; o < n_out; ++o) m = math::max(m, math::abs(e[ptrdiff_t(o) * n + unread + i]));
    return m;
  });
  return scale_to(largest, error_exponent);
}

// What all warps of a backward pass have in common.
template <class Format, class Team>
struct MmaBackward {
  using Layout = typename Team::Layout;
  using Stage = MmaStage<Team::N, Format>;
  using Gradient = MmaGradient<Team::N, Format>;
  using Recurrence = MmaRecurrence<Format, Team>;

  const Team& team;
  const Signature& g;
  ActivationId activation;
  Extent extent;
  const float *x, *e;
  float error_scale;
  typename Team::Memory memory;
  int warp, lane, n_recurrent, n_passes;

  COHORT_FORCE_INLINE MmaBackward(const Team& team_, const Signature& g_, ActivationId activation_, Extent extent_,
                                  const float* x_, const float* e_, float error_scale_)
      : team(team_),
        g(g_),
        activation(activation_),
        extent(extent_),
        x(x_),
        e(e_),
        error_scale(error_scale_),
        memory(Team::memory()),
        warp(CtaTeam::lane() / 32),
        lane(CtaTeam::lane() % 32),
        n_recurrent(Team::n_recurrent()),
        n_passes(((extent_.rows + 15) / 16 + n_recurrent - 1) / n_recurrent) {}

  COHORT_FORCE_INLINE Stage stage(int t, int w) const {
    return Stage(memory.stages + ((t & 1) * n_recurrent + w) * MmaStage<Team::N, MmaWide>::halves);
  }
  COHORT_FORCE_INLINE Recurrence rows_of(int pass) const {
    return Recurrence(team, g, extent, pass * n_recurrent + warp, x, e, error_scale);
  }

  // A warp that is both, in the k-th team.
  COHORT_FORCE_INLINE void both(int k, Gradient& sum, RangeCheck& range) const {
    const int first_row = warp % Layout::team * Layout::own;
    for (int pass = 0; pass < n_passes; ++pass) {
      Recurrence own = rows_of(pass);
      meet(1 + k, Layout::team);  // nobody is in the pass before
      own.fetch(stage(extent.steps, warp), extent.steps);
      for (int t = extent.steps; t >= 0; --t) {
        own.show(stage(t, warp));
        meet(1 + k, Layout::team);
        if (t > 0) own.fetch(stage(t - 1, warp), t - 1);
        for (int w = k * Layout::team; w < (k + 1) * Layout::team; ++w) sum.add(stage(t, w), first_row, lane);
        if (t > 0) own.advance(stage(t, warp), t, activation, range);
      }
    }
  }
  // The two roles apart, in one team.
  COHORT_FORCE_INLINE void recur(RangeCheck& range) const {
    for (int pass = 0; pass < n_passes; ++pass) {
      Recurrence own = rows_of(pass);
      meet(1, n_recurrent + Layout::gradient_warps);
      own.fetch(stage(extent.steps, warp), extent.steps);
      for (int t = extent.steps; t >= 0; --t) {
        own.show(stage(t, warp));
        meet(1, n_recurrent + Layout::gradient_warps);
        if (t > 0) {
          own.fetch(stage(t - 1, warp), t - 1);
          own.advance(stage(t, warp), t, activation, range);
        }
      }
    }
  }
  COHORT_FORCE_INLINE void sum_up(int first_row, Gradient& sum) const {
    for (int pass = 0; pass < n_passes; ++pass) {
      meet(1, n_recurrent + Layout::gradient_warps);
      for (int t = extent.steps; t >= 0; --t) {
        meet(1, n_recurrent + Layout::gradient_warps);
        for (int w = 0; w < n_recurrent; ++w) sum.add(stage(t, w), first_row, lane);
      }
    }
  }

 private:
  static COHORT_FORCE_INLINE void meet(int id, int n_warps) {
    if (n_warps == 1)
      __syncwarp();
    else
      ptx::barrier_sync(id, 32 * n_warps);
  }
};

// Adds all gradients but that of the readout's bias to dw. Omega and the history are those of the forward pass. Ends synced.
template <class Format, class Team>
COHORT_PHASE_FN void mma_backward(const Team& team, const Signature& g, ActivationId activation, Extent extent,
                                  const float* x, const float* e, const RecurrentWeights<float>& dw) {
  using Layout = typename Team::Layout;
  const float scale = Format::Half::narrow ? error_scale(team, g, extent, e) : 1.0f, unit = 1.0f / scale;
  const MmaBackward<Format, Team> pass(team, g, activation, extent, x, e, scale);
  RangeCheck range;
  if constexpr (Layout::roles_split) {
    if (pass.warp < pass.n_recurrent) {
      pass.recur(range);
    } else {
      const int first_row = (pass.warp - pass.n_recurrent) * Layout::own;
      MmaGradient<Team::N, Format> sum;
      pass.sum_up(first_row, sum);
      sum.add_to(dw, g, first_row, unit);
    }
  } else {
    const int k = pass.warp / Layout::team;
    MmaGradient<Team::N, Format> sum;
    pass.both(k, sum, range);
    for (int turn = 0; turn < pass.n_recurrent / Layout::team; ++turn) {  // in a fixed order
      if (turn == k) sum.add_to(dw, g, pass.warp % Layout::team * Layout::own, unit);
      team.sync();
    }
  }
  if (range.left()) atomicExch(pass.memory.left, 1);
  team.sync();
}

COHORT_END

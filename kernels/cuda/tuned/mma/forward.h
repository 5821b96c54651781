// The forward pass of the tensor-core program: h_1 .. h_T to the network's history, and the logits.
#pragma once

#include "cuda/tuned/mma/team.h"
#include "math/rounding.h"

COHORT_BEGIN

// f(z), as exactly as the format wants it.
template <class Format, class F>
COHORT_FORCE_INLINE float activated(F f, float z) {
  return f.value(z);
}
template <class Format>
COHORT_FORCE_INLINE float activated(tanh, float z) {
  if constexpr (Format::split) {  // 1 - 2 / (1 + e^2z), within 2e-7 of 1
    constexpr float two_log2_e = 2.885390082f;
    return 1.0f - 2.0f * ptx::reciprocal_approx(1.0f + ptx::exp2_approx(two_log2_e * z));
  } else {
    return ptx::tanh_approx(z);
  }
}

// Inputs of the lane's two rows at one step, the constant 1 of the bias among them: columns 2 quad, 2 quad + 1 of rows
// group and group + 8.
struct MmaInputs {
  const float* x;  // of step 0, the lane's first row and column
  int step, next_row;
  unsigned mask;  // bit i: is value i there? Bit 4 + i: is it the constant?
  COHORT_TEAM_FN MmaInputs(const Signature& g, const MmaPlace& place, Extent extent, int first_row, const float* x_)
      : step(extent.rows * g.n_in), next_row(8 * g.n_in), mask(0) {
    const int row = first_row + place.group, col = 2 * place.quad;
    x = x_ + row * g.n_in + col;
    COHORT_UNROLL
    for (int i = 0; i < 4; ++i) {
      const bool there = row + 8 * (i / 2) < extent.rows && col + i % 2 < g.n_in, one = g.bias && col + i % 2 == g.n_in;
      mask |= (there ? 1u : 0u) << i | (one ? 16u : 0u) << i;
    }
  }
  COHORT_FORCE_INLINE void load(int t, float (&v)[4]) const {
    COHORT_UNROLL
    for (int i = 0; i < 4; ++i)
      v[i] = mask >> i & 1 ? x[t * step + i / 2 * next_row + i % 2] : mask >> i & 16 ? 1.0f : 0.0f;
  }
};
template <class Format>
COHORT_FORCE_INLINE MmaFragment<Format, 2> narrow_operand(const float (&v)[4], float scale) {
  MmaFragment<Format, 2> f;
  f.set(0, scale * v[0], scale * v[1]);
  f.set(1, scale * v[2], scale * v[3]);
  return f;
}

// Omega in shared memory, scaled; the scale and its inverse beside it. Ends synced.
template <class Format, class Team>
COHORT_PHASE_FN void load_omega(const Team& team, const Signature& g, const RecurrentWeights<float>& w) {
  constexpr int N = Team::N;
  const auto memory = Team::memory();
  const MmaMatrix<Team::Layout::side, Team::Layout::side, Format> omega{memory.omega};
  const int n = g.n_hidden, n_in = g.n_in, n_out = g.n_out, ld = CtaTeam::pad<float>(n);
  const bool bias = g.bias;
  const float *const r = w.layer[0].r, *const s_t = w.layer[0].s_t, *const c = w.layer[0].c, *const v = w.v;
  const auto element = [=](int i, int j) -> float {
    if (i < N) {
      if (i >= n) return 0.0f;
      if (j < N) return j < n ? r[i * ld + j] : 0.0f;
      j -= N;
      return j < n_in ? s_t[j * ld + i] : j == n_in && bias ? c[i] : 0.0f;
    }
    return i - N < n_out && j < n ? v[(i - N) * ld + j] : 0.0f;
  };
  constexpr int side = Team::Layout::side;
  const float largest = team.largest(side * side, [=](int k) { return math::abs(element(k / side, k % side)); });
  const float scale = Format::Half::narrow ? scale_to(largest, weight_exponent) : 1.0f;
  team.for_each_2d(side, side / 2, [=](int i, int j) {
    omega.set(i, 2 * j, scale * element(i, 2 * j), scale * element(i, 2 * j + 1));
  });
  if (team.lane() == 0) {
    memory.scale[0] = scale;
    memory.scale[1] = 1.0f / scale;
    *memory.left = Format::Half::narrow && !(largest <= math::largest_half);
  }
  team.sync();
}

// For each 16 rows of the batch a warp. noise: what is added to the sums of step t, at [t + 1][rows][ld]; or nullptr.
template <class Format, class Team>
COHORT_PHASE_FN void mma_forward(const Team& team, const Signature& g, ActivationId activation, Extent extent,
                                 const float* x, const float* noise, const float* d, float* y) {
  constexpr int N = Team::N, tiles = Team::Layout::tiles;
  using Stage = MmaStage<N, Format>;
  // So many planes of R stay in registers; the others are read again at every step.
  constexpr int fit = 64 / (4 * tiles * tiles), resident = fit < Format::n_planes ? fit : Format::n_planes;
  const auto memory = Team::memory();
  const MmaMatrix<Team::Layout::side, Team::Layout::side, Format> omega{memory.omega};
  const MmaPlace place;
  const int warp = team.lane() / 32, n_blocks = (extent.rows + 15) / 16, ld = CtaTeam::pad<float>(g.n_hidden);
  const float scale = memory.scale[0], unscale = memory.scale[1];
  const auto load = [&](uint32_t(&r)[4], int p, int j, int k) {
    omega.template load_plane<Operand::b, false>(r, p, 2 * j, 2 * k, place.lane);
  };
  uint16_t* const history = team.history;
  RangeCheck range;
  if (warp < Team::n_recurrent()) {
    uint32_t kept[resident > 0 ? resident : 1][tiles][tiles][4];
    COHORT_UNROLL
    for (int p = 0; p < resident; ++p) {
      COHORT_UNROLL
      for (int j = 0; j < tiles; ++j) {
        COHORT_UNROLL
        for (int k = 0; k < tiles; ++k) load(kept[p][j][k], p, j, k);
      }
    }
    const auto R = [&](int j, int k) {
      MmaFragment<Format> f;
      COHORT_UNROLL
      for (int p = 0; p < Format::n_planes; ++p) {
        if (p < resident) {
          COHORT_UNROLL
          for (int i = 0; i < 4; ++i) f.r[p][i] = kept[p][j][k][i];
        } else {
          load(f.r[p], p, j, k);
        }
      }
      return f;
    };
    for (int block = warp; block < n_blocks; block += Team::n_recurrent()) {
      const MmaInputs inputs(g, place, extent, 16 * block, x);
      const int row = 16 * block + place.group, out = 2 * place.quad;
      const int n_positions = extent.steps * extent.rows;
      MmaFragment<Format> h[tiles];
      float next[4];
      inputs.load(0, next);
      for (int t = 0;; ++t) {
        const typename Stage::States record{history + ptrdiff_t(t * n_blocks + block) * Stage::States::halves};
        COHORT_UNROLL
        for (int k = 0; k < tiles; ++k) record.store(0, 2 * k, h[k], place.lane);
        if (t == extent.steps) break;
        const MmaFragment<Format, 2> input = narrow_operand<Format>(next, 1.0f);
        input.check(range);
        if (t + 1 < extent.steps) inputs.load(t + 1, next);
        MmaSums z[tiles];
        COHORT_UNROLL
        for (int j = 0; j < tiles; ++j)
          multiply<Format>(z[j], input, omega.template load_pair<true, false>(2 * j, N / 8, place.lane));
        COHORT_UNROLL
        for (int k = 0; k < tiles; ++k) {
          COHORT_UNROLL
          for (int j = 0; j < tiles; ++j) multiply<Format>(z[j], h[k], R(j, k));
        }
        // The lane's pair i of tile j: row group + 8 (i % 2), columns 16 j + 8 (i / 2) + 2 quad and the next.
        const auto for_each_pair = [&](auto&& treat) {
          COHORT_UNROLL
          for (int j = 0; j < tiles; ++j) {
            COHORT_UNROLL
            for (int i = 0; i < 4; ++i) treat(j, i, z[j].v[i / 2][2 * (i % 2)], z[j].v[i / 2][2 * (i % 2) + 1]);
          }
        };
        if (noise)
          for_each_pair([&](int j, int i, float& a, float& b) {
            const int at = row + 8 * (i % 2), unit = 16 * j + 8 * (i / 2) + 2 * place.quad;
            if (at >= extent.rows || unit >= ld) return;
            const float2 more = *reinterpret_cast<const float2*>(noise + ((t + 1) * extent.rows + at) * ld + unit);
            a += scale * more.x;
            b += scale * more.y;
          });
        with_activation(activation, [&](auto f) {
          for_each_pair([&](int j, int i, float a, float b) {
            h[j].set(i, activated<Format>(f, unscale * a), activated<Format>(f, unscale * b));
          });
        });
        float logits[4] = {};
        COHORT_UNROLL
        for (int k = 0; k < tiles; ++k) {
          h[k].check(range);
          multiply<Format>(logits, h[k], omega.template load_pair<false, false>(N / 8, 2 * k, place.lane));
        }
        if (t >= extent.first) {
          COHORT_UNROLL
          for (int i = 0; i < 4; ++i)
            if (row + 8 * (i / 2) < extent.rows && out + i % 2 < g.n_out)
              y[(out + i % 2) * n_positions + t * extent.rows + row + 8 * (i / 2)] =
                  logits[i] * unscale + d[out + i % 2];
        }
      }
    }
  }
  if (range.left()) atomicExch(memory.left, 1);
  team.sync();
}

COHORT_END

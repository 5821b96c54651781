// The register tile of a lane: 4 x 8 sums of products, a lane's part of a warp's 32 x 32, from shared memory by 16-byte loads.
//
// A lane has the rows group + 8 r, r < 4, and the columns 4 quad + {0..3} and 16 + 4 quad + {0..3}. Lanes 2 i and 2 i + 1
// differ in quad only and lanes i and i ^ 2 in group only: neighbours then share the address of one operand each, which
// lets the hardware merge the quarters of a 16-byte load.
#pragma once

#include "team/cta.h"
#include "team/quad.h"

COHORT_BEGIN

struct LanePlace {
  int row_warp, col_warp;    // of the warp in the block
  int group, quad;           // of the lane in the warp: 0..7, 0..3
  int first_row, first_col;  // of the lane in the block's panel
  COHORT_FORCE_INLINE explicit LanePlace(int col_warps, int thread = CtaTeam::lane()) {
    const int warp = thread / 32, lane = thread % 32;
    row_warp = warp / col_warps;
    col_warp = warp % col_warps;
    group = (lane >> 1 & 1) | (lane >> 3) << 1;
    quad = (lane & 1) | (lane >> 2 & 1) << 1;
    first_row = 32 * row_warp + group;
    first_col = 32 * col_warp + 4 * quad;
  }
};

struct Tile {
  float v[4][8] = {};

  // += A B over k steps, k a multiple of 4: row r of A at a + 8 r lda, the lane's quads of row j of B at b + j ldb and 16
  // floats behind.
  COHORT_FORCE_INLINE void multiply(const float* a, int lda, const float* b, int ldb, int k) {
    for (int j = 0; j < k; j += 4) {
      Quad<float> left[4];
      COHORT_UNROLL
      for (int r = 0; r < 4; ++r) left[r] = load_quad(a + 8 * r * lda + j);
      COHORT_UNROLL
      for (int i = 0; i < 4; ++i) {
        const Quad<float> low = load_quad(b + (j + i) * ldb), high = load_quad(b + (j + i) * ldb + 16);
        COHORT_UNROLL
        for (int r = 0; r < 4; ++r) multiply_add(r, left[r].v[i], low, high);
      }
    }
  }
  // += A^T B over k rows: the lane's rows are 4 neighbours in a row of A, at a + j ld.
  COHORT_FORCE_INLINE void multiply_transposed(const float* a, const float* b, int ld, int k) {
    COHORT_UNROLL_4
    for (int j = 0; j < k; ++j) {
      const Quad<float> left = load_quad(a + j * ld), low = load_quad(b + j * ld), high = load_quad(b + j * ld + 16);
      COHORT_UNROLL
      for (int r = 0; r < 4; ++r) multiply_add(r, left.v[r], low, high);
    }
  }
  COHORT_FORCE_INLINE Quad<float> quad(int r, int half) const {
    Quad<float> q;
    COHORT_UNROLL
    for (int c = 0; c < 4; ++c) q.v[c] = v[r][4 * half + c];
    return q;
  }

 private:
  COHORT_FORCE_INLINE void multiply_add(int r, float a, const Quad<float>& low, const Quad<float>& high) {
    COHORT_UNROLL
    for (int c = 0; c < 4; ++c) {
      v[r][c] += a * low.v[c];
      v[r][4 + c] += a * high.v[c];
    }
  }
};

// Which of 8 values a lane keeps in sum_over_groups.
COHORT_FORCE_INLINE int kept_of_group(int group) { return 4 * (group & 1) + 2 * (group >> 1 & 1) + (group >> 2); }
// One lane of a pair keeps its `high` and gets the other's, the other the `low`s.
COHORT_FORCE_INLINE float halve(float low, float high, int keep_high, int distance) {
  const float given = __shfl_xor_sync(0xffffffffu, keep_high ? low : high, distance);
  return (keep_high ? high : low) + given;
}
// Sums each of 8 values over the 8 lanes of a quad, in a fixed order: the lane gets the sum of value `kept`.
COHORT_FORCE_INLINE float sum_over_groups(const float (&v)[8], int kept) {
  float four[4], two[2];
  COHORT_UNROLL
  for (int c = 0; c < 4; ++c) four[c] = halve(v[c], v[4 + c], kept & 4, 2);
  COHORT_UNROLL
  for (int c = 0; c < 2; ++c) two[c] = halve(four[c], four[2 + c], kept & 2, 8);
  return halve(two[0], two[1], kept & 1, 16);
}

COHORT_END

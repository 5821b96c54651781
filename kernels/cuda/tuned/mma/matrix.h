// Matrices of halves in memory: 8 x 8 blocks of 128 contiguous bytes, the high plane first, then the low one. One copy serves
// loads and transposing loads, and neither they nor stores of fragments meet a bank conflict.
#pragma once

#include "cuda/tuned/mma/fragment.h"

COHORT_BEGIN

enum class Operand { a, b };

template <int rows, int cols, class Format>
struct MmaMatrix {
  static constexpr int plane = rows * cols, halves = Format::n_planes * plane;
  uint16_t* data;  // 16-byte aligned

  COHORT_FORCE_INLINE uint16_t* block(int i, int j) const { return data + (i * (cols / 8) + j) * 64; }

  // Elements (row, col) and (row, col + 1), col even.
  COHORT_FORCE_INLINE void set(int row, int col, float x, float y) const {
    MmaFragment<Format, 1> pair;
    pair.set(0, x, y);
    COHORT_UNROLL
    for (int p = 0; p < Format::n_planes; ++p)
      *reinterpret_cast<uint32_t*>(block(row / 8, col / 8) + p * plane + row % 8 * 8 + col % 8) = pair.r[p][0];
  }
  // An operand A to rows 8 i.., columns 8 j...
  template <int n>
  COHORT_FORCE_INLINE void store(int i, int j, const MmaFragment<Format, n>& f, int lane) const {
    COHORT_UNROLL
    for (int p = 0; p < Format::n_planes; ++p) {
      COHORT_UNROLL
      for (int m = 0; m < n; ++m)
        reinterpret_cast<uint32_t*>(block(i + m % 2, j + m / 2) + p * plane)[lane] = f.r[p][m];
    }
  }
  // Plane p of the operand of rows 8 i.., columns 8 j..; transposed, that of the transpose of this part. Shared memory.
  template <Operand operand, bool transposed>
  COHORT_FORCE_INLINE void load_plane(uint32_t (&r)[4], int p, int i, int j, int lane) const {
    const int m = lane / 8, minor = m % 2, major = m / 2;
    const uint16_t* const row =
        ((operand == Operand::a) != transposed ? block(i + minor, j + major) : block(i + major, j + minor)) +
        lane % 8 * 8 + p * plane;
    if constexpr (transposed)
      ptx::ldmatrix_x4_trans(r, row);
    else
      ptx::ldmatrix_x4(r, row);
  }
  template <Operand operand, bool transposed>
  COHORT_FORCE_INLINE MmaFragment<Format> load(int i, int j, int lane) const {
    MmaFragment<Format> f;
    COHORT_UNROLL
    for (int p = 0; p < Format::n_planes; ++p) load_plane<operand, transposed>(f.r[p], p, i, j, lane);
    return f;
  }
  // Two blocks as a narrow operand B: block (i, j), and the one below or to the right of it.
  template <bool below, bool transposed>
  COHORT_FORCE_INLINE MmaFragment<Format, 2> load_pair(int i, int j, int lane) const {
    const int second = lane / 8 % 2;
    const uint16_t* const row = block(i + (below ? second : 0), j + (below ? 0 : second)) + lane % 8 * 8;
    MmaFragment<Format, 2> f;
    COHORT_UNROLL
    for (int p = 0; p < Format::n_planes; ++p) {
      if constexpr (transposed)
        ptx::ldmatrix_x2_trans(f.r[p], row + p * plane);
      else
        ptx::ldmatrix_x2(f.r[p], row + p * plane);
    }
    return f;
  }
};

COHORT_END

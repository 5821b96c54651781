// A team that is one CUDA block of whole warps; the contract is in team/serial.h. What it adds:
//
//   for_each, for_each_2d   the same lane treats the same i of the same n: passes over one array need no sync between them
//   sum                     partials of lane l are f(l), f(l + size), ...; then shuffles, then warps in order
//   largest(n, f)           the largest f(i) >= 0, i < n, the same in every lane; 0 where n is 0; syncs
//   gemm                    one 4-column tile per lane, straight from global memory through L1: B by 16-byte loads, A by
//                           16-byte loads where its strides allow; no shared memory, any m, n, k and strides of A.
//                           b must be 16-byte aligned, as must ldb * sizeof(Real)
//
// Every lane of the block calls every function that syncs, in the same order.
#pragma once

#include "cuda/gpu.h"
#include "math/elementary.h"
#include "team/product.h"
#include "team/quad.h"

#if defined(__CUDACC__)
#define COHORT_UNROLL _Pragma("unroll")
#define COHORT_UNROLL_4 _Pragma("unroll 4")
#define COHORT_NOINLINE __device__ __noinline__
#else
#define COHORT_UNROLL
#define COHORT_UNROLL_4
#define COHORT_NOINLINE
#endif

#ifndef COHORT_CUDA_THREADS
#define COHORT_CUDA_THREADS 256
#endif

COHORT_BEGIN

// 4 x 4 accumulators of one lane. The loops are out of the callers and independent of their epilogues, so that they are
// compiled once.
template <class Real>
struct CtaTile {
  Real acc[4][4];

  // Rows [row, row + rows) of a matrix of m rows, columns [col, col + 4); rows = 1, 2 or 4. Beyond m, the last again.
  static COHORT_NOINLINE CtaTile multiply(int rows, const Product<Real>* products, int n_products, int m, int row,
                                          int col) {
    CtaTile tile = {};
    for (int p = 0; p < n_products; ++p) {
      if (rows == 4)
        tile.template add<4>(products[p], m, row, col);
      else if (rows == 2)
        tile.template add<2>(products[p], m, row, col);
      else
        tile.template add<1>(products[p], m, row, col);
    }
    return tile;
  }

 private:
  static COHORT_FORCE_INLINE bool aligned(const void* p, ptrdiff_t stride) {
    return (reinterpret_cast<uintptr_t>(p) | uintptr_t(stride) * sizeof(Real)) % 16 == 0;
  }
  COHORT_FORCE_INLINE void multiply_add(int r, Real a, const Quad<Real>& b) {
    COHORT_UNROLL
    for (int c = 0; c < 4; ++c) acc[r][c] += a * b.v[c];
  }

  template <int rows>
  COHORT_FORCE_INLINE void add(const Product<Real>& product, int m, int row, int col) {
    const ptrdiff_t a_row = product.a_row, a_k = product.a_k, ldb = product.ldb;
    const Real* b = product.b + col;
    const Real* a[rows];
    COHORT_UNROLL
    for (int r = 0; r < rows; ++r) a[r] = product.a + (row + r < m ? row + r : m - 1) * a_row;
    const int n = product.k;
    int k = 0;
    if (a_k == 1 && aligned(product.a, a_row)) {  // A in rows: four k at once
      for (; k + 4 <= n; k += 4) {
        Quad<Real> left[rows];
        COHORT_UNROLL
        for (int r = 0; r < rows; ++r) left[r] = load_quad(a[r] + k);
        COHORT_UNROLL
        for (int j = 0; j < 4; ++j) {
          const Quad<Real> right = load_quad(b);
          b += ldb;
          COHORT_UNROLL
          for (int r = 0; r < rows; ++r) multiply_add(r, left[r].v[j], right);
        }
      }
    } else if (rows == 4 && a_row == 1 && row + rows <= m && aligned(product.a, a_k)) {  // A in columns: four rows
      const Real* left = a[0];
      COHORT_UNROLL_4
      for (; k < n; ++k) {
        const Quad<Real> l = load_quad(left), right = load_quad(b);
        left += a_k;
        b += ldb;
        COHORT_UNROLL
        for (int r = 0; r < rows; ++r) multiply_add(r, l.v[r], right);
      }
    }
    COHORT_UNROLL_4
    for (; k < n; ++k) {
      const Quad<Real> right = load_quad(b);
      b += ldb;
      COHORT_UNROLL
      for (int r = 0; r < rows; ++r) multiply_add(r, a[r][k * a_k], right);
    }
  }
};

struct CtaTeam {
  static constexpr int threads = COHORT_CUDA_THREADS;  // of the drivers' blocks; a team may have any number of warps
  static constexpr int block = 1;
  static constexpr int gradient_rows = 256;  // deltas and states of that many rows stay in L2 for all blocks in flight
  static constexpr bool keeps_deltas = true;

  static COHORT_FORCE_INLINE int lane() { return int(threadIdx.x); }
  static COHORT_FORCE_INLINE int size() { return int(blockDim.x); }
  static COHORT_FORCE_INLINE void sync(GPU_SITE) { __syncthreads(GPU_SITE_HERE); }

  template <class Real>
  COHORT_FN static constexpr int pad(int n) {
    return (n + 3) / 4 * 4;
  }

  template <class Real>
  static COHORT_FORCE_INLINE void round_operands(Real*, int) {}

  template <class F>
  COHORT_FORCE_INLINE void for_each(int n, F f) const {
    for (int i = lane(); i < n; i += size()) f(i);
  }
  template <class F>
  COHORT_FORCE_INLINE void for_each_2d(int rows, int cols, F f) const {
    if (cols <= 0) return;
    const int down = size() / cols, right = size() % cols;
    int r = lane() / cols, c = lane() % cols;
    while (r < rows) {
      f(r, c);
      r += down;
      c += right;
      if (c >= cols) {
        c -= cols;
        ++r;
      }
    }
  }

  template <class Real, class F>
  COHORT_FORCE_INLINE Real sum(int n, F f) const {
    Real part = Real(0);
    for (int i = lane(); i < n; i += size()) part += f(i);
    return reduce(part, Add{});
  }
  template <class F>
  COHORT_FORCE_INLINE float largest(int n, F f) const {
    float part = 0.0f;
    for (int i = lane(); i < n; i += size()) part = math::max(part, f(i));
    return reduce(part, Larger{});
  }

  template <class Real>
  COHORT_FORCE_INLINE void transpose(int rows, int cols, const Real* from, ptrdiff_t ld, Real* to,
                                     ptrdiff_t ld_to) const {
    for_each_2d(cols, rows, [=](int c, int r) { to[c * ld_to + r] = from[r * ld + c]; });
  }

  template <class Real, int n_products, class Epilogue>
  COHORT_TEAM_FN void gemm(int m, int n, const Product<Real> (&products)[n_products], const Epilogue& epilogue) const {
    const int n_cols = pad<Real>(n) / 4;
    // the largest tiles that leave no lane without one
    const int rows = (m + 3) / 4 * n_cols >= size() ? 4 : (m + 1) / 2 * n_cols >= size() ? 2 : 1;
    sync();
    for_each_2d((m + rows - 1) / rows, n_cols, [&](int i, int j) {
      const int row = i * rows, col = j * 4;
      const CtaTile<Real> tile = CtaTile<Real>::multiply(rows, products, n_products, m, row, col);
      COHORT_UNROLL
      for (int r = 0; r < 4; ++r)
        if (r < rows && row + r < m) {
          COHORT_UNROLL
          for (int c = 0; c < 4; ++c) epilogue(row + r, col + c, tile.acc[r][c]);
        }
    });
    sync();
  }
  template <class Real, class Epilogue>
  COHORT_TEAM_FN void gemm_narrow(int m, int n, const Product<Real>& product, const Real*, ptrdiff_t,
                                  const Epilogue& epilogue) const {
    const Product<Real> products[1] = {product};
    gemm(m, n, products, [&](int r, int c, Real value) {
      if (c < n) epilogue(r, c, value);
    });
  }

 private:
  struct Add {
    template <class Real>
    COHORT_FORCE_INLINE Real operator()(Real a, Real b) const {
      return a + b;
    }
  };
  struct Larger {
    COHORT_FORCE_INLINE float operator()(float a, float b) const { return math::max(a, b); }
  };

  template <class Real, class Join>
  static COHORT_NOINLINE Real reduce(Real x, Join join) {
    GPU_SHARED(Real, partial, 32);
    for (int distance = 16; distance > 0; distance /= 2) x = join(x, __shfl_xor_sync(0xffffffffu, x, distance));
    if (lane() % 32 == 0) partial[lane() / 32] = x;
    sync();
    Real total = Real(0);
    for (int w = 0; w < size() / 32; ++w) total = join(total, partial[w]);
    sync();
    return total;
  }
};

COHORT_END

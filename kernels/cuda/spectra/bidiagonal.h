// Householder bidiagonalisation of one matrix by one block, with one pass over the matrix per column.
//
// The matrix is treated as n_rows x n_cols with n_rows >= n_cols, which is A or its transpose. Lane l of warp w holds the rows
// l, l + 32, ... of the columns w, w + n_warps, ...: a column lies in one warp, so its product with a reflector needs no barrier,
// and nobody else ever reads a thread's elements. They live in registers therefore; of the largest matrices the leading
// columns, which are finished first, live in shared memory instead.
//
// Step k, with the left reflector u (H = I - u u^T) of column k known to all, visits each column once:
//     a -= y r_j       the right reflector of step k - 1
//     z_j = u.a        the only sum over the warp
//     a -= u z_j       the left reflector
//     r_j = a[k]       row k, of which the next right reflector is made: v = s (r - beta e_{k+1})
//     w += a r_j       so that A v = s (w - beta a_{k+1}): the product is ready before v is known
// Between two passes the warp that owns the next column makes y of (w, r) and u of the column.
#pragma once

#include "cuda/spectra/warp.h"
#include "team/quad.h"

COHORT_BEGIN

// Up to `most` rows and columns, columns of each warp in registers, columns that are visited together.
template <int most_, int n_warps_, int kept_ = most_ / n_warps_, int together_ = 8>
struct BidiagonalShape {
  static constexpr int most = most_, n_warps = n_warps_, kept = kept_, together = together_;
  static constexpr int n_threads = 32 * n_warps;
  static constexpr int lane_rows = (most + 31) / 32;  // rows of a lane
  static constexpr int warp_cols = most / n_warps;    // columns of a warp
  static constexpr int padded_rows = 32 * lane_rows;
  static_assert((n_warps & (n_warps - 1)) == 0 && warp_cols % together == 0 && kept % together == 0 && kept > 0 &&
                kept <= warp_cols);
};

// H = I - h h^T with h = scale (x - beta e_1) and H x = beta e_1, from x_1 and ||x||^2.
struct Reflector {
  float beta = 0, scale = 0;
  COHORT_FORCE_INLINE Reflector(float x1, float norm2) {
    if (!(norm2 > 1e-36f)) return;  // x = 0: H = I
    beta = -::copysignf(::sqrtf(norm2), x1);
    scale = 1.0f / ::sqrtf(beta * (beta - x1));
  }
};

// Shared memory of a block.
template <class Shape>
struct BidiagonalMemory {
  float *u, *y;            // [padded_rows] reflector of column k; scaled product of the right reflector
  float *z, *r;            // [n_warps][warp_cols] see above
  float *product, *norm2;  // [n_warps][padded_rows], [n_warps] each warp's part of w and of ||r||^2
  float *diag, *super;     // [most] the result
  float* tile;             // [warp_cols - kept][lane_rows][n_threads] the columns that are not in registers
  COHORT_FN explicit BidiagonalMemory(gpu::Smem& smem) {
    u = smem.take<float>(Shape::padded_rows);
    y = smem.take<float>(Shape::padded_rows);
    z = smem.take<float>(Shape::most);
    r = smem.take<float>(Shape::most);
    product = smem.take<float>(Shape::n_warps * Shape::padded_rows);
    norm2 = smem.take<float>(Shape::n_warps);
    diag = smem.take<float>(Shape::most);
    super = smem.take<float>(Shape::most);
    tile = smem.take<float>((Shape::warp_cols - Shape::kept) * Shape::lane_rows * Shape::n_threads);
  }
};

template <class Shape>
class Bidiagonalisation {
  static constexpr int lane_rows = Shape::lane_rows, warp_cols = Shape::warp_cols, together = Shape::together;
  static constexpr int n_warps = Shape::n_warps, n_shared = warp_cols - Shape::kept;

 public:
  COHORT_FORCE_INLINE Bidiagonalisation(const BidiagonalMemory<Shape>& memory, int rows, int cols)
      : m_(memory), n_cols_(rows < cols ? rows : cols), lane_(int(threadIdx.x) % 32), warp_(int(threadIdx.x) / 32) {}
  COHORT_FORCE_INLINE int n_cols() const { return n_cols_; }

  // Reads A [rows][cols] and returns its largest magnitude.
  COHORT_FORCE_INLINE unsigned read(const float* a, int rows, int cols) {
    const bool transposed = rows <= cols;  // neighbouring lanes to neighbouring addresses
    const int n_rows = transposed ? cols : rows, row_stride = transposed ? 1 : cols, col_stride = transposed ? cols : 1;
    unsigned largest = 0;
    for_each_element([&](float& x, int row, int col) {
      x = row < n_rows && col < n_cols_ ? a[col * col_stride + row * row_stride] : 0.0f;
      const unsigned m = magnitude(x);
      largest = largest < m ? m : largest;
    });
    return block_max(largest);
  }

  // What was read, times scale, becomes diag and super [0, n_cols); super[n_cols - 1] is not written. All threads of the block.
  COHORT_FORCE_INLINE void run(float scale) {
    for_each_element([&](float& x, int, int) { x *= scale; });
    COHORT_UNROLL
    for (int i = 0; i < lane_rows; ++i) next_[i] = n_shared ? shared_at(0, i) : kept_[0][0][i];
    for (int i = int(threadIdx.x); i < Shape::most; i += Shape::n_threads) m_.r[i] = 0;
    for (int i = int(threadIdx.x); i < n_warps * Shape::padded_rows; i += Shape::n_threads) m_.product[i] = 0;
    if (lane_ == 0) m_.norm2[warp_] = 0;
    __syncthreads();
    steps<0>();
  }

 private:
  BidiagonalMemory<Shape> m_;
  float kept_[Shape::kept / together][together][lane_rows];
  float next_[lane_rows];  // column k + 1 without the right reflector of step k, in the warp that owns it
  int n_cols_, lane_, warp_;

  COHORT_FORCE_INLINE int column(int c) const { return c * n_warps + warp_; }
  COHORT_FORCE_INLINE float& shared_at(int c, int i) const {
    return m_.tile[(c * lane_rows + i) * Shape::n_threads + int(threadIdx.x)];
  }
  template <class F>
  COHORT_FORCE_INLINE void for_each_element(F f) {
    COHORT_ROLLED
    for (int c = 0; c < n_shared; ++c) {
      COHORT_UNROLL
      for (int i = 0; i < lane_rows; ++i) f(shared_at(c, i), 32 * i + lane_, column(c));
    }
    COHORT_UNROLL
    for (int c = 0; c < Shape::kept; ++c) {
      COHORT_UNROLL
      for (int i = 0; i < lane_rows; ++i) f(kept_[c / together][c % together][i], 32 * i + lane_, column(n_shared + c));
    }
  }

  // Rows below 32 first are finished: their registers drop out at compile time.
  template <int first>
  COHORT_FORCE_INLINE void steps() {
    if constexpr (first < lane_rows) {
      const int end = n_cols_ < 32 * (first + 1) ? n_cols_ : 32 * (first + 1);
      COHORT_ROLLED
      for (int k = 32 * first; k < end; ++k) {
        if (warp_ == k % n_warps) reflect_column<first>(k);
        __syncthreads();
        pass<first>(k);
        __syncthreads();
      }
      steps<first + 1>();
    }
  }

  template <int first>
  COHORT_FORCE_INLINE void reflect_column(int k) {
    const float r1 = m_.r[k % n_warps * warp_cols + k / n_warps];
    float rr = 0, xx = 0, x[lane_rows];
    COHORT_UNROLL
    for (int w = 0; w < n_warps; ++w) rr += m_.norm2[w];
    const Reflector right(r1, rr);
    COHORT_UNROLL
    for (int i = first; i < lane_rows; ++i) {
      const int row = 32 * i + lane_;
      float sum = 0;
      COHORT_UNROLL
      for (int w = 0; w < n_warps; ++w) sum += m_.product[w * Shape::padded_rows + row];
      const float yi = row < k ? 0.0f : right.scale * (sum - right.beta * next_[i]);
      m_.y[row] = right.scale * yi;
      x[i] = row < k ? 0.0f : next_[i] - right.scale * (r1 - right.beta) * yi;
      xx = ::fmaf(x[i], x[i], xx);
    }
    const Reflector left(__shfl_sync(full_warp, x[first], k % 32), lane_sum(xx));
    COHORT_UNROLL
    for (int i = first; i < lane_rows; ++i) {
      const int row = 32 * i + lane_;
      m_.u[row] = left.scale * (row == k ? x[i] - left.beta : x[i]);
    }
    if (lane_ == 0) m_.diag[k] = left.beta;
    if (lane_ == 0 && k > 0) m_.super[k - 1] = right.beta;
  }

  template <int first>
  COHORT_FORCE_INLINE void pass(int k) {
    float u[lane_rows], y[lane_rows], w[lane_rows], rr = 0;
    COHORT_UNROLL
    for (int i = first; i < lane_rows; ++i) {
      u[i] = m_.u[32 * i + lane_];
      y[i] = m_.y[32 * i + lane_];
      w[i] = 0;
    }
    const auto live = [&](int c) { return column(c + together - 1) > k && column(c) < n_cols_; };
    COHORT_ROLLED
    for (int c = 0; c < n_shared; c += together) {
      if (!live(c)) continue;
      float a[together][lane_rows];
      COHORT_UNROLL
      for (int b = 0; b < together; ++b) {
        COHORT_UNROLL
        for (int i = first; i < lane_rows; ++i) a[b][i] = shared_at(c + b, i);
      }
      visit<first>(a, c, k, u, y, w, rr);
      COHORT_UNROLL
      for (int b = 0; b < together; ++b) {
        COHORT_UNROLL
        for (int i = first; i < lane_rows; ++i) shared_at(c + b, i) = a[b][i];
      }
    }
    COHORT_UNROLL
    for (int q = 0; q < Shape::kept / together; ++q)
      if (live(n_shared + q * together)) visit<first>(kept_[q], n_shared + q * together, k, u, y, w, rr);
    COHORT_UNROLL
    for (int i = first; i < lane_rows; ++i) m_.product[warp_ * Shape::padded_rows + 32 * i + lane_] = w[i];
    if (lane_ == 0) m_.norm2[warp_] = rr;
  }

  // The columns of this warp from column(c) on. Finished ones among them see z = r = 0.
  template <int first>
  COHORT_FORCE_INLINE void visit(float (&a)[together][lane_rows], int c, int k, const float (&u)[lane_rows],
                                 const float (&y)[lane_rows], float (&w)[lane_rows], float& rr) {
    float* const z_of = m_.z + warp_ * warp_cols + c;
    float* const r_of = m_.r + warp_ * warp_cols + c;
    float z[together], r[together];
    load(r, r_of);
    COHORT_UNROLL
    for (int b = 0; b < together; ++b) {
      z[b] = 0;
      COHORT_UNROLL
      for (int i = first; i < lane_rows; ++i) {
        a[b][i] = ::fmaf(-y[i], r[b], a[b][i]);
        z[b] = ::fmaf(u[i], a[b][i], z[b]);
      }
      r[b] = a[b][first];
    }
    if (lane_ == k % 32) store(z_of, r);  // row k, for a moment
    const float z_lane = transposed_sum(z, lane_);
    __syncwarp();
    if (lane_ < together) {
      const bool unfinished = column(c + lane_) > k;
      r_of[lane_] = unfinished ? ::fmaf(-m_.u[k], z_lane, z_of[lane_]) : 0.0f;
      z_of[lane_] = unfinished ? z_lane : 0.0f;
    }
    __syncwarp();
    load(z, z_of);
    load(r, r_of);
    COHORT_UNROLL
    for (int b = 0; b < together; ++b) {
      rr = ::fmaf(r[b], r[b], rr);
      COHORT_UNROLL
      for (int i = first; i < lane_rows; ++i) {
        a[b][i] = ::fmaf(-u[i], z[b], a[b][i]);
        w[i] = ::fmaf(a[b][i], r[b], w[i]);
      }
      if (column(c + b) == k + 1) {
        COHORT_UNROLL
        for (int i = first; i < lane_rows; ++i) next_[i] = a[b][i];
      }
    }
  }

  static COHORT_FORCE_INLINE void load(float (&x)[together], const float* p) {
    COHORT_UNROLL
    for (int b = 0; b < together; b += 4) {
      const Quad<float> q = load_quad(p + b);
      COHORT_UNROLL
      for (int i = 0; i < 4; ++i) x[b + i] = q.v[i];
    }
  }
  static COHORT_FORCE_INLINE void store(float* p, const float (&x)[together]) {
    COHORT_UNROLL
    for (int b = 0; b < together; b += 4) store_quad(p + b, Quad<float>{{x[b], x[b + 1], x[b + 2], x[b + 3]}});
  }
};

COHORT_END

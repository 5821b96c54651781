// A team of one: a CPU core with vector instructions. Contract of every team:
//
//   lane(), size()              who am I, of how many
//   sync()                      writes of all lanes before it are seen by all after it
//   for_each(n, f)              f(i) once for every i < n by some lane; f's are independent; no sync
//   for_each_2d(rows, cols, f)  f(r, c) likewise
//   sum(n, f)                   sum of f(i), i < n, in a fixed order, the same in every lane; syncs
//   gemm(m, n, products, e)     e(r, c, value) once for every r < m, c < pad(n), value = sum of the products; syncs before
//                               and after, so operands may come from any lane and results go to all
//   gemm_narrow(m, n, p, t, e)  the same for few columns and one product with a_k = 1: e(r, c, value) for c < n, and t [n][ldb]
//                               is the transpose of p.b with zeros up to pad(k), where A must be finite; the team takes
//                               which of the two it likes
//   transpose(rows, cols, from, ld, to, ld_to)  to[c][r] = from[r][c] for arrays of those leading dimensions; no sync
//   pad(n)                      leading dimension for rows of n: b and results of gemm are readable and writable to pad(n)
//   gradient_rows               how many rows of deltas fit in the cache: weight gradients are added up so many at a time
//   keeps_deltas                are deltas written to memory?
//   block                       how many neighbouring elements one lane should treat together
//   round_operands(x, n)        x[i], i < n, as they will be operands of products: as they are, but for a team that rounds
#pragma once

#include <utility>

#include "math/elementary.h"
#include "team/product.h"

COHORT_BEGIN

#if defined(__AVX512F__)
inline constexpr int vector_bytes = 64;
#elif defined(__AVX__)
inline constexpr int vector_bytes = 32;
#else
inline constexpr int vector_bytes = 16;
#endif

// Register tiles: `rows` rows x `vecs` vectors of accumulators, kept out of the callers so that they are compiled once.
template <class Real>
struct Tile {
  typedef Real Vec __attribute__((vector_size(vector_bytes), aligned(sizeof(Real)), may_alias));
  static constexpr int lanes = vector_bytes / int(sizeof(Real));
  static constexpr int widest = vector_bytes == 64 ? 4 : 2;

  template <int rows, int vecs>
  static __attribute__((noinline)) void multiply(const Product<Real>* products, int n_products, int row, int col,
                                                 Real* out) {
    Vec acc[rows][vecs] = {};
    for (int p = 0; p < n_products; ++p) {
      const Real* a = products[p].a + row * products[p].a_row;
      const Real* b = products[p].b + col;
      const ptrdiff_t a_row = products[p].a_row, a_k = products[p].a_k, ldb = products[p].ldb,
                      ahead = products[p].ahead;
      for (int k = products[p].k; k > 0; --k) {
        Vec bv[vecs];
#pragma GCC unroll 4
        for (int v = 0; v < vecs; ++v) bv[v] = *reinterpret_cast<const Vec*>(b + v * lanes);
        if constexpr (vecs == widest) __builtin_prefetch(b + ahead);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
          const Vec av = a[r * a_row] - Vec{};  // x - 0 is x, a broadcast; 0 + x is an addition
#pragma GCC unroll 4
          for (int v = 0; v < vecs; ++v) acc[r][v] += av * bv[v];
        }
        a += a_k;
        b += ldb;
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < vecs; ++v) *reinterpret_cast<Vec*>(out + (r * vecs + v) * lanes) = acc[r][v];
  }
  // The tile's first `have` rows, 0 < have <= rows.
  template <int rows, int vecs>
  static COHORT_FORCE_INLINE void multiply_rows(int have, const Product<Real>* products, int n_products, int row,
                                                int col, Real* out) {
    if (have == rows)
      multiply<rows, vecs>(products, n_products, row, col, out);
    else if constexpr (rows > 1)
      multiply_rows<rows - 1, vecs>(have, products, n_products, row, col, out);
  }

  // A square of `lanes` rows and columns, transposed.
  static __attribute__((noinline)) void transpose(const Real* from, ptrdiff_t ld, Real* to, ptrdiff_t ld_to) {
    Vec v[lanes];
#pragma GCC unroll 16
    for (int r = 0; r < lanes; ++r) v[r] = *reinterpret_cast<const Vec*>(from + r * ld);
    exchange<lanes / 2>(v, std::make_integer_sequence<int, lanes>{});
#pragma GCC unroll 16
    for (int c = 0; c < lanes; ++c) *reinterpret_cast<Vec*>(to + c * ld_to) = v[c];
  }

  // Dot products of `lanes` rows of a with `cols` rows of b, both read up to a multiple of `lanes`: out [cols][lanes].
  // Rows from `rows` on are the last again.
  template <int cols>
  static __attribute__((noinline)) void dots(const Real* a, ptrdiff_t a_row, int rows, const Real* b, ptrdiff_t b_row,
                                             int k, Real* out) {
    Vec part[cols][lanes];
    for (int r = 0; r < lanes; ++r) {
      Vec acc[cols] = {};
      for (int j = 0; j < k; j += lanes) {
        const Vec av = *reinterpret_cast<const Vec*>(a + j);
#pragma GCC unroll 4
        for (int c = 0; c < cols; ++c) acc[c] += av * *reinterpret_cast<const Vec*>(b + c * b_row + j);
      }
#pragma GCC unroll 4
      for (int c = 0; c < cols; ++c) part[c][r] = acc[c];
      if (r + 1 < rows) a += a_row;
    }
    for (int c = 0; c < cols; ++c) {
      sums<lanes / 2>(part[c], std::make_integer_sequence<int, lanes>{});
      *reinterpret_cast<Vec*>(out + c * lanes) = part[c][0];
    }
  }

  // Lane l of v[0] becomes the sum of v[l], added up in halves; v [2 * half] holds what is left to add.
  template <int half, int... lane>
  static COHORT_FORCE_INLINE void sums(Vec* v, std::integer_sequence<int, lane...> all) {
#pragma GCC unroll 16
    for (int i = 0; i < half; ++i)
      v[i] = __builtin_shufflevector(v[i], v[i + half], (lane & half ? lanes + lane : lane)...) +
             __builtin_shufflevector(v[i], v[i + half], (lane & half ? lanes + lane - half : lane + half)...);
    if constexpr (half > 1) sums<half / 2>(v, all);
  }

 private:
  // Blocks of `half` rows and columns above and below the diagonal change places, then blocks of half their size.
  template <int half, int... lane>
  static COHORT_FORCE_INLINE void exchange(Vec* v, std::integer_sequence<int, lane...> all) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) {
      if (i & half) continue;
      const Vec above = v[i], below = v[i + half];
      v[i] = __builtin_shufflevector(above, below, (lane & half ? lanes + lane - half : lane)...);
      v[i + half] = __builtin_shufflevector(above, below, (lane & half ? lanes + lane : lane + half)...);
    }
    if constexpr (half > 1) exchange<half / 2>(v, all);
  }
};

struct SerialTeam {
  static constexpr int block = 32;
  static constexpr int gradient_rows = 512;
  static constexpr bool keeps_deltas = true;
  static constexpr int lane() { return 0; }
  static constexpr int size() { return 1; }
  static void sync() {}

  template <class Real>
  static constexpr int pad(int n) {
    constexpr int lanes = Tile<Real>::lanes;
    return (n + lanes - 1) / lanes * lanes;
  }

  template <class Real>
  static COHORT_FORCE_INLINE void round_operands(Real*, int) {}

  template <class F>
  COHORT_FORCE_INLINE void for_each(int n, F f) const {
    COHORT_SIMD
    for (int i = 0; i < n; ++i) f(i);
  }
  template <class F>
  COHORT_FORCE_INLINE void for_each_2d(int rows, int cols, F f) const {
    for (int r = 0; r < rows; ++r) {
      COHORT_SIMD
      for (int c = 0; c < cols; ++c) f(r, c);
    }
  }

  template <class Real, class F>
  COHORT_FORCE_INLINE Real sum(int n, F f) const {
    constexpr int width = 16;
    Real part[width] = {};
    int i = 0;
    for (; i + width <= n; i += width)
      for (int j = 0; j < width; ++j) part[j] += f(i + j);
    for (int j = 0; i + j < n; ++j) part[j] += f(i + j);
    for (int half = width / 2; half > 0; half /= 2)
      for (int j = 0; j < half; ++j) part[j] += part[j + half];
    return part[0];
  }

  template <class Real>
  void transpose(int rows, int cols, const Real* from, ptrdiff_t ld, Real* to, ptrdiff_t ld_to) const {
    constexpr int side = Tile<Real>::lanes;
    for (int r = 0; r < rows; r += side)
      for (int c = 0; c < cols; c += side) {
        if (r + side <= rows && c + side <= cols) {
          Tile<Real>::transpose(from + r * ld + c, ld, to + c * ld_to + r, ld_to);
          continue;
        }
        for (int j = c; j < cols && j < c + side; ++j)
          for (int i = r; i < rows && i < r + side; ++i) to[j * ld_to + i] = from[i * ld + j];
      }
  }

  template <class Real, int n_products, class Epilogue>
  void gemm(int m, int n, const Product<Real> (&products)[n_products], const Epilogue& epilogue) const {
    constexpr int lanes = Tile<Real>::lanes, widest = Tile<Real>::widest;
    int col = 0;
    const int end = pad<Real>(n);
    if constexpr (widest == 4)
      for (; col + 4 * lanes <= end; col += 4 * lanes) panel<Real, 6, 4>(m, col, products, n_products, epilogue);
    for (; col + 2 * lanes <= end; col += 2 * lanes)
      panel<Real, vector_bytes == 64 ? 8 : 6, 2>(m, col, products, n_products, epilogue);
    if (col < end) panel<Real, 8, 1>(m, col, products, n_products, epilogue);
  }

  template <class Real, class Epilogue>
  void gemm_narrow(int m, int n, const Product<Real>& product, const Real* b_t, ptrdiff_t ldb_t,
                   const Epilogue& epilogue) const {
    int col = 0;
    for (; col + 4 <= n; col += 4) dots<4>(m, col, product, b_t, ldb_t, epilogue);
    if (n - col == 3) dots<3>(m, col, product, b_t, ldb_t, epilogue);
    if (n - col == 2) dots<2>(m, col, product, b_t, ldb_t, epilogue);
    if (n - col == 1) dots<1>(m, col, product, b_t, ldb_t, epilogue);
  }

 private:
  template <class Real, int rows, int vecs, class Epilogue>
  COHORT_FORCE_INLINE void panel(int m, int col, const Product<Real>* products, int n_products,
                                 const Epilogue& epilogue) const {
    constexpr int width = vecs * Tile<Real>::lanes;
    alignas(64) Real out[rows * width];
    for (int row = 0; row < m; row += rows) {
      const int have = m - row < rows ? m - row : rows;
      Tile<Real>::template multiply_rows<rows, vecs>(have, products, n_products, row, col, out);
      for (int r = 0; r < have; ++r) {
        COHORT_SIMD
        for (int c = 0; c < width; ++c) epilogue(row + r, col + c, out[r * width + c]);
      }
    }
  }
  template <int cols, class Real, class Epilogue>
  COHORT_FORCE_INLINE void dots(int m, int col, const Product<Real>& product, const Real* b_t, ptrdiff_t ldb_t,
                                const Epilogue& epilogue) const {
    constexpr int lanes = Tile<Real>::lanes;
    alignas(64) Real out[cols * lanes];
    for (int row = 0; row < m; row += lanes) {
      const int rows = m - row < lanes ? m - row : lanes;
      Tile<Real>::template dots<cols>(product.a + row * product.a_row, product.a_row, rows, b_t + col * ldb_t, ldb_t,
                                      product.k, out);
      for (int c = 0; c < cols; ++c) {
        COHORT_SIMD
        for (int r = 0; r < rows; ++r) epilogue(row + r, col + c, out[c * lanes + r]);
      }
    }
  }
};

COHORT_END

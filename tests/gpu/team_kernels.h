// The functions of CtaTeam, each behind a kernel of one block of n_threads threads. All pointers are device memory.
#pragma once

#include "cuda/gpu.h"

namespace cohort::testing {

// out [m][pad(n)] = sum over two products of A_p [m][k_p] (any strides) and B_p [k_p][ldb_p].
template <class Real>
struct GemmCase {
  int m, n, k[2];
  const Real* a[2];
  ptrdiff_t a_row[2], a_k[2];
  const Real* b[2];
  ptrdiff_t ldb[2];
  Real* out;
  int* hits;  // [m][pad(n)] how often the epilogue was called
};
template <class Real>
void run_gemm(const GemmCase<Real>& c, int n_threads);
// out[i] = the sum of x [n] as lane i sees it; then once more, in the same kernel.
template <class Real>
void run_sum(const Real* x, int n, Real* out, int n_threads);
// hits[i] += 1 for every call of for_each(n); hits_2d[r * cols + c] += 1 for every call of for_each_2d(rows, cols).
void run_for_each(int n, int* hits, int rows, int cols, int* hits_2d, int n_threads);

}  // namespace cohort::testing

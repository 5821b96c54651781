// cuBLAS's stand-in: a thread a column, a block a matrix.
#include <cublas_v2.h>

#include "cuda/gpu.h"

struct cublasContext {
  cudaStream_t stream = nullptr;
};

namespace {

struct Gemm {
  bool transposed_a, transposed_b;
  int m, n, k;
  float alpha, beta;
  const float* a;
  int lda;
  long long next_a;
  const float* b;
  int ldb;
  long long next_b;
  float* c;
  int ldc;
  long long next_c;
};

__global__ void gemm_kernel(const Gemm g) {
  const float* const a = g.a + blockIdx.x * g.next_a;
  const float* const b = g.b + blockIdx.x * g.next_b;
  float* const c = g.c + blockIdx.x * g.next_c;
  for (int j = int(threadIdx.x); j < g.n; j += int(blockDim.x))
    for (int i = 0; i < g.m; ++i) {
      float sum = 0;
      for (int p = 0; p < g.k; ++p)
        sum += a[g.transposed_a ? ptrdiff_t(i) * g.lda + p : ptrdiff_t(p) * g.lda + i] *
               b[g.transposed_b ? ptrdiff_t(p) * g.ldb + j : ptrdiff_t(j) * g.ldb + p];
      float& out = c[ptrdiff_t(j) * g.ldc + i];
      out = g.alpha * sum + (g.beta == 0 ? 0 : g.beta * out);
    }
}

}  // namespace

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace(cublasHandle_t, void* workspace, size_t) {
  return reinterpret_cast<uintptr_t>(workspace) % 256 == 0 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}
cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m,
                                         int n, int k, const float* alpha, const float* a, int lda, long long next_a,
                                         const float* b, int ldb, long long next_b, const float* beta, float* c,
                                         int ldc, long long next_c, int count) {
  const bool ta = op_a == CUBLAS_OP_T, tb = op_b == CUBLAS_OP_T;
  if (m < 0 || n < 0 || k < 0 || count < 0 || lda < (ta ? k : m) || ldb < (tb ? n : k) || ldc < m)
    return CUBLAS_STATUS_INVALID_VALUE;
  if (m == 0 || n == 0 || count == 0) return CUBLAS_STATUS_SUCCESS;
  gpu::launch(gemm_kernel, count, 4, 0, handle->stream,
              {ta, tb, m, n, k, *alpha, *beta, a, lda, next_a, b, ldb, next_b, c, ldc, next_c});
  return CUBLAS_STATUS_SUCCESS;
}

#include "gpu/ptx_kernels.h"

#include "cuda/ptx.h"

namespace cohort::testing {
namespace {

template <int width, int n_pending>
__global__ void copy_kernel(const float* from, int n_valid, float* to, int n) {
  GPU_DYN_SMEM(raw);
  constexpr int each = width / 4;
  const int stage = int(blockDim.x) * each, t = int(threadIdx.x) * each, n_stages = n / stage;
  gpu::Smem smem(raw);
  float* const s = smem.take<float>(size_t((n_pending + 1) * stage));
  const auto issue = [&](int i) {
    float* const place = s + i % (n_pending + 1) * stage + t;
    const int first = i * stage + t;
    const bool valid = first < n_valid;
    if constexpr (width == 16)
      ptx::cp_async_16(place, valid ? from + first : nullptr, valid);
    else
      ptx::cp_async_4(place, valid ? from + first : nullptr, valid);
  };
  for (int i = 0; i < n_pending; ++i) {
    if (i < n_stages) issue(i);
    ptx::cp_async_commit();
  }
  for (int i = 0; i < n_stages; ++i) {
    if (i + n_pending < n_stages) issue(i + n_pending);
    ptx::cp_async_commit();
    ptx::cp_async_wait<n_pending>();
    __syncthreads();
    const float* const landed = s + i % (n_pending + 1) * stage;
    for (int k = int(threadIdx.x); k < stage; k += int(blockDim.x)) to[i * stage + k] = landed[k];
    __syncthreads();
  }
}

__global__ void chain_kernel(int* value, int* flag, int step) {
  const int b = int(blockIdx.x), before = b - step;
  if (threadIdx.x != 0) return;
  int n = 0;
  if (before >= 0 && before < int(gridDim.x)) {
    while (ptx::load_acquire(flag + before) != 1) gpu::spin_hint();
    n = value[before];
  }
  value[b] = n + 1;
  ptx::store_release(flag + b, 1);
}

template <MatrixKind kind>
__global__ void ldmatrix_kernel(const uint16_t* matrices, uint32_t* r) {
  GPU_SHARED(uint4, rows, 32);
  const int lane = int(threadIdx.x);
  uint16_t* const row = reinterpret_cast<uint16_t*>(rows + lane);
  for (int j = 0; j < 8; ++j) row[j] = matrices[lane * 8 + j];
  __syncthreads();
  uint32_t x[4] = {}, pair[2] = {};
  if constexpr (kind == MatrixKind::x4) ptx::ldmatrix_x4(x, row);
  if constexpr (kind == MatrixKind::x4_trans) ptx::ldmatrix_x4_trans(x, row);
  if constexpr (kind == MatrixKind::x2) ptx::ldmatrix_x2(pair, row);
  if constexpr (kind == MatrixKind::x2_trans) ptx::ldmatrix_x2_trans(pair, row);
  if constexpr (kind == MatrixKind::x2 || kind == MatrixKind::x2_trans)
    for (int i = 0; i < 2; ++i) x[i] = pair[i];
  for (int i = 0; i < 4; ++i) r[lane * 4 + i] = x[i];
}

template <bool transposed>
__global__ void stmatrix_kernel(const uint32_t* r, uint16_t* matrices) {
  GPU_SHARED(uint4, rows, 32);
  const int lane = int(threadIdx.x);
  uint32_t x[4];
  for (int i = 0; i < 4; ++i) x[i] = r[lane * 4 + i];
  uint16_t* const row = reinterpret_cast<uint16_t*>(rows + lane);
  if constexpr (transposed)
    ptx::stmatrix_x4_trans(row, x);
  else
    ptx::stmatrix_x4(row, x);
  __syncthreads();
  for (int j = 0; j < 8; ++j) matrices[lane * 8 + j] = row[j];
}

template <bool bf16>
__global__ void mma_kernel(const uint32_t* a, const uint32_t* b, const float* c, float* d) {
  const int lane = int(threadIdx.x);
  uint32_t left[4], right[2];
  float in[4], out[4];
  for (int i = 0; i < 4; ++i) left[i] = a[lane * 4 + i];
  for (int i = 0; i < 2; ++i) right[i] = b[lane * 2 + i];
  for (int i = 0; i < 4; ++i) in[i] = c[lane * 4 + i];
  if constexpr (bf16)
    ptx::mma_m16n8k16_bf16(out, left, right, in);
  else
    ptx::mma_m16n8k16_f16(out, left, right, in);
  for (int i = 0; i < 4; ++i) d[lane * 4 + i] = out[i];
}

template <bool bf16>
__global__ void narrow_mma_kernel(const uint32_t* a, const uint32_t* b, const float* c, float* d) {
  const int lane = int(threadIdx.x);
  uint32_t left[2];
  float in[4], out[4];
  for (int i = 0; i < 2; ++i) left[i] = a[lane * 2 + i];
  for (int i = 0; i < 4; ++i) in[i] = c[lane * 4 + i];
  if constexpr (bf16)
    ptx::mma_m16n8k8_bf16(out, left, b[lane], in);
  else
    ptx::mma_m16n8k8_f16(out, left, b[lane], in);
  for (int i = 0; i < 4; ++i) d[lane * 4 + i] = out[i];
}

__global__ void elementwise_kernel(const float* x, const float* y, uint32_t top, int n, Elementwise out) {
  for (int i = int(threadIdx.x); i < n; i += int(blockDim.x)) {
    out.f16[i] = ptx::pack_f16(x[i], y[i]);
    out.bf16[i] = ptx::pack_bf16(x[i], y[i]);
    out.from_f16[i] = ptx::unpack_f16(out.f16[i]);
    out.from_bf16[i] = ptx::unpack_bf16(out.bf16[i]);
    out.largest[i] = ptx::largest_f16(top, out.f16[i]);
    out.exp2[i] = ptx::exp2_approx(x[i]);
    out.reciprocal[i] = ptx::reciprocal_approx(x[i]);
    out.tanh[i] = ptx::tanh_approx(x[i]);
  }
}

// Adds the product twice, in place, and halves the sum.
__global__ void product_kernel(const uint16_t* a, const uint16_t* b, float* d) {
  GPU_SHARED(uint4, left, 32);   // [16][16] halves
  GPU_SHARED(uint4, right, 16);  // [16][8]
  const int lane = int(threadIdx.x);
  uint16_t* const a_rows = reinterpret_cast<uint16_t*>(&left[0]);
  uint16_t* const b_rows = reinterpret_cast<uint16_t*>(&right[0]);
  for (int i = lane; i < 256; i += 32) a_rows[i] = a[i];
  for (int i = lane; i < 128; i += 32) b_rows[i] = b[i];
  __syncthreads();
  uint32_t x[4], y[2];
  ptx::ldmatrix_x4(x, a_rows + lane % 16 * 16 + lane / 16 * 8);
  ptx::ldmatrix_x2_trans(y, b_rows + lane % 16 * 8);
  float sum[4] = {};
  ptx::mma_m16n8k16_f16(sum, x, y, sum);
  ptx::mma_m16n8k16_f16(sum, x, y, sum);
  for (int i = 0; i < 4; ++i) d[(lane / 4 + 8 * (i / 2)) * 8 + 2 * (lane % 4) + i % 2] = sum[i] / 2;
}

__global__ void hand_over_kernel(const float* x, float* y, int n_rounds, bool arrive) {
  constexpr int full = 1, empty = 2;
  GPU_SHARED(float, buffer, 32);
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  float sum = 0;
  for (int i = 0; i < n_rounds; ++i) {
    if (warp == 0) {
      ptx::barrier_sync(empty, 64);
      buffer[lane] = x[i * 32 + lane];
      if (arrive)
        ptx::barrier_arrive(full, 64);
      else
        ptx::barrier_sync(full, 64);
    } else if (warp == 1) {
      if (arrive)
        ptx::barrier_arrive(empty, 64);
      else
        ptx::barrier_sync(empty, 64);
      ptx::barrier_sync(full, 64);
      sum += buffer[31 - lane];
    }
  }
  if (warp == 1) y[lane] = sum;
}

template <class... P>
void run(void (*kernel)(P...), int n_blocks, int n_threads, std::type_identity_t<P>... args) {
  gpu::launch(kernel, n_blocks, unsigned(n_threads), 0, nullptr, args...);
  gpu::check(cudaDeviceSynchronize(), "kernel");
}

}  // namespace

void run_copies(const float* from, int n_valid, float* to, int n, int width, int n_pending, int n_threads) {
  gpu::Smem smem(nullptr);
  smem.take<float>(size_t((n_pending + 1) * n_threads * (width / 4)));
  const auto kernel = width == 16 ? (n_pending ? copy_kernel<16, 1> : copy_kernel<16, 0>)
                                  : (n_pending ? copy_kernel<4, 1> : copy_kernel<4, 0>);
  gpu::launch(kernel, 1, unsigned(n_threads), smem.bytes(), nullptr, from, n_valid, to, n);
  gpu::check(cudaDeviceSynchronize(), "copies");
}
void run_chain(int* value, int* flag, int step, int n_blocks) { run(chain_kernel, n_blocks, 32, value, flag, step); }
void run_ldmatrix(MatrixKind kind, const uint16_t* matrices, uint32_t* r) {
  constexpr void (*kernels[])(const uint16_t*, uint32_t*) = {
      ldmatrix_kernel<MatrixKind::x4>, ldmatrix_kernel<MatrixKind::x4_trans>, ldmatrix_kernel<MatrixKind::x2>,
      ldmatrix_kernel<MatrixKind::x2_trans>};
  run(kernels[int(kind)], 1, 32, matrices, r);
}
void run_stmatrix(bool transposed, const uint32_t* r, uint16_t* matrices) {
  run(transposed ? stmatrix_kernel<true> : stmatrix_kernel<false>, 1, 32, r, matrices);
}
void run_mma(bool bf16, const uint32_t* a, const uint32_t* b, const float* c, float* d) {
  run(bf16 ? mma_kernel<true> : mma_kernel<false>, 1, 32, a, b, c, d);
}
void run_narrow_mma(bool bf16, const uint32_t* a, const uint32_t* b, const float* c, float* d) {
  run(bf16 ? narrow_mma_kernel<true> : narrow_mma_kernel<false>, 1, 32, a, b, c, d);
}
void run_elementwise(const float* x, const float* y, uint32_t top, int n, const Elementwise& out) {
  run(elementwise_kernel, 1, 64, x, y, top, n, out);
}
void run_product(const uint16_t* a, const uint16_t* b, float* d) { run(product_kernel, 1, 32, a, b, d); }
void run_hand_over(const float* x, float* y, int n_rounds, bool arrive) {
  run(hand_over_kernel, 1, 96, x, y, n_rounds, arrive);
}

}  // namespace cohort::testing

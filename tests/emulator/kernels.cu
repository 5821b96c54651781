#include "emulator/kernels.h"

namespace test_kernels {
namespace {

constexpr unsigned full = 0xffffffffu;

__global__ void block_sum_kernel(const float* x, float* y) {
  GPU_SHARED(float, partial, 32);
  const unsigned t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
  float sum = x[i];
  for (int o = 16; o > 0; o >>= 1) sum += __shfl_xor_sync(full, sum, o);
  if (t % 32 == 0) partial[t / 32] = sum;
  __syncthreads();
  sum = 0;
  for (unsigned w = 0; w < blockDim.x / 32; ++w) sum += partial[w];
  y[i] = sum;
}

struct Slices {
  float* a;
  float* b;
  __host__ __device__ Slices(gpu::Smem& smem, int n) : a(smem.take<float>(size_t(n))), b(smem.take<float>(size_t(n))) {}
};

__global__ void slices_kernel(float* y) {
  GPU_DYN_SMEM(raw);
  gpu::Smem smem(raw);
  const Slices s(smem, int(blockDim.x));
  const unsigned t = threadIdx.x;
  s.a[t] = float(t);
  s.b[blockDim.x - 1 - t] = 1.0f;
  __syncthreads();
  y[t] = s.a[t] + s.b[t];
}

__global__ void votes_kernel(unsigned* y) {
  const unsigned t = threadIdx.x;
  const unsigned odd = __ballot_sync(full, int(t & 1)), sum = __reduce_add_sync(full, t),
                 top = __reduce_max_sync(full, t);
  const int any = __any_sync(full, t == 3), all = __all_sync(full, t < 31);
  const unsigned next = __shfl_down_sync(full, t, 1u), previous = __shfl_up_sync(full, t, 1u),
                 third = __shfl_sync(full, t, 3);
  const unsigned values[8] = {odd, sum, top, unsigned(any), unsigned(all), next, previous, third};
  for (int k = 0; k < 8; ++k) y[k * 32 + int(t)] = values[k];
}

__global__ void count_kernel(int* y) { atomicAdd(y, 1); }

__global__ void arrival_kernel(int* ticket, int* y) {
  y[threadIdx.x] = atomicAdd(ticket, 1);
  __syncthreads();
}

__global__ void flag_kernel(int* f) {
  if (threadIdx.x == 0)
    while (atomicAdd(f, 0) == 0) gpu::spin_hint();
  else
    atomicExch(f, 1);
}

__global__ void increment_kernel(float* y) { y[threadIdx.x] += 1.0f; }
__global__ void increment_view_kernel(View view) { view.y[threadIdx.x] += 1.0f; }

__global__ void uninitialised_static_kernel(float* y) {
  GPU_SHARED(float, s, 64);
  y[threadIdx.x] = s[threadIdx.x];
}
__global__ void uninitialised_dynamic_kernel(float* y) {
  GPU_DYN_SMEM(raw);
  y[threadIdx.x] = reinterpret_cast<const float*>(raw)[threadIdx.x];
}

// Each thread reads what its mirror image wrote.
__global__ void missing_barrier_kernel(float* y) {
  GPU_SHARED(float, s, 64);
  s[threadIdx.x] = float(threadIdx.x);
  y[threadIdx.x] = s[blockDim.x - 1 - threadIdx.x];
}

__global__ void divergent_barrier_kernel(float* y) {
  if (threadIdx.x < 32) {
    __syncthreads();
    y[threadIdx.x] = 1.0f;
  } else {
    y[threadIdx.x] = 1.0f;
    __syncthreads();
  }
}

__device__ void wrapped_sync(GPU_SITE) { __syncthreads(GPU_SITE_HERE); }
__global__ void divergent_wrapper_kernel(float* y) {
  if (threadIdx.x < 32)
    wrapped_sync();
  else
    wrapped_sync();
  y[threadIdx.x] = 1.0f;
}

__global__ void exit_before_barrier_kernel(float* y) {
  if (threadIdx.x >= 50) return;
  y[threadIdx.x] = 1.0f;
  __syncthreads();
}

__global__ void shuffle_outside_mask_kernel(float* y) {
  if (threadIdx.x < 16) y[threadIdx.x] = __shfl_sync(0xffffu, float(threadIdx.x), 20);
}
__global__ void shuffle_without_lanes_kernel(float* y) {
  if (threadIdx.x < 20) y[threadIdx.x] = __shfl_down_sync(full, float(threadIdx.x), 1u);
}
__global__ void divergent_collective_kernel(float* y) {
  if (threadIdx.x < 16)
    y[threadIdx.x] = __shfl_xor_sync(full, 1.0f, 1);
  else
    y[threadIdx.x] = __shfl_xor_sync(full, 2.0f, 1);
}

__global__ void static_overrun_kernel(float* y) {
  GPU_SHARED(float, s, 60);
  s[threadIdx.x] = 1.0f;
  y[threadIdx.x] = s[threadIdx.x];
}
__global__ void dynamic_overrun_kernel(float* y) {
  GPU_DYN_SMEM(raw);
  float* const s = reinterpret_cast<float*>(raw);
  s[threadIdx.x] = 1.0f;
  y[threadIdx.x] = s[threadIdx.x];
}
__global__ void slice_overrun_kernel(float* y) {
  GPU_DYN_SMEM(raw);
  gpu::Smem smem(raw);
  const Slices s(smem, int(blockDim.x));
  s.b[threadIdx.x] = 0.0f;
  s.a[threadIdx.x + 1] = 1.0f;
  y[threadIdx.x] = s.a[threadIdx.x + 1];
}
__global__ void global_overrun_kernel(float* y) { y[threadIdx.x + 1] = 1.0f; }

__global__ void spin_forever_kernel(int* f) {
  if (threadIdx.x == 0)
    while (atomicAdd(f, 0) == 0) gpu::spin_hint();
  __syncthreads();
  if (threadIdx.x == 1) atomicExch(f, 1);
}

__global__ void stuck_warp_kernel(float* y) {
  if (threadIdx.x == 0)
    __syncwarp();
  else
    __syncthreads();
  y[threadIdx.x] = 1.0f;
}

__global__ void race_kernel(float* y) {
  if (threadIdx.x < 2) y[0] = 7.0f;
}

__global__ void misaligned_kernel(float* y) { *reinterpret_cast<float4*>(y + 1) = make_float4(1, 2, 3, 4); }

}  // namespace

void block_sum(const float* x, float* y, int n_blocks, int n, cudaStream_t stream) {
  gpu::launch(block_sum_kernel, n_blocks, dim3(unsigned(n)), 0, stream, x, y);
}
size_t slices_bytes(int n) {
  gpu::Smem smem(nullptr);
  Slices(smem, n);
  return smem.bytes();
}
void slices(float* y, int n, size_t smem_bytes) {
  gpu::launch(slices_kernel, 1, dim3(unsigned(n)), smem_bytes, nullptr, y);
}
void votes(unsigned* y) { gpu::launch(votes_kernel, 1, 32, 0, nullptr, y); }
void count(int* y, int n_blocks, int n) { gpu::launch(count_kernel, n_blocks, dim3(unsigned(n)), 0, nullptr, y); }
void arrival(int* ticket, int* y, int n) { gpu::launch(arrival_kernel, 1, dim3(unsigned(n)), 0, nullptr, ticket, y); }
void flag(int* f, int n) { gpu::launch(flag_kernel, 1, dim3(unsigned(n)), 0, nullptr, f); }
void increment(float* y, int n, cudaStream_t stream) {
  gpu::launch(increment_kernel, 1, dim3(unsigned(n)), 0, stream, y);
}
void increment_view(View view) { gpu::launch(increment_view_kernel, 1, dim3(unsigned(view.n)), 0, nullptr, view); }

void read_uninitialised_static(float* y, int n) {
  gpu::launch(uninitialised_static_kernel, 1, dim3(unsigned(n)), 0, nullptr, y);
}
void read_uninitialised_dynamic(float* y, int n) {
  gpu::launch(uninitialised_dynamic_kernel, 1, dim3(unsigned(n)), size_t(n) * 4, nullptr, y);
}
void missing_barrier(float* y, int n) { gpu::launch(missing_barrier_kernel, 1, dim3(unsigned(n)), 0, nullptr, y); }
void divergent_barrier(float* y, int n) { gpu::launch(divergent_barrier_kernel, 1, dim3(unsigned(n)), 0, nullptr, y); }
void divergent_wrapper(float* y, int n) { gpu::launch(divergent_wrapper_kernel, 1, dim3(unsigned(n)), 0, nullptr, y); }
void exit_before_barrier(float* y, int n) {
  gpu::launch(exit_before_barrier_kernel, 1, dim3(unsigned(n)), 0, nullptr, y);
}
void shuffle_outside_mask(float* y) { gpu::launch(shuffle_outside_mask_kernel, 1, 32, 0, nullptr, y); }
void shuffle_without_lanes(float* y) { gpu::launch(shuffle_without_lanes_kernel, 1, 32, 0, nullptr, y); }
void divergent_collective(float* y) { gpu::launch(divergent_collective_kernel, 1, 32, 0, nullptr, y); }
void static_overrun(float* y, int n) { gpu::launch(static_overrun_kernel, 1, dim3(unsigned(n)), 0, nullptr, y); }
void dynamic_overrun(float* y, int n) {
  gpu::launch(dynamic_overrun_kernel, 1, dim3(unsigned(n)), size_t(n) * 4 - 4, nullptr, y);
}
void slice_overrun(float* y, int n) {
  gpu::launch(slice_overrun_kernel, 1, dim3(unsigned(n)), slices_bytes(n), nullptr, y);
}
void global_overrun(float* y, int n) { gpu::launch(global_overrun_kernel, 1, dim3(unsigned(n)), 0, nullptr, y); }
void spin_forever(int* f, int n) { gpu::launch(spin_forever_kernel, 1, dim3(unsigned(n)), 0, nullptr, f); }
void stuck_warp(float* y) { gpu::launch(stuck_warp_kernel, 1, 32, 0, nullptr, y); }
void race(float* y, int n) { gpu::launch(race_kernel, 1, dim3(unsigned(n)), 0, nullptr, y); }
void misaligned(float* y) { gpu::launch(misaligned_kernel, 1, 1, 0, nullptr, y); }

}  // namespace test_kernels

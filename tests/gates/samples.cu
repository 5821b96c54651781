// Kernels that the gate must pass (clean, outside, tensor) and fail (inside, callee, pointer). Each has a queue of work and a
// phase with time steps around a loop of products, as the tuned kernels have.
#include <mma.h>

// A register tile: 32 sums of products.
struct SampleTile {
  float v[4][8] = {};
  __device__ __forceinline__ void multiply(const float* a, const float* b, int k) {
#pragma unroll 1
    for (int j = 0; j < k; ++j)
#pragma unroll
      for (int r = 0; r < 4; ++r)
#pragma unroll
        for (int c = 0; c < 8; ++c) v[r][c] += a[32 * j + r] * b[32 * j + c];
  }
  __device__ __forceinline__ void store(float* out) const {
#pragma unroll
    for (int r = 0; r < 4; ++r)
#pragma unroll
      for (int c = 0; c < 8; ++c) out[8 * r + c] = v[r][c];
  }
};

// No local memory.
__device__ __noinline__ void clean_phase(const float* a, const float* b, int k, int n_steps, float* out) {
  for (int t = 0; t < n_steps; ++t) {
    SampleTile tile;
    tile.multiply(a + t, b, k);
    __syncthreads();
    tile.store(out + 32 * t);
  }
}
__global__ void __launch_bounds__(256)
    clean_kernel(const float* a, const float* b, int k, int n_steps, int n, float* out) {
  for (int i = int(blockIdx.x); i < n; i += int(gridDim.x)) clean_phase(a + i, b, k, n_steps, out + 32 * i * n_steps);
}

// The same with 32 registers a thread: the sums are spilled in the loop of the products.
__device__ __noinline__ void inside_phase(const float* a, const float* b, int k, int n_steps, float* out) {
  for (int t = 0; t < n_steps; ++t) {
    SampleTile tile;
    tile.multiply(a + t, b, k);
    __syncthreads();
    tile.store(out + 32 * t);
  }
}
__global__ void __launch_bounds__(1024, 2)
    inside_kernel(const float* a, const float* b, int k, int n_steps, int n, float* out) {
  for (int i = int(blockIdx.x); i < n; i += int(gridDim.x)) inside_phase(a + i, b, k, n_steps, out + 32 * i * n_steps);
}

// More values live across the loop than there are registers: spilled before it, loaded again behind it.
__device__ __noinline__ void outside_phase(const float* a, const float* b, int k, float* out) {
  float kept[48];
#pragma unroll
  for (int i = 0; i < 48; ++i) kept[i] = static_cast<const volatile float*>(a)[i];
  SampleTile tile;
  tile.multiply(a, b, k);
  tile.store(out);
#pragma unroll
  for (int i = 0; i < 48; ++i) out[32 + i] = kept[i];
}
__global__ void __launch_bounds__(1024) outside_kernel(const float* a, const float* b, int k, int n, float* out) {
  for (int i = int(blockIdx.x); i < n; i += int(gridDim.x)) outside_phase(a + i, b, k, out + 80 * i);
}

// The phase is free of local memory, but its time loop calls a function that is not.
__device__ __noinline__ float chosen(const float* a, const int* which) {
  float some[8];
  for (int i = 0; i < 8; ++i) some[which[i]] = a[i];
  float sum = 0.0f;
  for (int i = 0; i < 8; ++i) sum += some[which[8 + i]];
  return sum;
}
__device__ __noinline__ void callee_phase(const float* a, const float* b, const int* which, int k, int n_steps,
                                          float* out) {
  for (int t = 0; t < n_steps; ++t) {
    SampleTile tile;
    tile.multiply(a + t, b, k);
    tile.v[0][0] += chosen(a + t, which);
    tile.store(out + 32 * t);
  }
}
__global__ void __launch_bounds__(256)
    callee_kernel(const float* a, const float* b, const int* which, int k, int n_steps, int n, float* out) {
  for (int i = int(blockIdx.x); i < n; i += int(gridDim.x))
    callee_phase(a + i, b, which, k, n_steps, out + 32 * i * n_steps);
}

// The function that the time loop calls is known at run time only.
__device__ __noinline__ float half_of(float x) { return 0.5f * x; }
__device__ __noinline__ float twice(float x) { return 2.0f * x; }
__device__ float (*const pointers[])(float) = {half_of, twice};
__device__ __noinline__ void pointer_phase(const float* a, const float* b, int which, int k, int n_steps, float* out) {
  for (int t = 0; t < n_steps; ++t) {
    SampleTile tile;
    tile.multiply(a + t, b, k);
    tile.v[0][0] = pointers[which](tile.v[0][0]);
    tile.store(out + 32 * t);
  }
}
__global__ void __launch_bounds__(256)
    pointer_kernel(const float* a, const float* b, int which, int k, int n_steps, int n, float* out) {
  for (int i = int(blockIdx.x); i < n; i += int(gridDim.x))
    pointer_phase(a + i, b, which, k, n_steps, out + 32 * i * n_steps);
}

// Tensor instructions instead of FFMA.
__device__ __noinline__ void tensor_phase(const float* a, const float* b, int k, int n_steps, float* out) {
  using namespace nvcuda::wmma;
  for (int t = 0; t < n_steps; ++t) {
    fragment<accumulator, 16, 16, 8, float> sum;
    fill_fragment(sum, 0.0f);
#pragma unroll 1
    for (int j = 0; j < k; ++j) {
      fragment<matrix_a, 16, 16, 8, precision::tf32, row_major> left;
      fragment<matrix_b, 16, 16, 8, precision::tf32, row_major> right;
      load_matrix_sync(left, a + 64 * t + 8 * j, 64);
      load_matrix_sync(right, b + 64 * j, 64);
      mma_sync(sum, left, right, sum);
    }
    store_matrix_sync(out + 256 * t, sum, 16, mem_row_major);
  }
}
__global__ void __launch_bounds__(256)
    tensor_kernel(const float* a, const float* b, int k, int n_steps, int n, float* out) {
  for (int i = int(blockIdx.x); i < n; i += int(gridDim.x)) tensor_phase(a + i, b, k, n_steps, out + 256 * i * n_steps);
}

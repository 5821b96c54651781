// The stand-in for kernels/cuda/segmented_sort.cu, which is CUB's: sorts where its interface says so and spoils the rest.
#include "cuda/segmented_sort.h"

#include <algorithm>
#include <limits>

namespace cohort {

namespace {

constexpr size_t scratch_bytes_each = 24;  // not CUB's, so that nobody counts on that

// One thread a segment.
__global__ void sort_kernel(unsigned char* scratch, float* keys, float* other, const int32_t* offsets) {
  const int s = int(blockIdx.x);
  for (size_t i = 0; i < scratch_bytes_each; ++i) scratch[size_t(s) * scratch_bytes_each + i] = 0xff;
  for (int32_t i = offsets[s]; i < offsets[s + 1]; ++i) {
    if (keys[i] != keys[i]) emulator::fail("segmented_sort: key %d is NaN", i);
    other[i] = keys[i];
    keys[i] = std::numeric_limits<float>::quiet_NaN();
  }
  std::sort(other + offsets[s], other + offsets[s + 1]);
}

}  // namespace

size_t segmented_sort_bytes(int64_t n_segments, int64_t) { return size_t(n_segments) * scratch_bytes_each; }

float* segmented_sort(void* scratch, size_t scratch_bytes, float* keys, float* other, const int32_t* offsets,
                      int64_t n_segments, int64_t n, cudaStream_t stream) {
  if (scratch_bytes < segmented_sort_bytes(n_segments, n) || n_segments * n > most_sorted)
    emulator::fail("segmented_sort: too little scratch memory or too many keys");
  gpu::launch(sort_kernel, int(n_segments), 1, 0, stream, static_cast<unsigned char*>(scratch), keys, other, offsets);
  return other;
}

}  // namespace cohort

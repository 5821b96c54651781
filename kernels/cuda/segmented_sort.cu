#include "cuda/segmented_sort.h"

#include <cub/device/device_segmented_radix_sort.cuh>

namespace cohort {

size_t segmented_sort_bytes(int64_t n_segments, int64_t n) {
  size_t bytes = 0;
  cub::DoubleBuffer<float> keys(nullptr, nullptr);
  const int32_t* const offsets = nullptr;
  gpu::check(cub::DeviceSegmentedRadixSort::SortKeys(nullptr, bytes, keys, int(n_segments * n), int(n_segments),
                                                     offsets, offsets),
             "scratch memory of a sort");
  return bytes;
}

float* segmented_sort(void* scratch, size_t scratch_bytes, float* keys, float* other, const int32_t* offsets,
                      int64_t n_segments, int64_t n, cudaStream_t stream) {
  cub::DoubleBuffer<float> buffers(keys, other);
  gpu::check(cub::DeviceSegmentedRadixSort::SortKeys(scratch, scratch_bytes, buffers, int(n_segments * n),
                                                     int(n_segments), offsets, offsets + 1, 0, 32, stream),
             "sort of segments");
  return buffers.Current();
}

}  // namespace cohort

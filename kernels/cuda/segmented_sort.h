// Sorting many equally long pieces of an array at once: CUB's, behind two functions, so that the emulator brings its own.
#pragma once

#include "cuda/gpu.h"

namespace cohort {

inline constexpr int64_t most_sorted = INT32_MAX;  // floats of a call

// Scratch memory that a call takes.
size_t segmented_sort_bytes(int64_t n_segments, int64_t n);

// Enqueued in the stream: ascending within every segment [n_segments][n], n_segments n <= most_sorted. `keys` and `other`, which
// is scratch, hold as many; `offsets` [n_segments + 1] are multiples of n, all in the device's memory. Returns where the sorted
// keys will be: one of the two. Deterministic; infinities are sorted, NaN must not be there.
float* segmented_sort(void* scratch, size_t scratch_bytes, float* keys, float* other, const int32_t* offsets,
                      int64_t n_segments, int64_t n, cudaStream_t stream);

}  // namespace cohort

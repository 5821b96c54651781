// Kernels of the emulator's own tests, each behind a function that launches it with one block of `n` threads unless it
// says otherwise. The right ones come first; the others have one mistake each.
#pragma once

#include "cuda/gpu.h"

namespace test_kernels {

// y[i] = sum of x over the block, through warp shuffles, shared memory and a barrier; x, y [n_blocks][n].
void block_sum(const float* x, float* y, int n_blocks, int n, cudaStream_t stream);
// y[i] = i + 1 via two slices of dynamic shared memory.
void slices(float* y, int n, size_t smem_bytes);
size_t slices_bytes(int n);
// y[lane] = what a vote, a ballot, an atomic or a reduction of a full warp gives.
void votes(unsigned* y);
// *y counts threads of n_blocks blocks with atomicAdd.
void count(int* y, int n_blocks, int n);
// y[i] = index of thread i of block b in the order in which they ran up to their first barrier.
void arrival(int* ticket, int* y, int n);
// One thread waits for a flag that another sets.
void flag(int* f, int n);
// Adds 1 to each of y [n].
void increment(float* y, int n, cudaStream_t stream);
struct View {
  int n;
  float* y;
};
void increment_view(View view);

void read_uninitialised_static(float* y, int n);
void read_uninitialised_dynamic(float* y, int n);
void missing_barrier(float* y, int n);
void divergent_barrier(float* y, int n);
void divergent_wrapper(float* y, int n);
void exit_before_barrier(float* y, int n);
void shuffle_outside_mask(float* y);
void shuffle_without_lanes(float* y);
void divergent_collective(float* y);
void static_overrun(float* y, int n);
void dynamic_overrun(float* y, int n);
void slice_overrun(float* y, int n);
void global_overrun(float* y, int n);
void spin_forever(int* f, int n);
void stuck_warp(float* y);
void race(float* y, int n);
void misaligned(float* y);

}  // namespace test_kernels

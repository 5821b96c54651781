// The functions of cuda/ptx.h, each behind a kernel. All pointers are device memory.
#pragma once

#include <cstdint>

#include "cuda/gpu.h"

namespace cohort::testing {

// to[i] = from[i] for i < n_valid, 0 up to n, through shared memory and asynchronous copies of `width` bytes (4 or 16), in
// stages of a block's length of which `n_pending` + 1 are in flight (0 or 1). n is a multiple of n_threads * width / 4.
void run_copies(const float* from, int n_valid, float* to, int n, int width, int n_pending, int n_threads);
// Block b + step waits for block b and adds 1 to its number: value[b] = blocks before it + 1. flag [n_blocks] is 0.
void run_chain(int* value, int* flag, int step, int n_blocks);
// r [32][4] of a warp whose shared memory holds 4 matrices, [32][8] halves; kind: x4, x4_trans, x2, x2_trans.
enum class MatrixKind { x4, x4_trans, x2, x2_trans };
void run_ldmatrix(MatrixKind kind, const uint16_t* matrices, uint32_t* r);
// The other way round.
void run_stmatrix(bool transposed, const uint32_t* r, uint16_t* matrices);
// d [32][4] = a [32][4] b [32][2] + c [32][4], fragments by lane; f16 or bf16.
void run_mma(bool bf16, const uint32_t* a, const uint32_t* b, const float* c, float* d);
// The same with k = 8: a [32][2], b [32].
void run_narrow_mma(bool bf16, const uint32_t* a, const uint32_t* b, const float* c, float* d);
// Of the pairs (x[i], y[i]), i < n: packed, and what unpacking that gives; the larger half of top and the pair, in f16; and of
// x the functions. Arrays [n].
struct Elementwise {
  uint32_t *f16, *bf16, *largest;
  float2 *from_f16, *from_bf16;
  float *exp2, *reciprocal, *tanh;
};
void run_elementwise(const float* x, const float* y, uint32_t top, int n, const Elementwise& out);
// d [16][8] = a [16][16] b [16][8], rows of halves, through ldmatrix and back through memory.
void run_product(const uint16_t* a, const uint16_t* b, float* d);
// Warp 0 hands n_rounds rows of 32 numbers to warp 1 through one buffer: y[l] = sum over rounds of x[round][31 - l]. The
// buffer's two barriers are waited for by both, or only by whoever has to (arrive).
void run_hand_over(const float* x, float* y, int n_rounds, bool arrive);

}  // namespace cohort::testing

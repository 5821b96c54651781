// Every PTX instruction of the project, one function each: inline PTX on the device, the documented effect on the
// emulator (tests/emulator/ptx.h). tests/gpu/ptx_test.cpp compares each with a scalar reference in both worlds.
//
//   cp_async_16, cp_async_4   global to shared memory in the background. Both addresses are aligned to the size. With
//                             valid = false the destination becomes zero and the source is not read. Neither source nor
//                             destination may be touched before the wait
//   cp_async_commit           the copies of this thread since the last commit become a group
//   cp_async_wait<n>          until at most the n newest groups of this thread are pending; other threads see what
//                             landed after a barrier
//   load_acquire,             flags between blocks: what was written before the store is seen after a load of its value
//   store_release
//   ldmatrix, stmatrix        8 x 8 matrices of 16-bit numbers: lane 8 m + r names row r of matrix m (16 bytes, aligned);
//                             afterwards lane l has elements (l / 4, 2 (l % 4)) and the next of matrix m in r[m], of the
//                             transposed matrix with _trans. x2 takes the addresses of lanes 0 to 15
//   mma_m16n8k16              d = a b + c, a 16 x 16 by rows, b 16 x 8 by columns, both as ldmatrix gives them (b by
//                             ldmatrix of its transpose, or _trans); c and d: lane l has (l / 4, 2 (l % 4) + {0, 1}) and
//                             the same of row l / 4 + 8. Products in float; d may be c
//   mma_m16n8k8               the same with k = 8: r[0] and r[1] of a, r[0] of b
//   pack_f16, pack_bf16       two floats, rounded to nearest even, the first in the low half; unpack is exact
//   largest_f16               max of `top` and |x| for both halves of x; a NaN stays
//   exp2_approx,              within 2 ulp; results below 2^-126 are 0
//   reciprocal_approx
//   tanh_approx               relative error 2^-11
//   thread_index              threadIdx.x, read anew at every call: what is computed from it need not stay in registers
//   barrier_sync              barrier `id` (1 to 15) of n_threads threads, whole warps; arrive does not wait
//
// ldmatrix, stmatrix, mma and the barriers are for all 32 lanes of a warp together.
#pragma once

#include <cstdint>

#include "cuda/gpu.h"

#if defined(COHORT_EMULATED)
#include "emulator/ptx.h"

namespace cohort::ptx {

inline void cp_async_16(void* shared, const void* global, bool valid = true, EMULATOR_SITE) {
  emulator::async_copy(shared, global, 16, valid, site);
}
inline void cp_async_4(void* shared, const void* global, bool valid = true, EMULATOR_SITE) {
  emulator::async_copy(shared, global, 4, valid, site);
}
inline void cp_async_commit() { emulator::async_commit(); }
template <int n>
void cp_async_wait() {
  static_assert(n >= 0);
  emulator::async_wait(n);
}

inline int load_acquire(const int* address) { return __atomic_load_n(address, __ATOMIC_ACQUIRE); }
inline void store_release(int* address, int value) { __atomic_store_n(address, value, __ATOMIC_RELEASE); }

inline void ldmatrix_x4(uint32_t (&r)[4], const void* shared_row, EMULATOR_SITE) {
  emulator::load_matrices<false>(r, shared_row, site);
}
inline void ldmatrix_x4_trans(uint32_t (&r)[4], const void* shared_row, EMULATOR_SITE) {
  emulator::load_matrices<true>(r, shared_row, site);
}
inline void ldmatrix_x2(uint32_t (&r)[2], const void* shared_row, EMULATOR_SITE) {
  emulator::load_matrices<false>(r, shared_row, site);
}
inline void ldmatrix_x2_trans(uint32_t (&r)[2], const void* shared_row, EMULATOR_SITE) {
  emulator::load_matrices<true>(r, shared_row, site);
}
inline void stmatrix_x4(void* shared_row, const uint32_t (&r)[4], EMULATOR_SITE) {
  emulator::store_matrices<false>(shared_row, r, site);
}
inline void stmatrix_x4_trans(void* shared_row, const uint32_t (&r)[4], EMULATOR_SITE) {
  emulator::store_matrices<true>(shared_row, r, site);
}

inline void mma_m16n8k16_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const float (&c)[4],
                             EMULATOR_SITE) {
  emulator::multiply_matrices<emulator::f16_to_float>(d, a, b, c, site);
}
inline void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const float (&c)[4],
                              EMULATOR_SITE) {
  emulator::multiply_matrices<emulator::bf16_to_float>(d, a, b, c, site);
}

inline void mma_m16n8k8_f16(float (&d)[4], const uint32_t (&a)[2], uint32_t b, const float (&c)[4], EMULATOR_SITE) {
  emulator::multiply_matrices<emulator::f16_to_float>(d, a, {b}, c, site);
}
inline void mma_m16n8k8_bf16(float (&d)[4], const uint32_t (&a)[2], uint32_t b, const float (&c)[4], EMULATOR_SITE) {
  emulator::multiply_matrices<emulator::bf16_to_float>(d, a, {b}, c, site);
}

inline uint32_t pack_f16(float low, float high) {
  return emulator::float_to_f16(low) | uint32_t(emulator::float_to_f16(high)) << 16;
}
inline uint32_t pack_bf16(float low, float high) {
  return emulator::float_to_bf16(low) | uint32_t(emulator::float_to_bf16(high)) << 16;
}
inline float2 unpack_f16(uint32_t x) {
  return {emulator::f16_to_float(uint16_t(x)), emulator::f16_to_float(uint16_t(x >> 16))};
}
inline float2 unpack_bf16(uint32_t x) {
  return {emulator::bf16_to_float(uint16_t(x)), emulator::bf16_to_float(uint16_t(x >> 16))};
}
inline uint32_t largest_f16(uint32_t top, uint32_t x) { return emulator::largest_of_halves(top, x); }
inline float exp2_approx(float x) {
  const float y = std::exp2(x);
  return y < 0x1p-126f ? 0.0f : y;
}
inline float reciprocal_approx(float x) {
  const float y = 1.0f / x;
  return std::fabs(y) < 0x1p-126f ? std::copysign(0.0f, y) : y;
}
inline float tanh_approx(float x) { return std::tanh(x); }

inline int thread_index() { return int(threadIdx.x); }

inline void barrier_sync(int id, int n_threads, EMULATOR_SITE) { emulator::named_barrier(id, n_threads, true, site); }
inline void barrier_arrive(int id, int n_threads, EMULATOR_SITE) {
  emulator::named_barrier(id, n_threads, false, site);
}

}  // namespace cohort::ptx

#elif defined(__CUDACC__)

namespace cohort::ptx {

__device__ __forceinline__ unsigned shared_address(const void* p) { return unsigned(__cvta_generic_to_shared(p)); }

__device__ __forceinline__ void cp_async_16(void* shared, const void* global, bool valid = true) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
               :
               : "r"(shared_address(shared)), "l"(__cvta_generic_to_global(global)), "r"(valid ? 16 : 0)
               : "memory");
}
__device__ __forceinline__ void cp_async_4(void* shared, const void* global, bool valid = true) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;"
               :
               : "r"(shared_address(shared)), "l"(__cvta_generic_to_global(global)), "r"(valid ? 4 : 0)
               : "memory");
}
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int n>
__device__ __forceinline__ void cp_async_wait() {
  static_assert(n >= 0);
  asm volatile("cp.async.wait_group %0;" : : "n"(n) : "memory");
}

__device__ __forceinline__ int load_acquire(const int* address) {
  int value;
  asm volatile("ld.acquire.gpu.global.s32 %0, [%1];" : "=r"(value) : "l"(__cvta_generic_to_global(address)) : "memory");
  return value;
}
__device__ __forceinline__ void store_release(int* address, int value) {
  asm volatile("st.release.gpu.global.s32 [%0], %1;" : : "l"(__cvta_generic_to_global(address)), "r"(value) : "memory");
}

__device__ __forceinline__ void ldmatrix_x4(uint32_t (&r)[4], const void* shared_row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(shared_row))
               : "memory");
}
__device__ __forceinline__ void ldmatrix_x4_trans(uint32_t (&r)[4], const void* shared_row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(shared_row))
               : "memory");
}
__device__ __forceinline__ void ldmatrix_x2(uint32_t (&r)[2], const void* shared_row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(shared_row))
               : "memory");
}
__device__ __forceinline__ void ldmatrix_x2_trans(uint32_t (&r)[2], const void* shared_row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(shared_row))
               : "memory");
}

// Compute capability 9.0 and up.
__device__ __forceinline__ void stmatrix_x4([[maybe_unused]] void* shared_row,
                                            [[maybe_unused]] const uint32_t (&r)[4]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};"
               :
               : "r"(shared_address(shared_row)), "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3])
               : "memory");
#else
  __trap();
#endif
}
__device__ __forceinline__ void stmatrix_x4_trans([[maybe_unused]] void* shared_row,
                                                  [[maybe_unused]] const uint32_t (&r)[4]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};"
               :
               : "r"(shared_address(shared_row)), "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3])
               : "memory");
#else
  __trap();
#endif
}

__device__ __forceinline__ void mma_m16n8k16_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                                                 const float (&c)[4]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%10, %11, %12, %13};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}
__device__ __forceinline__ void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                                                  const float (&c)[4]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%10, %11, %12, %13};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}

__device__ __forceinline__ void mma_m16n8k8_f16(float (&d)[4], const uint32_t (&a)[2], uint32_t b,
                                                const float (&c)[4]) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%7, %8, %9, %10};"
               : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(b), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}
__device__ __forceinline__ void mma_m16n8k8_bf16(float (&d)[4], const uint32_t (&a)[2], uint32_t b,
                                                 const float (&c)[4]) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%7, %8, %9, %10};"
               : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(b), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}

__device__ __forceinline__ uint32_t pack_f16(float low, float high) {
  uint32_t x;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(x) : "f"(high), "f"(low));
  return x;
}
__device__ __forceinline__ uint32_t pack_bf16(float low, float high) {
  uint32_t x;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(x) : "f"(high), "f"(low));
  return x;
}
__device__ __forceinline__ float2 unpack_f16(uint32_t x) {
  float2 y;
  asm("{.reg .f16 a, b; mov.b32 {a, b}, %2; cvt.f32.f16 %0, a; cvt.f32.f16 %1, b;}" : "=f"(y.x), "=f"(y.y) : "r"(x));
  return y;
}
__device__ __forceinline__ float2 unpack_bf16(uint32_t x) {
  return {__uint_as_float(x << 16), __uint_as_float(x & 0xffff0000u)};
}
__device__ __forceinline__ uint32_t largest_f16(uint32_t top, uint32_t x) {
  uint32_t y;
  asm("max.NaN.f16x2 %0, %1, %2;" : "=r"(y) : "r"(top), "r"(x & 0x7fff7fffu));
  return y;
}
__device__ __forceinline__ float exp2_approx(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float reciprocal_approx(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float tanh_approx(float x) {
  float y;
  asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

__device__ __forceinline__ int thread_index() {
  int index;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(index));
  return index;
}

__device__ __forceinline__ void barrier_sync(int id, int n_threads) {
  asm volatile("bar.sync %0, %1;" : : "r"(id), "r"(n_threads) : "memory");
}
__device__ __forceinline__ void barrier_arrive(int id, int n_threads) {
  asm volatile("bar.arrive %0, %1;" : : "r"(id), "r"(n_threads) : "memory");
}

}  // namespace cohort::ptx
#endif

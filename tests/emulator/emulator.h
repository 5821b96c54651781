// Runs CUDA kernels on the host, one fiber per CUDA thread. Blocks run one after another unless they wait for one another.
// Correctness only.
//
// A mistake that the emulator sees ends the process with one line on stderr that names kernel, block, thread and place;
// mistakes in memory are left to AddressSanitizer, for which shared arrays have red zones and device memory is poisoned
// while host code runs. What the hardware leaves undefined is made visible: uninitialised memory is NaN, threads run in
// three orders (in the descending one warps and blocks run ahead of others, in the random one blocks take turns), copies
// land and streams run as late as allowed.
//
// PTX is in emulator/ptx.h, CUB in shadow/cub. Not emulated: clusters, wgmma, bulk copies and mbarriers, textures,
// cooperative groups (no source uses them), device rounding. README.md says how those things are checked instead.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>  // before the macro below
#include <source_location>
#include <type_traits>

// Parts of the emulator that ThreadSanitizer must not take for the kernel's own accesses.
#define EMULATOR_NO_TSAN __attribute__((no_sanitize("thread")))

// ---- the language. __shared__ is missing on purpose: GPU_SHARED is poisoned, a C++ variable would not be.
#define __global__
#define __device__
#define __host__
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(n) alignas(n)

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) double2 {
  double x, y;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }

// Written by the scheduler on every switch.
inline thread_local uint3 threadIdx{0, 0, 0};
inline thread_local uint3 blockIdx{0, 0, 0};
inline thread_local dim3 blockDim{};
inline thread_local dim3 gridDim{};
inline constexpr int warpSize = 32;

namespace emulator {

using Site = std::source_location;

enum class Order { ascending, descending, random };

// Settings of the emulated device; change them between launches. The order is taken from the environment at the start:
// COHORT_EMULATOR_ORDER = ascending | descending | random, and COHORT_EMULATOR_SEED. All but ascending make streams
// lazy.
struct Options {
  Order order = Order::ascending;  // of threads between barriers, and of blocks
  uint64_t seed = 1;               // of the random order
  bool lazy_streams = false;       // work on a stream waits until somebody synchronises with it
  bool inter_block_races = false;  // under ThreadSanitizer: report races between blocks of one launch too
  size_t stack_bytes = 256 * 1024;
  uint64_t spin_limit = 1'000'000;        // spin hints without progress before a block counts as hung
  size_t memory_bytes = size_t(1) << 30;  // of the device
  size_t smem_per_block = 227 * 1024;     // after opting in
  size_t smem_per_multiprocessor = 228 * 1024;
  int n_multiprocessors = 2;
  int major = 9, minor = 0;  // compute capability
  int mma_guard_bits = -1;   // of tensor cores that cut sums off; -1: they round (emulator/ptx.h)
};
Options& options();

// Ends the process after naming the running kernel, block and thread.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

// ---- what the language above and below needs of the scheduler
unsigned lane();
void barrier(const Site& site);
void yield_spin();
void be_late();  // lets all other threads of the block go on as far as they get

// Meeting of the lanes in `mask`. `payload` lives on the stack of the calling fiber; the last lane to arrive runs
// combine(payloads by lane, mask) for all of them.
using Combine = void (*)(void** payload, uint32_t mask);
void meet(uint32_t mask, void* payload, Combine combine, const Site& site);

// Shared memory of the running block, NaN-filled. A slice is a red-zoned part of the dynamic memory at its device
// offset.
unsigned char* dynamic_shared();
void* static_shared(const void* key, size_t bytes);
void* slice_shared(size_t offset, size_t bytes);

// Arrays that a running kernel cuts out of one allocation in device memory: the `gap` bytes behind an array of `bytes`
// become poison until the end of the launch or until another array is cut there.
void poison_gap(void* array, size_t bytes, size_t gap);
bool is_gap(const void* address);

}  // namespace emulator

// ---- barriers
#define EMULATOR_SITE const ::emulator::Site& site = ::emulator::Site::current()

inline void __syncthreads(EMULATOR_SITE) { emulator::barrier(site); }
inline void __syncwarp(uint32_t mask = 0xffffffffu, EMULATOR_SITE) {
  emulator::meet(
      mask, nullptr, [](void**, uint32_t) {}, site);
}
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __nanosleep(unsigned) { emulator::yield_spin(); }

// ---- shuffles, votes, reductions of a warp. __activemask is missing on purpose: no program defines its value.
namespace emulator {

template <class T>
struct Shuffle {
  T in, out;
  int source;  // lane; negative = keep the own value
};

template <class T>
EMULATOR_NO_TSAN T shuffle(uint32_t mask, T value, int source, const Site& site) {
  Shuffle<T> mine{value, value, source};
  meet(
      mask, &mine,
      [](void** payload, uint32_t m) EMULATOR_NO_TSAN {
        for (int l = 0; l < 32; ++l) {
          if (!(m >> l & 1)) continue;
          auto* me = static_cast<Shuffle<T>*>(payload[l]);
          if (me->source < 0) continue;
          if (!(m >> me->source & 1))
            fail("shuffle: lane %d reads lane %d, which is not in mask %08x", l, me->source, m);
          me->out = static_cast<Shuffle<T>*>(payload[me->source])->in;
        }
      },
      site);
  return mine.out;
}

template <class T, class F>
EMULATOR_NO_TSAN T reduce(uint32_t mask, T value, F, const Site& site) {
  meet(
      mask, &value,
      [](void** payload, uint32_t m) EMULATOR_NO_TSAN {
        bool first = true;
        T all{};
        for (int l = 0; l < 32; ++l) {
          if (!(m >> l & 1)) continue;
          const T x = *static_cast<T*>(payload[l]);
          all = first ? x : F{}(all, x);
          first = false;
        }
        for (int l = 0; l < 32; ++l)
          if (m >> l & 1) *static_cast<T*>(payload[l]) = all;
      },
      site);
  return value;
}

struct Plus {
  unsigned operator()(unsigned a, unsigned b) const { return a + b; }
};
struct Or {
  unsigned operator()(unsigned a, unsigned b) const { return a | b; }
};
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};
struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};

inline int segment(int lane, int width) { return lane & ~(width - 1); }

}  // namespace emulator

template <class T>
T __shfl_sync(uint32_t mask, T value, int source, int width = 32, EMULATOR_SITE) {
  const int first = emulator::segment(int(emulator::lane()), width);
  return emulator::shuffle(mask, value, first | (source & (width - 1)), site);
}
template <class T>
T __shfl_xor_sync(uint32_t mask, T value, int lane_mask, int width = 32, EMULATOR_SITE) {
  const int l = int(emulator::lane()), source = l ^ lane_mask;
  return emulator::shuffle(mask, value, source < emulator::segment(l, width) + width ? source : -1, site);
}
template <class T>
T __shfl_down_sync(uint32_t mask, T value, unsigned delta, int width = 32, EMULATOR_SITE) {
  const int l = int(emulator::lane()), source = l + int(delta);
  return emulator::shuffle(mask, value, source < emulator::segment(l, width) + width ? source : -1, site);
}
template <class T>
T __shfl_up_sync(uint32_t mask, T value, unsigned delta, int width = 32, EMULATOR_SITE) {
  const int l = int(emulator::lane()), source = l - int(delta);
  return emulator::shuffle(mask, value, source >= emulator::segment(l, width) ? source : -1, site);
}
inline unsigned __ballot_sync(uint32_t mask, int predicate, EMULATOR_SITE) {
  return emulator::reduce(mask, predicate ? 1u << emulator::lane() : 0u, emulator::Or{}, site);
}
inline int __any_sync(uint32_t mask, int predicate, EMULATOR_SITE) { return __ballot_sync(mask, predicate, site) != 0; }
inline int __all_sync(uint32_t mask, int predicate, EMULATOR_SITE) {
  return __ballot_sync(mask, !predicate, site) == 0;
}
inline unsigned __reduce_add_sync(uint32_t mask, unsigned value, EMULATOR_SITE) {
  return emulator::reduce(mask, value, emulator::Plus{}, site);
}
inline unsigned __reduce_max_sync(uint32_t mask, unsigned value, EMULATOR_SITE) {
  return emulator::reduce(mask, value, emulator::Max{}, site);
}
inline unsigned __reduce_min_sync(uint32_t mask, unsigned value, EMULATOR_SITE) {
  return emulator::reduce(mask, value, emulator::Min{}, site);
}

// ---- atomics, relaxed as on the device
namespace emulator {
template <class T, class F>
T modify(T* address, F f) {
  T old;
  __atomic_load(address, &old, __ATOMIC_RELAXED);
  for (;;) {
    T desired = f(old);
    if (__atomic_compare_exchange(address, &old, &desired, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return old;
  }
}
}  // namespace emulator
template <class T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return emulator::modify(address, [=](T old) { return T(old + value); });
}
template <class T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  return emulator::modify(address, [=](T old) { return old < value ? value : old; });
}
template <class T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  return emulator::modify(address, [=](T old) { return value < old ? value : old; });
}
template <class T>
T atomicOr(T* address, std::type_identity_t<T> value) {
  return emulator::modify(address, [=](T old) { return T(old | value); });
}
template <class T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  return emulator::modify(address, [=](T) { return value; });
}
template <class T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return emulator::modify(address, [=](T old) { return old == expected ? value : old; });
}

// ---- vector accesses: sources say by __builtin_assume_aligned where an address is aligned; here it has to be
namespace emulator {
template <class T>
T* check_aligned(T* address, size_t alignment) {
  if (reinterpret_cast<uintptr_t>(address) % alignment)
    fail("misaligned: %p is not %zu-byte aligned", static_cast<const void*>(address), alignment);
  return address;
}
}  // namespace emulator
#define __builtin_assume_aligned(address, alignment) ::emulator::check_aligned(address, alignment)

// ---- intrinsics
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
inline float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
inline int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
inline float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
template <class T>
T __ldg(const T* address) {
  return *address;
}

#include "emulator/runtime.h"

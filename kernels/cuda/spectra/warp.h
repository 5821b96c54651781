// What the spectra do with the lanes of a warp. Every sum has a fixed order, so results do not depend on scheduling.
#pragma once

#include "team/cta.h"

#if defined(__CUDACC__)
#define COHORT_ROLLED _Pragma("unroll 1")
#else
#define COHORT_ROLLED
#endif

COHORT_BEGIN

inline constexpr unsigned full_warp = 0xffffffffu;

// Sum over groups of n_lanes neighbouring lanes, for all 32 lanes of a warp together; a lane gets the sum of its group.
template <int n_lanes = 32, class Real>
COHORT_FORCE_INLINE Real lane_sum(Real x) {
  COHORT_UNROLL
  for (int distance = 1; distance < n_lanes; distance *= 2) x += __shfl_xor_sync(full_warp, x, distance);
  return x;
}

// The sums of n values over the warp for about one shuffle each: every exchange halves the values that a lane still cares
// for. Lane l returns the sum of value l % n.
template <int n>
COHORT_FORCE_INLINE float transposed_sum(float (&x)[n], int lane) {
  COHORT_UNROLL
  for (int half = n / 2; half > 0; half /= 2) {
    COHORT_UNROLL
    for (int i = 0; i < half; ++i) {
      const bool upper = (lane & half) != 0;
      const float mine = upper ? x[i + half] : x[i], other = upper ? x[i] : x[i + half];
      x[i] = mine + __shfl_xor_sync(full_warp, other, half);
    }
  }
  COHORT_UNROLL
  for (int distance = n; distance < 32; distance *= 2) x[0] += __shfl_xor_sync(full_warp, x[0], distance);
  return x[0];
}

// |x| as an integer of the same order, of a double the upper half. NaN and infinity are the largest: one maximum finds
// how large a matrix is and whether it is finite.
COHORT_FORCE_INLINE unsigned magnitude(float x) { return math::bits<unsigned>(x) & 0x7fffffffu; }
COHORT_FORCE_INLINE unsigned magnitude(double x) { return unsigned(math::bits<uint64_t>(x) >> 32) & 0x7fffffffu; }
template <class Real>
COHORT_FORCE_INLINE bool is_finite(unsigned magnitude) {
  return magnitude < (sizeof(Real) == 4 ? 0x7f800000u : 0x7ff00000u);
}

// The power of two that brings a matrix of this magnitude to about one, and its inverse: exact, and squares of what was
// scaled neither overflow nor, unless they do not matter, underflow.
template <class Real>
struct PowerOfTwo {
  using Bits = std::conditional_t<sizeof(Real) == 4, uint32_t, uint64_t>;
  static constexpr int mantissa = sizeof(Real) == 4 ? 23 : 52;
  static constexpr unsigned bias = sizeof(Real) == 4 ? 127 : 1023;
  Real down, up;
  COHORT_FORCE_INLINE explicit PowerOfTwo(unsigned magnitude) {
    const unsigned e = magnitude >> (sizeof(Real) == 4 ? 23 : 20);
    const unsigned exponent = e < 1 ? 1 : e > 2 * bias - 1 ? 2 * bias - 1 : e;
    down = math::bits<Real>(Bits(2 * bias - exponent) << mantissa);
    up = math::bits<Real>(Bits(exponent) << mantissa);
  }
};

template <class Real>
COHORT_FORCE_INLINE Real not_a_number() {
  return Real(math::bits<float>(0x7fc00000u));
}

// The largest of every thread's x; for all threads of the block together.
COHORT_FORCE_INLINE unsigned block_max(unsigned x) {
  GPU_SHARED(unsigned, of_warp, 32);
  x = __reduce_max_sync(full_warp, x);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = x;
  __syncthreads();
  for (unsigned w = 0; w < blockDim.x / 32; ++w) x = x < of_warp[w] ? of_warp[w] : x;
  __syncthreads();
  return x;
}

COHORT_END

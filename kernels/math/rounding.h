// Rounding to the formats of tensor cores: to nearest, ties to even, with subnormal numbers. Results are floats that the
// format holds; what lies beyond its range becomes infinite, NaN stays NaN. Bits and sums only, so that every target, and
// every vector width, gives the same.
#pragma once

#include "math/elementary.h"

COHORT_BEGIN
namespace math {

inline constexpr float largest_half =
    65504.0f;  // from 65520 on, the midpoint to the next power of two, rounding gives infinity

// IEEE binary16: 11 bits down to 2^-14, below that multiples of 2^-24.
COHORT_FORCE_INLINE float to_half(float x) {
  const uint32_t u = bits<uint32_t>(x), sign = u & 0x80000000u, a = u ^ sign;
  const uint32_t rounded = (a + 0xfffu + (a >> 13 & 1u)) & ~0x1fffu;
  const uint32_t normal = rounded > bits<uint32_t>(largest_half) ? 0x7f800000u : rounded;
  const uint32_t small = bits<uint32_t>((bits<float>(a) + 0.5f) - 0.5f);  // floats of [0.5, 1) are multiples of 2^-24
  const uint32_t number = a < bits<uint32_t>(0x1p-14f) ? small : normal;
  return bits<float>((a > 0x7f800000u ? a : number) | sign);
}

// bfloat16: 8 bits, the exponents of a float.
COHORT_FORCE_INLINE float to_bfloat16(float x) {
  const uint32_t u = bits<uint32_t>(x), a = u & 0x7fffffffu;
  const uint32_t rounded = (u + 0x7fffu + (u >> 16 & 1u)) & 0xffff0000u;
  return bits<float>(a > 0x7f800000u ? u : rounded);
}

// x as a sum of two numbers of the narrow format, which a float holds: 22 bits (fewer below 2^-3, where lo is subnormal) of
// halves, 16 bits of bfloat16s.
struct Split {
  float hi, lo;
  COHORT_FORCE_INLINE float sum() const { return hi + lo; }
};
COHORT_FORCE_INLINE Split split_half(float x) {
  const float hi = to_half(x);
  return {hi, to_half(x - hi)};
}
COHORT_FORCE_INLINE Split split_bfloat16(float x) {
  const float hi = to_bfloat16(x);
  return {hi, to_bfloat16(x - hi)};
}

}  // namespace math
COHORT_END

// Parts of matrices that the tensor cores multiply: 16 x 16 numbers of one warp, and the one product that they need,
// C += A B^T.
//
// Lane 4 g + q has, of a block of sums (float) and of an operand A (pairs of halves) alike, in this order,
//     (g, 2 q) (g, 2 q + 1)    (g + 8, 2 q) ...    (g, 2 q + 8) ...    (g + 8, 2 q + 8) ...
// so sums become the operand of the next product by rounding them, and no lane talks to another. An operand B is the same
// with registers 1 and 2 exchanged.
//
// In one plane a number is a half; in two it is the sum of two, x = hi + lo, and a product is lo hi + hi lo + hi hi, the
// small terms first.
#pragma once

#include "cuda/ptx.h"
#include "team/cta.h"

COHORT_BEGIN

struct Float16 {
  static constexpr bool narrow = true;  // numbers can leave its range
  static COHORT_FORCE_INLINE uint32_t pack(float x, float y) { return ptx::pack_f16(x, y); }
  static COHORT_FORCE_INLINE float2 unpack(uint32_t v) { return ptx::unpack_f16(v); }
  static COHORT_FORCE_INLINE void multiply(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    ptx::mma_m16n8k16_f16(c, a, b, c);
  }
  static COHORT_FORCE_INLINE void multiply(float (&c)[4], const uint32_t (&a)[2], uint32_t b) {
    ptx::mma_m16n8k8_f16(c, a, b, c);
  }
};
struct BFloat16 {
  static constexpr bool narrow = false;
  static COHORT_FORCE_INLINE uint32_t pack(float x, float y) { return ptx::pack_bf16(x, y); }
  static COHORT_FORCE_INLINE float2 unpack(uint32_t v) { return ptx::unpack_bf16(v); }
  static COHORT_FORCE_INLINE void multiply(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    ptx::mma_m16n8k16_bf16(c, a, b, c);
  }
  static COHORT_FORCE_INLINE void multiply(float (&c)[4], const uint32_t (&a)[2], uint32_t b) {
    ptx::mma_m16n8k8_bf16(c, a, b, c);
  }
};

template <class Half_, int n_planes_>
struct MmaFormat {
  using Half = Half_;
  static constexpr int n_planes = n_planes_;
  static constexpr bool split = n_planes == 2;
};

// The largest magnitude among the high planes of what passed by; a lane's own.
struct RangeCheck {
  uint32_t top = 0;
  template <class Format, int n>
  COHORT_FORCE_INLINE void see(const uint32_t (&r)[n]) {
    if constexpr (Format::Half::narrow) {
      COHORT_UNROLL
      for (int i = 0; i < n; ++i) top = ptx::largest_f16(top, r[i]);
    }
  }
  COHORT_FORCE_INLINE bool left() const { return (top & 0x7fffu) >= 0x7c00u || (top >> 16) >= 0x7c00u; }
};

// 16 x 16 sums.
struct MmaSums {
  float v[2][4] = {};
};

// An operand of 16 x 16 numbers; of 16 x 8 (A) or 8 x 16 (B) with n = 2 registers a plane.
template <class Format, int n = 4>
struct MmaFragment {
  using Half = typename Format::Half;
  uint32_t r[Format::n_planes][n] = {};

  COHORT_FORCE_INLINE void set(int i, float x, float y) {
    r[0][i] = Half::pack(x, y);
    if constexpr (Format::split) {
      const float2 high = Half::unpack(r[0][i]);
      r[1][i] = Half::pack(x - high.x, y - high.y);
    }
  }
  COHORT_FORCE_INLINE float2 get(int i) const {
    float2 x = Half::unpack(r[0][i]);
    if constexpr (Format::split) {
      const float2 low = Half::unpack(r[1][i]);
      x.x += low.x;
      x.y += low.y;
    }
    return x;
  }
  COHORT_FORCE_INLINE void check(RangeCheck& range) const { range.see<Format>(r[0]); }
};

// f(plane of A, plane of B) for the products that make one.
template <class Format, class F>
COHORT_FORCE_INLINE void for_each_product(F f) {
  if constexpr (Format::split) {
    f(1, 0);
    f(0, 1);
  }
  f(0, 0);
}

// C (16 x 16) += A B^T, over 16 columns.
template <class Format>
COHORT_FORCE_INLINE void multiply(MmaSums& c, const MmaFragment<Format>& a, const MmaFragment<Format>& b) {
  for_each_product<Format>([&](int i, int j) {
    COHORT_UNROLL
    for (int half = 0; half < 2; ++half) {
      const uint32_t right[2] = {b.r[j][2 * half], b.r[j][2 * half + 1]};
      Format::Half::multiply(c.v[half], a.r[i], right);
    }
  });
}
// C (16 x 8) += A B^T, over 16 columns.
template <class Format>
COHORT_FORCE_INLINE void multiply(float (&c)[4], const MmaFragment<Format>& a, const MmaFragment<Format, 2>& b) {
  for_each_product<Format>([&](int i, int j) { Format::Half::multiply(c, a.r[i], b.r[j]); });
}
// C (16 x 16) += A B^T, over 8 columns.
template <class Format>
COHORT_FORCE_INLINE void multiply(MmaSums& c, const MmaFragment<Format, 2>& a, const MmaFragment<Format, 2>& b) {
  for_each_product<Format>([&](int i, int j) {
    COHORT_UNROLL
    for (int half = 0; half < 2; ++half) Format::Half::multiply(c.v[half], a.r[i], b.r[j][half]);
  });
}

// sum += A B^T, one of very many. Split numbers are not summed inside the tensor cores: those cut off where a float rounds,
// which is 40 times as far from the truth after 100 steps.
template <class Format>
COHORT_FORCE_INLINE void accumulate(MmaSums& sum, const MmaFragment<Format>& a, const MmaFragment<Format>& b) {
  if constexpr (Format::split) {
    MmaSums c;
    multiply(c, a, b);
    COHORT_UNROLL
    for (int half = 0; half < 2; ++half) {
      COHORT_UNROLL
      for (int i = 0; i < 4; ++i) sum.v[half][i] += c.v[half][i];
    }
  } else {
    multiply(sum, a, b);
  }
}
template <class Format>
COHORT_FORCE_INLINE void accumulate(float (&sum)[4], const MmaFragment<Format>& a, const MmaFragment<Format, 2>& b) {
  if constexpr (Format::split) {
    float c[4] = {};
    multiply(c, a, b);
    COHORT_UNROLL
    for (int i = 0; i < 4; ++i) sum[i] += c[i];
  } else {
    multiply(sum, a, b);
  }
}

COHORT_END

// Precisions of the core's matrix products: R h + S x + c, V h, R^T delta + V^T e, and the gradients delta^T h, delta^T x,
// delta^T 1, e^T h. Sums are fp32, and so is all else: data, losses, parameters and their update.
//
// In fp16, operands are scaled by powers of two, which costs no accuracy, so that they use its narrow range: a network's
// weights so that the largest of R, S, c and V lies below 2^weight_exponent, the errors of a batch, and with them all deltas,
// so that the largest error lies below 2^error_exponent. States and inputs are not scaled. A network with a number beyond
// 65504, be it a weight before scaling, an input, a state or a scaled delta, is trained in bf16x3 from that step on
// (NetState::overflowed_at): each operand as a sum of two bf16, which have the range of fp32, and nothing scaled.
#pragma once

#include "math/elementary.h"

COHORT_BEGIN

struct fp32 {
  static constexpr const char* doc = "exact single precision; errors of gradients of about 1e-6";
};
struct fp32x3 {
  static constexpr const char* doc =
      "each operand as a sum of two fp16, three products on tensor cores; errors of gradients of about 1e-6";
};
struct fp16 {
  static constexpr const char* doc =
      "operands rounded to fp16, one product on tensor cores; errors of gradients of about 1e-3";
};

inline constexpr int weight_exponent = 8, error_exponent = 4;  // deltas may grow to 4000 times the largest error

// The power of two that brings `largest` into [2^(exponent - 1), 2^exponent); 1 for 0 and for what is not finite. Bounded,
// so that it and its inverse are normal numbers.
COHORT_FORCE_INLINE float scale_to(float largest, int exponent) {
  const int biased = math::bits<int32_t>(largest) >> 23 & 255;
  if (biased == 0 || biased == 255) return 1.0f;
  const int wanted = exponent - 1 - (biased - 127), bounded = wanted < -126 ? -126 : wanted > 126 ? 126 : wanted;
  return math::bits<float>(int32_t(bounded + 127) << 23);
}

COHORT_END

// Sorting floats on the CPU, three passes over eleven bits each from the least to the most significant. Not std::sort: its
// code would be merged with copies that were compiled for other instruction sets.
#pragma once

#include "math/elementary.h"

COHORT_BEGIN

struct RadixSort {
  static constexpr int digit_bits = 11, n_digits = 1 << digit_bits, n_passes = 3;

  // Unsigned numbers in the order of the floats, -0 before 0; NaN of either sign at the ends.
  static uint32_t order(float x) {
    const uint32_t u = math::bits<uint32_t>(x);
    return u & 0x80000000u ? ~u : u | 0x80000000u;
  }
  static uint32_t digit(float x, int pass) { return order(x) >> (pass * digit_bits) & (n_digits - 1); }

  // keys [n], n < 2^32, ascending afterwards; `other` [n] and `counts` [n_passes][n_digits] are scratch. Returns where they are
  // then: other.
  static float* sort(float* keys, float* other, uint32_t* counts, int64_t n) {
    for (int i = 0; i < n_passes * n_digits; ++i) counts[i] = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int pass = 0; pass < n_passes; ++pass) ++counts[pass * n_digits + int(digit(keys[i], pass))];
    for (int pass = 0; pass < n_passes; ++pass) {
      uint32_t* const place = counts + pass * n_digits;
      uint32_t sum = 0;
      for (int d = 0; d < n_digits; ++d) {
        const uint32_t here = place[d];
        place[d] = sum;
        sum += here;
      }
      for (int64_t i = 0; i < n; ++i) other[place[digit(keys[i], pass)]++] = keys[i];
      float* const sorted = other;
      other = keys;
      keys = sorted;
    }
    return keys;
  }
};

COHORT_END

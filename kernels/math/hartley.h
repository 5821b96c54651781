// The fast Hartley transform (Bracewell, "The fast Hartley transform", Proc. IEEE 1984): the Fourier transform of real numbers in
// real arithmetic.
#pragma once

#include "math/elementary.h"

COHORT_BEGIN

// The lowest power of two that is at least n, 0 < n <= 2^30.
COHORT_FN int power_of_two(int n) {
  int m = 1;
  while (m < n) m *= 2;
  return m;
}

// Bit k of i < m becomes bit q - 1 - k, m = 2^q.
COHORT_FORCE_INLINE int bit_reversed(int i, int m) {
  uint32_t v = uint32_t(i), reversed = v & 1u;
  for (int rest = m >> 1; rest > 1; rest >>= 1) {
    v >>= 1;
    reversed = reversed << 1 | (v & 1u);
  }
  return m > 1 ? int(reversed) : 0;
}

// The two numbers become their sum and their difference, the second times one beforehand.
template <class Real>
COHORT_FORCE_INLINE void add_and_subtract(Real& a, Real& b, Real t) {
  const Real kept = a;
  a = kept + t;
  b = kept - t;
}

// The transform's sines and cosines for m = 2^q numbers: turns [m]. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void hartley_turns(const Team& team, int m, Real* turns) {
  for (int h = 2; h < m; h *= 2) {
    Real *const sine = turns + h, *const cosine = sine + h / 2;
    team.for_each(h / 2, [=](int k) { math::sincospi(Real(k) / Real(h), sine + k, cosine + k); });
  }
  team.sync();
}

// H_j = sum_t h_t (cos + sin)(2 pi j t / m) for j < m = 2^q, in place: h_t is at x[bit_reversed(t)], H_j will be at x[j]. Where
// h_t = h_{m-t}, H is the Fourier transform of h. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void hartley(const Team& team, int m, const Real* turns, Real* x) {
  for (int h = 1; h < m; h *= 2) {  // blocks of 2 h from the transforms of their even and odd numbers
    const int blocks = m / (2 * h), half = h / 2;
    const Real *const sine = turns + h, *const cosine = sine + half;
    team.for_each(blocks, [=](int b) {
      Real *const even = x + 2 * h * b, *const odd = even + h;
      add_and_subtract(even[0], odd[0], odd[0]);
      if (half > 0) add_and_subtract(even[half], odd[half], odd[half]);
    });
    const auto turn = [=](int b, int k) {
      Real *const even = x + 2 * h * b, *const odd = even + h;
      const Real s = sine[k], c = cosine[k], u = odd[k], v = odd[h - k];
      add_and_subtract(even[k], odd[k], c * u + s * v);
      add_and_subtract(even[h - k], odd[h - k], s * u - c * v);
    };
    if (h > 32)
      team.for_each_2d(blocks, half - 1, [=](int b, int i) { turn(b, i + 1); });
    else if (half > 1)
      team.for_each_2d(half - 1, blocks, [=](int i, int b) { turn(b, i + 1); });
    team.sync();
  }
}

COHORT_END

// Matrices of any magnitude are brought near 1 by a power of two, which loses nothing.
#pragma once

#include "math/elementary.h"

COHORT_BEGIN

struct MatrixScale {
  bool finite;   // is every element?
  int exponent;  // sum |a| in [1/2, 1) 2^exponent; 0 for a zero matrix
};

// Of the elements a[0..n), n <= 2^28; the same in every lane; syncs. A sum needs no largest element, and is within n of it.
template <class Team, class Real>
COHORT_PHASE_FN MatrixScale scale_of(const Team& team, const Real* a, int n) {
  constexpr int down = 29, up = 500;  // sums of finite elements stay finite, those of tiny ones keep their digits
  constexpr double smaller = 1.0 / (1 << down), larger = 0x1p500, tiny = 0x1p-400;
  double sum = team.template sum<double>(n, [=](int i) { return double(math::abs(a[i])) * smaller; });
  if (!(sum - sum == 0.0)) return {false, 0};
  int exponent = down;
  if (sum < tiny) {
    sum = team.template sum<double>(n, [=](int i) { return double(math::abs(a[i])) * larger; });
    exponent = -up;
  }
  if (sum == 0.0) return {true, 0};
  int own = 0;
  ::frexp(sum, &own);
  return {true, own + exponent};
}

COHORT_END

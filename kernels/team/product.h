// One term of a matrix product: A(r, k) = a[r * a_row + k * a_k] times the rows of b. Any strides for A, also 0.
#pragma once

#include "team/target.h"

COHORT_BEGIN

template <class Real>
struct Product {
  const Real* a;
  ptrdiff_t a_row, a_k;
  const Real* b;  // [k][ldb], rows readable up to Team::pad(n)
  ptrdiff_t ldb;
  int k;
  int ahead = 0;  // so far ahead in every row of b a cache line may be fetched
};

COHORT_END

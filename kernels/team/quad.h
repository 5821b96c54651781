// Four neighbours in memory, loaded and stored by 16 bytes at a time. Addresses are multiples of 16 bytes: the types say so,
// because what __builtin_assume_aligned says gets lost where an address is one of several.
#pragma once

#include "team/target.h"

COHORT_BEGIN

template <class Real>
struct alignas(16) Quad {
  Real v[4];
};
template <class Real>
COHORT_FORCE_INLINE Quad<Real> load_quad(const Real* p) {
  return *reinterpret_cast<const Quad<Real>*>(p);
}
template <class Real>
COHORT_FORCE_INLINE void store_quad(Real* p, const Quad<Real>& q) {
  *reinterpret_cast<Quad<Real>*>(p) = q;
}

COHORT_END

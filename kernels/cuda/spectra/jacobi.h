// One-sided Jacobi: plane rotations W make the columns of X W orthogonal; their norms are the singular values. A sweep rotates
// every pair of columns once, in rounds of disjoint pairs, until a sweep finds nothing to rotate.
//
// X is A where A has more rows than columns, else A^T: `length` rows and k columns. X W divided by the norms is then one of U and
// V, [length][k], and W the other one, [k][k].
#pragma once

#include "cohort/spectra.h"
#include "cuda/spectra/warp.h"

COHORT_BEGIN

inline constexpr int most_sweeps = 60;  // Gaussian matrices need 8 to 12, rank-deficient ones up to 24

template <class Real>
struct JacobiArgs {
  const Real* a;  // matrices 0..count - 1
  Real *u, *s, *v;
  SpectrumStatus* status;
  int rows, cols, length, k;
  int32_t count;
  bool vectors;  // else values only: u and v are not used
  COHORT_FN bool transposed() const { return rows <= cols; }
  // Element (i, c) of X of matrix m.
  COHORT_FN Real element(int32_t m, int i, int c) const {
    return a[ptrdiff_t(m) * rows * cols + (transposed() ? ptrdiff_t(c) * cols + i : ptrdiff_t(i) * cols + c)];
  }
  COHORT_FN Real* of_x(int32_t m) const { return (transposed() ? v : u) + ptrdiff_t(m) * length * k; }
  COHORT_FN Real* of_w(int32_t m) const { return (transposed() ? u : v) + ptrdiff_t(m) * k * k; }
};

COHORT_FORCE_INLINE SpectrumStatus status_of(bool converged) {
  return converged ? SpectrumStatus::ok : SpectrumStatus::not_converged;
}

// Columns of smaller norm count as null: of matrices scaled to magnitude one, squares above stay normal numbers.
template <class Real>
COHORT_FORCE_INLINE constexpr Real null_column() {
  return sizeof(Real) == 4 ? Real(1e-15f) : Real(1e-30);
}
// Cosine of two columns that counts as orthogonal: what rounding leaves of it.
template <class Real>
COHORT_FORCE_INLINE Real jacobi_tolerance(int length) {
  return (sizeof(Real) == 4 ? Real(0x1p-24) : Real(0x1p-53)) * (2 + math::sqrt(Real(length)));
}

// The rotation that makes columns a, b with a.a, b.b, a.b orthogonal, as the small changes a += -s b - k a, b += s a - k b with
// k = 1 - cos: accurate for small angles. s = 0: they are orthogonal as they are.
template <class Real>
struct Rotation {
  Real s = 0, k = 0;
  COHORT_FORCE_INLINE Rotation(Real aa, Real bb, Real ab, Real tolerance) {
    const Real na = math::sqrt(aa), nb = math::sqrt(bb);
    if (!(math::abs(ab) > tolerance * na * nb) || (na < nb ? na : nb) < null_column<Real>()) return;
    const Real zeta = (bb - aa) / (2 * ab), size = math::abs(zeta);
    // beyond 1e9 the root is size, whose square may overflow
    const Real t = 1 / (size + (size > Real(1e9) ? size : math::sqrt(::fma(size, size, Real(1)))));
    const Real c = 1 / math::sqrt(::fma(t, t, Real(1)));
    s = math::copysign(c * t, zeta);
    k = s * s / (1 + c);
  }
  COHORT_FORCE_INLINE void rotate(Real& a, Real& b) const {
    const Real old = a;
    a = ::fma(-s, b, ::fma(-k, old, old));
    b = ::fma(s, old, ::fma(-k, b, b));
  }
};

COHORT_END

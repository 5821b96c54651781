#include "functions.h"

#include "math/random.h"
#include "math/rounding.h"
#include "team/serial.h"

namespace cohort::test {
namespace {

template <class Real>
void exp(const Real* x, Real* y, int n) {
  COHORT_SIMD
  for (int i = 0; i < n; ++i) y[i] = math::exp(x[i]);
}
template <class Real>
void log(const Real* x, Real* y, int n) {
  COHORT_SIMD
  for (int i = 0; i < n; ++i) y[i] = math::log(x[i]);
}
template <class Real>
void tanh(const Real* x, Real* y, int n) {
  COHORT_SIMD
  for (int i = 0; i < n; ++i) y[i] = math::tanh(x[i]);
}
template <class Real>
void sincospi(const Real* x, Real* sine, Real* cosine, int n) {
  COHORT_SIMD
  for (int i = 0; i < n; ++i) {
    Real s, c;
    math::sincospi(x[i], &s, &c);
    sine[i] = s;
    cosine[i] = c;
  }
}
template <class Real>
void pow_abs(const Real* x, double e, Real* y, int n) {
  COHORT_SIMD
  for (int i = 0; i < n; ++i) y[i] = math::pow_abs(x[i], e);
}
template <class Real>
void normal(uint64_t seed, Real* z, int n) {
  const rng::Key key(seed, 0, rng::stream_noise, 0, 0);
  COHORT_SIMD
  for (int i = 0; i < n; ++i) {
    Real a, b, c, d;
    rng::four_normals(key, uint32_t(i), &a, &b, &c, &d);
    z[4 * i] = a;
    z[4 * i + 1] = b;
    z[4 * i + 2] = c;
    z[4 * i + 3] = d;
  }
}
template <class Real>
void multiply(bool narrow, int m, int n, int k, const Real* a, int lda, const Real* b, int ldb, const Real* b_t,
              Real* c) {
  const SerialTeam team;
  const Product<Real> products[1] = {{a, lda, 1, b, ldb, k}};
  const auto add = [=](int row, int col, Real value) {
    if (col < n) c[row * n + col] += value;
  };
  if (narrow)
    team.gemm_narrow(m, n, products[0], b_t, lda, add);
  else
    team.gemm(m, n, products, add);
}

template <class Real>
void transpose(int rows, int cols, const Real* from, int ld, Real* to, int ld_to) {
  SerialTeam{}.transpose(rows, cols, from, ld, to, ld_to);
}

template <float (*round)(float)>
void round_all(const float* x, float* y, int n) {
  COHORT_SIMD
  for (int i = 0; i < n; ++i) y[i] = round(x[i]);
}
template <math::Split (*split)(float)>
void split_all(const float* x, float* hi, float* lo, int n) {
  COHORT_SIMD
  for (int i = 0; i < n; ++i) {
    const math::Split both = split(x[i]);
    hi[i] = both.hi;
    lo[i] = both.lo;
  }
}
constexpr Roundings rounding_table = {round_all<math::to_half>, round_all<math::to_bfloat16>,
                                      split_all<math::split_half>, split_all<math::split_bfloat16>};

template <class Real>
constexpr Functions<Real> table = {exp<Real>,     log<Real>,    tanh<Real>,     sincospi<Real>,
                                   pow_abs<Real>, normal<Real>, multiply<Real>, transpose<Real>};

}  // namespace

template <>
const Functions<float>& functions<float, COHORT_TEST_LEVEL>() {
  return table<float>;
}
template <>
const Roundings& roundings<COHORT_TEST_LEVEL>() {
  return rounding_table;
}
template <>
const Functions<double>& functions<double, COHORT_TEST_LEVEL>() {
  return table<double>;
}

}  // namespace cohort::test

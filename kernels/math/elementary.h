// Elementary functions for kernels: branch-free and inlinable, so that loops over them vectorise (libm calls do not).
// On CUDA they are CUDA's own. Errors on the CPU, against correctly rounded values: exp and log within 2 ulp, tanh
// within 4 ulp of 1 (float), sincospi within 1 ulp of 1, pow_abs within 1 ulp (float). NaN in gives NaN out: divergence
// must stay visible.
#pragma once

#include "team/target.h"

#include <math.h>
#include <string.h>

COHORT_BEGIN
namespace math {

template <class To, class From>
COHORT_FORCE_INLINE To bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

COHORT_FORCE_INLINE float abs(float x) { return fabsf(x); }
COHORT_FORCE_INLINE double abs(double x) { return ::fabs(x); }
COHORT_FORCE_INLINE float sqrt(float x) { return sqrtf(x); }
COHORT_FORCE_INLINE double sqrt(double x) { return ::sqrt(x); }
template <class Real>
COHORT_FORCE_INLINE Real copysign(Real magnitude, Real sign) {
  const Real a = abs(magnitude);
  return sign < Real(0) ? -a : a;
}
// -1, 0 or 1; sign(0) = 0.
template <class Real>
COHORT_FORCE_INLINE Real sign(Real x) {
  return x > Real(0) ? Real(1) : x < Real(0) ? Real(-1) : Real(0);
}
template <class Real>
COHORT_FORCE_INLINE Real max(Real a, Real b) {  // NaN in b stays
  return a > b ? a : b;
}
template <class Real>
COHORT_FORCE_INLINE Real min(Real a, Real b) {  // NaN in b stays
  return a < b ? a : b;
}

#if defined(__CUDACC__)
__device__ __forceinline__ float exp(float x) { return expf(x); }
__device__ __forceinline__ double exp(double x) { return ::exp(x); }
__device__ __forceinline__ float log(float x) { return logf(x); }
__device__ __forceinline__ double log(double x) { return ::log(x); }
__device__ __forceinline__ float log_positive(float x) { return logf(x); }
__device__ __forceinline__ double log_positive(double x) { return ::log(x); }
__device__ __forceinline__ float tanh(float x) { return tanhf(x); }
__device__ __forceinline__ double tanh(double x) { return ::tanh(x); }
__device__ __forceinline__ void sincospi(float x, float* s, float* c) { ::sincospif(x, s, c); }
__device__ __forceinline__ void sincospi(double x, double* s, double* c) { ::sincospi(x, s, c); }
#else

// exp: x = n ln 2 + r, |r| <= ln 2 / 2; Taylor's polynomial of e^r; 2^n in two factors, so that results under- and
// overflow gradually. Finite arguments beyond the range give 0 or infinity.
COHORT_FORCE_INLINE double exp(double x) {
  const double c = min(709.8, max(-745.2, x));
  const double shifted = c * 1.4426950408889634 + 6755399441055744.0;  // 1.5 * 2^52: rounds to nearest
  const double n = shifted - 6755399441055744.0;
  const double r = (c - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double p = 1.6059043836821613e-10;
  p = p * r + 2.0876756987868099e-09;
  p = p * r + 2.5052108385441719e-08;
  p = p * r + 2.7557319223985893e-07;
  p = p * r + 2.7557319223985888e-06;
  p = p * r + 2.4801587301587302e-05;
  p = p * r + 1.9841269841269841e-04;
  p = p * r + 1.3888888888888889e-03;
  p = p * r + 8.3333333333333332e-03;
  p = p * r + 4.1666666666666664e-02;
  p = p * r + 1.6666666666666666e-01;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const int64_t e = bits<int64_t>(shifted) - bits<int64_t>(6755399441055744.0);
  const int64_t half = (e + 2098) / 2 - 1049;  // floor(e / 2) by unsigned-friendly division
  return p * bits<double>((half + 1023) << 52) * bits<double>((e - half + 1023) << 52);
}
COHORT_FORCE_INLINE float exp(float x) {
  const float c = min(89.0f, max(-104.0f, x));
  const float shifted = c * 1.44269504f + 12582912.0f;  // 1.5 * 2^23
  const float n = shifted - 12582912.0f;
  const float r = (c - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9841270e-4f;
  p = p * r + 1.3888889e-3f;
  p = p * r + 8.3333333e-3f;
  p = p * r + 4.1666667e-2f;
  p = p * r + 1.6666667e-1f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const int32_t e = bits<int32_t>(shifted) - bits<int32_t>(12582912.0f);
  const int32_t half = e >> 1;
  return p * bits<float>((half + 127) << 23) * bits<float>((e - half + 127) << 23);
}

// log: x = m 2^e with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m - 1) / (m + 1)). Subnormals are scaled first;
// log(0) = -infinity, log of a negative number is NaN.
COHORT_FORCE_INLINE double log(double x) {
  const bool tiny = x < 2.2250738585072014e-308;
  const double y = tiny ? x * 18014398509481984.0 : x;
  const uint64_t u = bits<uint64_t>(y) - bits<uint64_t>(0.70710678118654757);  // wraps for y < 0
  const uint64_t e52 = u & 0xfff0000000000000u;
  const double m = bits<double>(bits<uint64_t>(y) - e52);
  const double e =
      bits<double>((int64_t(e52) >> 52) + bits<int64_t>(6755399441055744.0)) - 6755399441055744.0 - (tiny ? 54.0 : 0.0);
  const double f = m - 1.0, s = f / (m + 1.0), z = s * s;
  double p = 1.0 / 21.0;
  p = p * z + 1.0 / 19.0;
  p = p * z + 1.0 / 17.0;
  p = p * z + 1.0 / 15.0;
  p = p * z + 1.0 / 13.0;
  p = p * z + 1.0 / 11.0;
  p = p * z + 1.0 / 9.0;
  p = p * z + 1.0 / 7.0;
  p = p * z + 1.0 / 5.0;
  p = p * z + 1.0 / 3.0;
  // log m = f - s (f - 2 z p) (2 s = f - s f), which keeps the leading term exact
  const double tail = s * (f - 2.0 * z * p);
  const double value = e * 6.93147180369123816490e-01 + (f - (tail - e * 1.90821492927058770002e-10));
  const double zero_or_infinite = x == 0.0 ? -__builtin_inf() : x;
  return x > 0.0 && x < __builtin_inf() ? value : x < 0.0 ? __builtin_nan("") : zero_or_infinite;
}
// The float logarithm of y 2^-shift; y positive, normal and finite.
COHORT_FORCE_INLINE float log_scaled(float y, float shift) {
  const uint32_t u = bits<uint32_t>(y) - bits<uint32_t>(0.70710678f);  // wraps for y < 0
  const uint32_t e23 = u & 0xff800000u;
  const float m = bits<float>(bits<uint32_t>(y) - e23);
  const float e = float(int32_t(e23) >> 23) - shift;
  const float f = m - 1.0f, s = f / (m + 1.0f), z = s * s;
  float p = 1.0f / 9.0f;
  p = p * z + 1.0f / 7.0f;
  p = p * z + 1.0f / 5.0f;
  p = p * z + 1.0f / 3.0f;
  const float tail = s * (f - 2.0f * z * p);
  return e * 0.693359375f + (f - (tail + e * 2.12194440e-4f));
}
COHORT_FORCE_INLINE float log(float x) {
  const bool tiny = x < 1.17549435e-38f;
  const float value = log_scaled(tiny ? x * 16777216.0f : x, tiny ? 24.0f : 0.0f);
  const float zero_or_infinite = x == 0.0f ? -__builtin_inff() : x;
  return x > 0.0f && x < __builtin_inff() ? value : x < 0.0f ? __builtin_nanf("") : zero_or_infinite;
}
// The logarithm of a positive, normal, finite number and of nothing else: without log's special cases, which keep loops
// that go on with the result from vectorising.
COHORT_FORCE_INLINE float log_positive(float x) { return log_scaled(x, 0.0f); }
COHORT_FORCE_INLINE double log_positive(double x) { return log(x); }

// a p(a^2) / q(a^2), a = |x|: of its degree the function with the least relative error (0.09 ulp) on [0, 8.4]; beyond, tanh
// is 1. Bounding a^2 as an integer drops a NaN, which a keeps, and is one instruction: a bound by comparison would be
// threaded into the polynomials as a constant.
COHORT_FORCE_INLINE float tanh(float x) {
  const float a = abs(x);
  const int32_t square = bits<int32_t>(a * a), last = bits<int32_t>(8.4f * 8.4f);
  const float z = bits<float>(square < last ? square : last);
  float p = 1.44584155e-8f;
  p = p * z + 2.13801984e-5f;
  p = p * z + 3.54164418e-3f;
  p = p * z + 1.34196026e-1f;
  p = p * z + 1.0f;
  float q = 8.22019657e-7f;
  q = q * z + 3.36147030e-4f;
  q = q * z + 2.60515425e-2f;
  q = q * z + 4.67529265e-1f;
  q = q * z + 1.0f;
  const float r = min(1.0f, a * p / q);
  return bits<float>(bits<uint32_t>(r) | (bits<uint32_t>(x) & 0x80000000u));
}
COHORT_FORCE_INLINE double tanh(double x) { return ::tanh(x); }

// sin(pi x) and cos(pi x) for |x| <= 2^20.
template <class Real>
COHORT_FORCE_INLINE void sincospi(Real x, Real* sine, Real* cosine) {
  const Real magic = sizeof(Real) == 4 ? Real(12582912.0) : Real(6755399441055744.0);
  const Real shifted = Real(2) * x + magic;
  const Real q = shifted - magic;
  const Real a = (Real(2) * x - q) * Real(1.5707963267948966), z = a * a;  // |a| <= pi/4
  Real s = Real(-1.0 / 1307674368000.0), c = Real(1.0 / 20922789888000.0);
  s = Real(1.0 / 6227020800.0) + z * s;
  s = Real(-1.0 / 39916800.0) + z * s;
  s = Real(1.0 / 362880.0) + z * s;
  s = Real(-1.0 / 5040.0) + z * s;
  s = Real(1.0 / 120.0) + z * s;
  s = Real(-1.0 / 6.0) + z * s;
  s = a + a * z * s;
  c = Real(-1.0 / 87178291200.0) + z * c;
  c = Real(1.0 / 479001600.0) + z * c;
  c = Real(-1.0 / 3628800.0) + z * c;
  c = Real(1.0 / 40320.0) + z * c;
  c = Real(-1.0 / 720.0) + z * c;
  c = Real(1.0 / 24.0) + z * c;
  c = Real(-0.5) + z * c;
  c = Real(1) + z * c;
  const int32_t quadrant = int32_t(q);
  const bool swap = (quadrant & 1) != 0;
  const Real u = swap ? c : s, v = swap ? s : c;
  *sine = (quadrant & 2) ? -u : u;
  *cosine = ((quadrant + 1) & 2) ? -v : v;
}
#endif

// |x|^e for e != 0, evaluated in double so that the float result is exact to an ulp; 0^e = exp(-infinity) = 0, or infinity
// if e < 0. A test
// for zero would be threaded into a branch around exp, and loops would no longer vectorise.
template <class Real>
COHORT_FORCE_INLINE Real pow_abs(Real x, double e) {
  return Real(exp(e * log(abs(double(x)))));
}

}  // namespace math
COHORT_END

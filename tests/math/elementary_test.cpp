// The bounds that math/elementary.h states, on every instruction set of the CPU that this machine runs. References are
// the C library's functions: in double for float, in long double for double.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "functions.h"

namespace cohort::test {
namespace {

template <class Real>
using Limits = std::numeric_limits<Real>;
template <class Real>
struct Wider {
  using type = long double;
};
template <>
struct Wider<float> {
  using type = double;
};
template <class Real>
using Wide = typename Wider<Real>::type;

// |y - reference| in ulps of Real at the reference. Infinities and NaN must be met exactly, overflow within an ulp.
template <class Real>
double ulps(Real y, Wide<Real> reference) {
  if (std::isnan(reference)) return std::isnan(y) ? 0 : HUGE_VAL;
  if (Real(reference) == y && std::isinf(y)) return 0;
  if (std::isinf(y)) return Real(reference) == Limits<Real>::max() ? 1 : HUGE_VAL;
  int exponent = 0;
  std::frexp(reference, &exponent);
  const auto ulp = std::ldexp(Wide<Real>(1), std::max(exponent, Limits<Real>::min_exponent) - Limits<Real>::digits);
  return double(std::fabs(Wide<Real>(y) - reference) / ulp);
}

// Random bit patterns, so numbers of every scale and sign, and the special ones.
template <class Real>
std::vector<Real> all_scales() {
  using L = Limits<Real>;
  std::vector<Real> x = {0, 1, L::min(), L::denorm_min(), L::max(), L::epsilon(), L::infinity(), L::quiet_NaN()};
  for (int i = 0; i < 7; ++i) x.push_back(-x[size_t(i)]);
  std::mt19937_64 random(1);
  for (int i = 0; i < 300'000; ++i) {
    const uint64_t word = random();
    Real value;
    std::memcpy(&value, &word, sizeof value);
    x.push_back(value);
  }
  return x;
}
template <class Real>
void add_range(std::vector<Real>& x, double from, double to, int n = 200'000) {
  for (int i = 0; i <= n; ++i) x.push_back(Real(from + (to - from) * i / n));
}

// The largest error(f(x), x) is at most `bound`.
template <class Real, class F, class Error>
void expect_within(double bound, const std::vector<Real>& x, F f, Error error) {
  std::vector<Real> y(x.size());
  f(x.data(), y.data(), int(x.size()));
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double e = error(y[i], x[i]);
    if (e <= worst) continue;
    worst = e;
    at = i;
  }
  EXPECT_LE(worst, bound) << "f(" << x[at] << ") = " << y[at];
}

template <class Real>
void test_exp(const Functions<Real>& f) {
  std::vector<Real> x = all_scales<Real>();
  const double first = std::log(double(Limits<Real>::denorm_min())), last = std::log(double(Limits<Real>::max()));
  add_range(x, first - 2, last + 2);
  add_range(x, -1, 1);
  add_range(x, last - 1e-3, last + 1e-3);
  add_range(x, first - 1, first + 40);  // subnormal results
  expect_within(2, x, f.exp, [](Real y, Real v) { return ulps<Real>(y, std::exp(Wide<Real>(v))); });
}
template <class Real>
void test_log(const Functions<Real>& f) {
  std::vector<Real> x = all_scales<Real>();
  add_range(x, 0.5, 2);
  add_range(x, 1 - 1e-4, 1 + 1e-4);
  for (double scale : {1e-37, 1e-40, 1e-44, 1e-310}) add_range(x, scale, 2 * scale, 1000);
  expect_within(2, x, f.log, [](Real y, Real v) { return ulps<Real>(y, std::log(Wide<Real>(v))); });
}
template <class Real>
void test_tanh(const Functions<Real>& f) {
  std::vector<Real> x = all_scales<Real>();
  add_range(x, -12, 12);
  add_range(x, -0.5, 0.5);
  expect_within(4, x, f.tanh, [](Real y, Real v) {
    if (std::isnan(v)) return std::isnan(y) ? 0 : HUGE_VAL;
    return double(std::fabs(y - std::tanh(Wide<Real>(v))) / Limits<Real>::epsilon());
  });
}
template <class Real>
void test_sincospi(const Functions<Real>& f) {
  std::vector<Real> x;
  add_range(x, -2, 2);
  add_range(x, -1048576, 1048576);
  std::vector<Real> s(x.size()), c(x.size());
  f.sincospi(x.data(), s.data(), c.data(), int(x.size()));
  long double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const long double angle = std::numbers::pi_v<long double> * std::fmod(static_cast<long double>(x[i]), 2.0L);
    worst = std::max({worst, std::fabs(s[i] - std::sin(angle)), std::fabs(c[i] - std::cos(angle))});
  }
  EXPECT_LE(worst / Limits<Real>::epsilon(), 1);

  const Real half[] = {0, 0.5, 1, 1.5, -0.5, -1, -1.5, 4096.5};
  const Real sine[] = {0, 1, 0, -1, -1, 0, 1, 1}, cosine[] = {1, 0, -1, 0, 0, -1, 0, 0};
  Real hs[8], hc[8];
  f.sincospi(half, hs, hc, 8);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(hs[i], sine[i]) << half[i];
    EXPECT_EQ(hc[i], cosine[i]) << half[i];
  }
}

class Elementary : public PerIsa {};

TEST_P(Elementary, ExpIsWithinTwoUlp) {
  test_exp(table<float>());
  test_exp(table<double>());
}
TEST_P(Elementary, LogIsWithinTwoUlp) {
  test_log(table<float>());
  test_log(table<double>());
}
TEST_P(Elementary, TanhIsWithinFourUlpOfOne) {
  test_tanh(table<float>());
  test_tanh(table<double>());
}
TEST_P(Elementary, TanhKeepsTheScaleOfSmallNumbers) {
  std::vector<float> x;
  add_range(x, -0.5, 0.5);
  for (float scale : {1e-3f, 1e-10f, 1e-30f, 1e-40f}) add_range(x, -scale, scale, 1000);
  expect_within(4, x, table<float>().tanh, [](float y, float v) { return ulps<float>(y, std::tanh(double(v))); });
}
TEST_P(Elementary, TanhIsOddAndNeverBeyondOne) {
  std::vector<float> x = all_scales<float>(), minus, y, y_minus;
  add_range(x, 0, 12);
  for (float v : x) minus.push_back(-v);
  y.resize(x.size());
  y_minus.resize(x.size());
  table<float>().tanh(x.data(), y.data(), int(x.size()));
  table<float>().tanh(minus.data(), y_minus.data(), int(x.size()));
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i])) continue;
    ASSERT_LE(std::fabs(y[i]), 1.0f) << x[i];
    ASSERT_EQ(y[i], -y_minus[i]) << x[i];
  }
}
TEST_P(Elementary, SincospiIsWithinAnUlpOfOneAndExactAtMultiplesOfOneHalf) {
  test_sincospi(table<float>());
  test_sincospi(table<double>());
}
TEST_P(Elementary, PowAbsInFloatIsWithinAnUlp) {
  std::vector<float> x = all_scales<float>();
  add_range(x, -2, 2);
  for (double e : {0.05, 1.0 / 3, 0.5, 0.9, 1.0, 1.1, 2.0, 3.0, 10.0, 20.0})
    expect_within(
        1, x, [&](const float* v, float* y, int n) { table<float>().pow_abs(v, e, y, n); },
        [e](float y, float v) { return ulps<float>(y, std::pow(std::fabs(double(v)), e)); });
}
TEST_P(Elementary, PowAbsInDoubleHasTheErrorOfItsExponent) {  // e ln x is rounded: its error is multiplied by |e ln x|
  std::vector<double> x = {0};
  add_range(x, -2, 2);
  add_range(x, -1e-3, 1e-3, 1000);
  for (double e : {0.1, 0.5, 1.1, 2.0, 3.0})
    expect_within(
        2.5, x, [&](const double* v, double* y, int n) { table<double>().pow_abs(v, e, y, n); },
        [e](double y, double v) {
          const double size = v == 0 ? 0 : std::fabs(e * std::log(std::fabs(v)));
          return ulps<double>(y, std::pow(std::fabs(static_cast<long double>(v)), e)) / (1 + 2 * size);
        });
}

INSTANTIATE_TEST_SUITE_P(Math, Elementary, ::testing::Values(2, 3, 4), isa_name);

}  // namespace
}  // namespace cohort::test

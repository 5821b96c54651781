// Statistics against SciPy 1.17.1 (ttest_ind(equal_var=False), mannwhitneyu, linregress) and statsmodels
// (multipletests(method='holm')); samples without anything to test give defined answers.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "cohort/error.h"
#include "statistics/comparison.h"
#include "statistics/holm.h"
#include "statistics/mann_whitney.h"
#include "statistics/moments.h"
#include "statistics/quantiles.h"
#include "statistics/regression.h"
#include "statistics/selection.h"
#include "statistics/welch.h"

namespace cohort::engine {
namespace {

using Sample = std::vector<double>;
const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
constexpr double tolerance = 1e-11;  // relative; both libraries are good to about 1e-14

const Sample a5 = {0.9412, 0.9371, 0.9455, 0.9388, 0.9420}, b5 = {0.9310, 0.9352, 0.9275, 0.9391, 0.9203};
const Sample tied6 = {2, 3, 3, 5, 7, 8}, tied8 = {1, 3, 4, 4, 4, 9, 10, 12};
const Sample narrow = {10, 10.1, 9.9, 10.05, 9.95}, wide = {12, 3, 25, -4, 18, 7, 30};
const Sample low3 = {1, 2, 3}, high4 = {4, 5, 6, 7};

// Values without ties, spread by residues.
Sample spread(int n, int factor, int modulus, double scale, double drift, double shift) {
  Sample out;
  for (int i = 0; i < n; ++i) out.push_back(double(i * factor % modulus) / scale + drift * i + shift);
  return out;
}

void expect_close(double got, double wanted) { EXPECT_NEAR(got, wanted, tolerance * std::max(1e-3, std::abs(wanted))); }

void expect_welch(const Sample& a, const Sample& b, double t, double df, double p) {
  const Welch test = welch_test(a, b), back = welch_test(b, a);
  expect_close(test.t, t);
  expect_close(test.df, df);
  expect_close(test.p, p);
  EXPECT_EQ(back.t, -test.t);
  expect_close(back.p, p);
}

void expect_mann_whitney(const Sample& a, const Sample& b, double u, double p, bool exact) {
  const MannWhitney test = mann_whitney_test(a, b), back = mann_whitney_test(b, a);
  EXPECT_EQ(test.u, u);
  expect_close(test.p, p);
  EXPECT_EQ(test.exact, exact);
  EXPECT_EQ(test.u + back.u, double(a.size() * b.size()));
  expect_close(back.p, p);
}

TEST(Moments, LeaveOutWhatIsNotFinite) {
  const Moments m = moments(Sample{1, nan, 2, infinity, 6});
  EXPECT_EQ(m.n, 3u);
  EXPECT_EQ(m.mean, 3);
  expect_close(m.sd, std::sqrt(7.0));
  EXPECT_TRUE(std::isnan(moments(Sample{4}).sd));
  EXPECT_EQ(moments(Sample{nan}).n, 0u);
  EXPECT_TRUE(std::isnan(moments({}).mean));
}

TEST(Quantiles, AreThoseOfNumpy) {  // numpy.percentile(x, [50, 5, 95])
  const Quantiles q = quantiles({7, 1, 4, std::nan(""), 10, 2.5, HUGE_VAL}, 0.05);
  EXPECT_EQ(q.n, 5u);
  EXPECT_NEAR(q.median, 4, 1e-15);
  EXPECT_NEAR(q.low, 1.3, 1e-15);
  EXPECT_NEAR(q.high, 9.4, 1e-14);
  EXPECT_EQ(quantiles({3}, 0.25).low, 3);
  EXPECT_EQ(quantiles({1, 2}, 0).high, 2);
  EXPECT_EQ(quantiles({}, 0.05).n, 0u);
  EXPECT_TRUE(std::isnan(quantiles({}, 0.05).median));
}

TEST(Welch, IsThatOfScipy) {
  expect_welch(a5, b5, 2.909929628225287, 5.519920469060087, 0.02972537095326061);
  expect_welch(tied6, tied8, -0.7112446896402296, 11.707715181407147, 0.4908608394712161);
  expect_welch(narrow, wide, -0.6538932761230776, 6.0007126590982764, 0.5374178602082053);
  expect_welch(low3, high4, -4.041451884327381, 4.959183673469389, 0.01007694334798886);
  expect_welch(spread(12, 37, 101, 10, 0.003, 0), spread(15, 53, 97, 8, 0.0017, 1), -1.3509396450563333,
               24.75223493348555, 0.18893573399391056);
}

TEST(Welch, IsNotDefinedWithoutVariance) {
  for (const Welch& test : {welch_test(Sample{1}, a5), welch_test(a5, Sample{}), welch_test(Sample{2, 2}, Sample{2, 2}),
                            welch_test(Sample{2, 2}, Sample{3, 3, 3}), welch_test(Sample{nan, nan, 1}, a5)}) {
    EXPECT_TRUE(std::isnan(test.t));
    EXPECT_TRUE(std::isnan(test.df));
    EXPECT_TRUE(std::isnan(test.p));
  }
  EXPECT_EQ(welch_test(Sample{2, 2}, Sample{1, 3, 5}).df, 2);  // one sample varies: its degrees of freedom
  Sample gaps = a5;
  gaps.push_back(nan);
  EXPECT_EQ(welch_test(gaps, b5).p, welch_test(a5, b5).p);
}

TEST(MannWhitney, IsThatOfScipy) {
  expect_mann_whitney(a5, b5, 23, 0.031746031746031744, true);
  expect_mann_whitney(tied6, tied8, 19, 0.5577928054042104, false);
  expect_mann_whitney(narrow, wide, 15, 0.7550505050505051, true);
  expect_mann_whitney(low3, high4, 0, 0.05714285714285714, true);
  expect_mann_whitney(spread(12, 37, 101, 10, 0.003, 0), spread(15, 53, 97, 8, 0.0017, 1), 63, 0.19952898838347755,
                      true);
  expect_mann_whitney(spread(30, 37, 101, 10, 0.00301, 0), spread(40, 53, 97, 8, 0.00017, 0.00001), 535,
                      0.4439892419888398, false);
}

// All orders of 4 and 4 values, counted one by one.
TEST(MannWhitney, ExactValuesAreThoseOfEnumeration) {
  std::vector<double> u_of;
  for (unsigned set = 0; set < 256; ++set) {
    if (std::popcount(set) != 4) continue;
    double u = 0;
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < i; ++j) u += (set >> i & 1) && !(set >> j & 1);
    u_of.push_back(u);
  }
  ASSERT_EQ(u_of.size(), 70u);
  for (unsigned set = 0; set < 256; ++set) {
    if (std::popcount(set) != 4) continue;
    Sample a, b;
    for (int i = 0; i < 8; ++i) (set >> i & 1 ? a : b).push_back(i);
    const MannWhitney test = mann_whitney_test(a, b);
    const double larger = std::max(test.u, 16 - test.u);
    const double beyond = double(std::ranges::count_if(u_of, [&](double u) { return u >= larger; }));
    EXPECT_NEAR(test.p, std::min(1.0, 2 * beyond / 70), 1e-14);
  }
}

TEST(MannWhitney, OfLittleIsDefined) {
  EXPECT_TRUE(std::isnan(mann_whitney_test({}, a5).p));
  EXPECT_TRUE(std::isnan(mann_whitney_test(a5, Sample{nan}).p));
  EXPECT_TRUE(std::isnan(mann_whitney_test(a5, {}).u));
  EXPECT_EQ(mann_whitney_test(Sample{1}, Sample{2}).p, 1);
  EXPECT_EQ(mann_whitney_test(Sample{3, 3, 3}, Sample{3, 3}).p, 1);  // all equal
  EXPECT_EQ(mann_whitney_test(Sample{3, 3, 3}, Sample{3, 3}).u, 3);
  Sample gaps = b5;
  gaps.insert(gaps.begin(), infinity);
  EXPECT_EQ(mann_whitney_test(a5, gaps).p, mann_whitney_test(a5, b5).p);
}

TEST(Holm, IsThatOfStatsmodels) {
  const std::vector<double> adjusted = holm(Sample{0.01, 0.04, 0.03, 0.005, 0.6, 0.03});
  const Sample wanted = {0.05, 0.12, 0.12, 0.03, 0.6, 0.12};
  ASSERT_EQ(adjusted.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) expect_close(adjusted[i], wanted[i]);
}

TEST(Holm, UndefinedTestsDoNotCount) {
  const std::vector<double> adjusted = holm(Sample{0.02, nan, 0.5, nan});
  EXPECT_EQ(adjusted[0], 0.04);
  EXPECT_EQ(adjusted[2], 0.5);
  EXPECT_TRUE(std::isnan(adjusted[1]) && std::isnan(adjusted[3]));
  EXPECT_EQ(holm(Sample{0.9, 0.8})[0], 1);  // never above 1
  EXPECT_TRUE(holm({}).empty());
}

TEST(Comparison, IsOfAllPairsAndCorrectsEachTestByItself) {
  const std::vector<Sample> samples = {a5, b5, {nan, nan}, narrow};
  const std::vector<Comparison> pairs = compare_pairs(samples);
  ASSERT_EQ(pairs.size(), 6u);
  EXPECT_EQ(pairs[0].a, 0u);
  EXPECT_EQ(pairs[0].b, 1u);
  EXPECT_EQ(pairs[5].a, 2u);
  EXPECT_EQ(pairs[5].b, 3u);
  EXPECT_EQ(pairs[0].welch_holm, pairs[0].welch.p);  // the largest of three that are defined
  EXPECT_EQ(pairs[0].mann_whitney_holm, pairs[0].mann_whitney.p);
  expect_close(pairs[2].mann_whitney_holm, 3 * 2 / 252.0);  // apart, 5 and 5: p = 2 / C(10, 5)
  EXPECT_TRUE(std::isnan(pairs[1].welch_holm));
  EXPECT_TRUE(compare_pairs({}).empty());
}

TEST(Regression, IsThatOfScipy) {
  const Sample x = {0.953, 0.944, 0.931, 0.912, 0.905, 0.889, 0.861, 0.842, 0.811, 0.798};
  const Sample y = {1.646, 1.71, 1.9, 2.05, 2.318, 2.466, 2.722, 3.042, 3.3, 3.946};
  const Regression line = linear_regression(x, y);
  EXPECT_EQ(line.n, 10u);
  expect_close(line.slope, -13.482842918045499);
  expect_close(line.intercept, 14.436922845303048);
  expect_close(line.r, -0.9854598017855091);
  EXPECT_NEAR(line.p, 1.9215930901231216e-07, 1e-17);
  expect_close(line.slope_error, 0.8218892130673014);
  const Regression weak = linear_regression(Sample{1, 2, 3, nan, 4, 5, 6}, Sample{2.1, 1.9, 3.4, 7, 2.2, 2.9, 2.4});
  EXPECT_EQ(weak.n, 6u);
  expect_close(weak.slope, 0.09428571428571426);
  expect_close(weak.intercept, 2.1533333333333338);
  expect_close(weak.r, 0.3129637916474148);
  expect_close(weak.p, 0.5458811407002481);
  expect_close(weak.slope_error, 0.1430665132408152);
}

TEST(Regression, OfLittleIsDefined) {
  EXPECT_TRUE(std::isnan(linear_regression({}, {}).slope));
  EXPECT_TRUE(std::isnan(linear_regression(Sample{1}, Sample{2}).slope));
  EXPECT_TRUE(std::isnan(linear_regression(Sample{1, 1, 1}, Sample{2, 3, 4}).slope));
  const Regression two = linear_regression(Sample{1, 2}, Sample{1, 3});
  EXPECT_EQ(two.slope, 2);
  EXPECT_EQ(two.intercept, -1);
  expect_close(two.r, 1);
  EXPECT_TRUE(std::isnan(two.p));
  const Regression flat = linear_regression(Sample{1, 2, 3}, Sample{4, 4, 4});
  EXPECT_EQ(flat.slope, 0);
  EXPECT_EQ(flat.intercept, 4);
  EXPECT_TRUE(std::isnan(flat.r) && std::isnan(flat.p));
  const Regression exact = linear_regression(Sample{1, 2, 3}, Sample{2, 4, 6});
  expect_close(exact.r, 1);
  EXPECT_LT(exact.p, 1e-7);  // r is rounded
  EXPECT_THROW(linear_regression(Sample{1, 2}, Sample{1}), Error);
}

TEST(Selection, TakesTheBestMeanAndDivergedNetworksAreWorst) {
  const auto best = [](const std::vector<Sample>& scores, bool minimise = false) {
    return best_setting(scores, minimise);
  };
  EXPECT_EQ(best({{0.7, 0.8}, {0.9, 0.8}, {0.6, 0.7}}), 1u);
  EXPECT_EQ(best({{0.7, 0.8}, {0.9, 0.8}, {0.6, 0.7}}, true), 2u);
  EXPECT_EQ(best({{0.99, nan}, {0.5, 0.5}}), 1u);  // a diverged network outweighs any mean
  EXPECT_EQ(best({{0.01, infinity}, {0.5, 0.5}}, true), 1u);
  EXPECT_EQ(best({{0.99, nan, nan}, {0.2, 0.2, nan}}), 1u);  // fewer of them
  EXPECT_EQ(best({{0.3, nan}, {nan, 0.4}}), 1u);             // as many: the others
  EXPECT_EQ(best({{0.5, 0.5}, {0.5, 0.5}}), 0u);
  EXPECT_EQ(best({{nan}, {}, {nan, infinity}}), std::nullopt);
  EXPECT_EQ(best({}), std::nullopt);
}

}  // namespace
}  // namespace cohort::engine

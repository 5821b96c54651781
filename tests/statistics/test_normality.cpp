// Measures of normality and of dependence against their definitions, computed another way.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "statistics/anderson_darling.h"
#include "statistics/delta_cdf.h"
#include "statistics/normal.h"
#include "statistics/rank_correlation.h"

namespace cohort::engine {
namespace {

std::vector<double> normals(size_t n, double mean, double sd, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(mean, sd);
  std::vector<double> out(n);
  for (double& x : out) x = normal(random);
  return out;
}

TEST(Normal, QuantileInvertsTheDistribution) {
  EXPECT_NEAR(normal_cdf(1.959963984540054), 0.975, 1e-15);
  for (const double p : {1e-300, 1e-8, 0.025, 0.5, 0.9, 1 - 1e-12})
    EXPECT_NEAR(normal_cdf(normal_quantile(p)) / p, 1, 1e-11);
  EXPECT_EQ(normal_quantile(0), -HUGE_VAL);
  EXPECT_EQ(normal_quantile(1), HUGE_VAL);
}

TEST(DeltaCdf, IsTheIntegralByCounting) {
  const std::vector<double> change = normals(137, 0.3, 2, 1);
  double mean = 0, squares = 0;
  for (const double x : change) mean += x / 137;
  for (const double x : change) squares += (x - mean) * (x - mean);
  const double sd = std::sqrt(squares / 136);
  for (const bool centred : {false, true}) {
    // trapezoids between 1000 points from -5 to 5
    const auto gap = [&](double at) {
      const auto below = [&](double x) { return (x - (centred ? mean : 0)) / sd <= at; };
      return std::abs(double(std::ranges::count_if(change, below)) / 137 -
                      0.5 * (1 + std::erf(at / std::numbers::sqrt2)));
    };
    double sum = 0;
    for (int i = 0; i + 1 < 1000; ++i)
      sum += (gap(-5 + i * 10.0 / 999) + gap(-5 + (i + 1) * 10.0 / 999)) / 2 * 10 / 999;
    EXPECT_NEAR(delta_cdf(change, centred), sum, 1e-12);
  }
}

TEST(DeltaCdf, HasItsFloorForNormalChangesAndIsLargeForOthers) {
  double sum = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) sum += delta_cdf(normals(1000, 0, 3, seed)) / 200;
  EXPECT_NEAR(sum, 1.1 / std::sqrt(1000.0), 0.1 / std::sqrt(1000.0));
  std::vector<double> two(1000, 1);
  std::fill_n(two.begin(), 500, -1);
  EXPECT_GT(delta_cdf(two), 0.2);
}

TEST(DeltaCdf, IsUndefinedWithoutVariance) {
  EXPECT_TRUE(std::isnan(delta_cdf(std::vector<double>{})));
  EXPECT_TRUE(std::isnan(delta_cdf(std::vector<double>{1})));
  EXPECT_TRUE(std::isnan(delta_cdf(std::vector<double>{2, 2, 2})));
  EXPECT_TRUE(std::isnan(delta_cdf(std::vector<double>{1, 2, std::nan("")})));
}

TEST(AndersonDarling, IsTheIntegralOfItsDefinition) {  // n times that of (F_n - u)^2 / (u (1 - u)) over u = Phi(z)
  const std::vector<double> z = normals(40, 0.1, 1.2, 2);
  std::vector<double> u;
  for (const double x : z) u.push_back(normal_cdf(x));
  constexpr int n_points = 2'000'000;
  double sum = 0;
  std::ranges::sort(u);
  size_t below = 0;
  for (int i = 0; i < n_points; ++i) {
    const double at = (i + 0.5) / n_points;
    while (below < u.size() && u[below] <= at) ++below;
    const double gap = double(below) / 40 - at;
    sum += gap * gap / (at * (1 - at)) / n_points;
  }
  EXPECT_NEAR(anderson_darling(z), 40 * sum, 1e-4);
  EXPECT_TRUE(std::isfinite(anderson_darling(std::vector<double>{-60, 60})));
  EXPECT_TRUE(std::isnan(anderson_darling(std::vector<double>{})));
}

TEST(RankCorrelation, IsSpearmansFormula) {
  const std::vector<double> x = {3, 1, 4, 1.5, 9, 2.6}, y = {2, 7, 1, 8, 2.8, 1.8};
  // ranks 4 1 5 2 6 3 and 3 5 1 6 4 2: sum of d^2 = 1 + 16 + 16 + 16 + 4 + 1
  EXPECT_NEAR(rank_correlation(x, y), 1 - 6 * 54.0 / (6 * 35), 1e-14);
  EXPECT_EQ(ranks(std::vector<double>{5, 2, 5, 5, 9}), (std::vector<double>{3, 1, 3, 3, 5}));
  EXPECT_TRUE(std::isnan(rank_correlation(x, std::vector<double>(6, 1))));
}

}  // namespace
}  // namespace cohort::engine

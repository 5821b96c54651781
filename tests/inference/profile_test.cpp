// Maxima and intervals of functions whose maxima and intervals are known.
#include "inference/profile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "inference/maximise.h"

namespace cohort::engine {
namespace {

const std::vector<double> grid = {1, 1.5, 2, 3, 4, 6};

TEST(Profile, FindsMaximumAndInterval) {
  for (const double at : {1.2, 1.9, 3.3, 5.5})
    for (const double curvature : {1.0, 100.0, 1e6}) {
      const auto f = [&](double x) { return 7 - curvature * (x - at) * (x - at) / 2; };
      const Profile p = profile(f, grid, 2);
      const double half = 2 / std::sqrt(curvature);
      EXPECT_NEAR(p.estimate, at, 0.05 * half);  // a gain of 1e-3 at most is left
      EXPECT_NEAR(p.log_likelihood, 7, 1e-3);
      EXPECT_NEAR(p.low, std::max(1.0, at - half), 0.06 * half);
      EXPECT_NEAR(p.high, std::min(6.0, at + half), 0.06 * half);
    }
}

TEST(Profile, StopsAtTheEndsOfTheRange) {
  const Profile falling = profile([](double x) { return -10 * x; }, grid, 2);
  EXPECT_EQ(falling.estimate, 1);
  EXPECT_EQ(falling.low, 1);
  EXPECT_NEAR(falling.high, 1.2, 2e-3);
  const Profile rising = profile([](double x) { return 10 * x; }, grid, 2);
  EXPECT_EQ(rising.estimate, 6);
  EXPECT_EQ(rising.high, 6);
  EXPECT_NEAR(rising.low, 5.8, 2e-3);
}

TEST(Profile, BearsImpossibleValues) {
  const auto f = [](double x) { return x < 1.7 ? -HUGE_VAL : -(x - 2) * (x - 2); };
  const Profile p = profile(f, grid, 2);
  EXPECT_NEAR(p.estimate, 2, 0.04);
  EXPECT_NEAR(p.low, 1.7, 1e-3);
  EXPECT_NEAR(p.high, 2 + std::sqrt(2.0), 0.06);
  EXPECT_EQ(profile([](double) { return -HUGE_VAL; }, grid, 2).log_likelihood, -HUGE_VAL);
}

TEST(Profile, DropIsHalfAChiSquareQuantile) { EXPECT_NEAR(profile_drop(0.95), 3.841458820694124 / 2, 1e-12); }

TEST(Climb, FindsMaximaFarFromTheStart) {
  for (const double at : {-30.0, -2.0, 0.01, 5.0, 80.0}) {
    const auto f = [&](double x) { return -std::cosh((x - at) / 3); };
    EXPECT_NEAR(climb(f, {0, f(0)}, 0.1, 4, -100, 100, 1e-6).at, at, 0.02);
  }
  const auto rising = [](double x) { return x; };
  EXPECT_EQ(climb(rising, {0, 0}, 0.1, 4, -1, 3).at, 3);
}

}  // namespace
}  // namespace cohort::engine

// Likelihoods against closed forms, numerical integration and the change of units.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "cohort/error.h"
#include "inference/geometry_inference.h"
#include "inference/noisy_likelihood.h"
#include "inference/normal_tail.h"
#include "inference/simulate.h"
#include "inference/start_density.h"
#include "learned_pairs.h"

namespace cohort::engine {
namespace {

const double two_pi = 2 * std::numbers::pi;

WeightPairs some_pairs(const MirrorMap& map, size_t n, uint64_t index, double change = 0.1) {
  return testing::learned_pairs(7, map, n, index, change);
}

TEST(ExactLikelihood, IsTheDensityByItsFormula) {  // written out with std::pow and std::log
  const WeightPairs pairs = some_pairs(geometry_of(1.4), 200, 0);
  const auto formula = [&](auto dual, auto log_curvature) {
    double squares = 0, jacobian = 0;
    const size_t n = pairs.before.size();
    for (size_t i = 0; i < n; ++i) {
      squares += std::pow(dual(pairs.after[i]) - dual(pairs.before[i]), 2);
      jacobian += log_curvature(pairs.after[i]);
    }
    return -double(n) / 2 * (std::log(two_pi * squares / double(n)) + 1) + jacobian;
  };
  const auto likelihood = exact_likelihood(pairs, MeanChange::zero);
  for (const double p : {1.01, 1.4, 2.0, 3.0, 5.5})
    EXPECT_NEAR(likelihood->fit(geometry_of(p)).log_likelihood,
                formula([&](double w) { return std::copysign(std::pow(std::abs(w), p - 1), w); },
                        [&](double w) { return std::log(p - 1) + (p - 2) * std::log(std::abs(w)); }),
                1e-9 * 200 / (p - 1))
        << p;
  EXPECT_NEAR(
      likelihood->fit(hypentropy_of(std::log(0.3))).log_likelihood,
      formula([](double w) { return std::asinh(w / 0.3); }, [](double w) { return -0.5 * std::log(w * w + 0.09); }),
      1e-9 * 200);
}

TEST(ExactLikelihood, NegativeEntropyIsTheLimitOfPNorms) {
  const WeightPairs pairs = some_pairs(geometry_of(1), 300, 1);
  const auto likelihood = exact_likelihood(pairs, MeanChange::zero);
  const double limit = likelihood->fit(geometry_of(1)).log_likelihood;
  // d logL / dp is of the order n: the difference is at most about 10 n (p - 1), plus rounding of the dual change
  for (const double gap : {1e-3, 1e-4, 1e-5, 2e-6})
    EXPECT_NEAR(likelihood->fit(geometry_of(1 + gap)).log_likelihood, limit, 3000 * gap + 1e-4) << gap;
}

TEST(ExactLikelihood, NegativeEntropyNeverFlipsASign) {
  WeightPairs pairs = some_pairs(geometry_of(1), 50, 2);
  pairs.after[17] = -pairs.after[17];
  EXPECT_EQ(exact_likelihood(pairs, MeanChange::zero)->fit(geometry_of(1)).log_likelihood, -HUGE_VAL);
  pairs.after[17] = 0;
  EXPECT_THROW(exact_likelihood(pairs, MeanChange::zero), Error);
}

TEST(ExactLikelihood, KnowsNoUnits) {  // densities scale by 1 / unit, everything else stays
  const WeightPairs pairs = some_pairs(geometry_of(2.5), 100, 3);
  const auto reference = exact_likelihood(pairs, MeanChange::free);
  for (const double unit : {1e-30, 1e-3, 1e30}) {
    WeightPairs other = pairs;
    for (auto* weights : {&other.before, &other.after})
      for (double& w : *weights) w *= unit;
    const auto likelihood = exact_likelihood(other, MeanChange::free);
    for (const double p : {1.001, 1.5, 2.5, 6.0}) {
      const DualChange a = reference->fit(geometry_of(p)), b = likelihood->fit(geometry_of(p));
      EXPECT_NEAR(b.log_likelihood, a.log_likelihood - 100 * std::log(unit), 1e-6);
      EXPECT_NEAR(b.sd / a.sd, std::pow(unit, p - 1), 1e-9 * std::pow(unit, p - 1));
    }
  }
}

TEST(ExactLikelihood, TakesTheMeanOffIfItIsFree) {
  Random random = random_of(7, 1, 0);
  WeightPairs pairs;
  pairs.before = draw_start(Start::normal, 1, 4000, random);
  learn(geometry_of(2), 0.05, 0.1, pairs, random);
  const auto zero = exact_likelihood(pairs, MeanChange::zero), free = exact_likelihood(pairs, MeanChange::free);
  const DualChange change = free->fit(geometry_of(2));
  EXPECT_NEAR(change.mean, 0.05, 5 * 0.1 / std::sqrt(4000.0));
  EXPECT_GT(change.log_likelihood, zero->fit(geometry_of(2)).log_likelihood + 300);
}

TEST(NormalTail, AgreesWithTheErrorFunction) {
  for (double z = 0; z < 36.9; z += 0.00913) {
    const double exact = 0.5 * std::erfc(z / std::numbers::sqrt2);
    EXPECT_NEAR(NormalTail::table()(z), exact, exact * (1.2 * std::pow(z / 128, 4) / 384 + 1e-10)) << z;
  }
  EXPECT_EQ(NormalTail::table()(HUGE_VAL), 0);
}

// In the Euclidean geometry with normal weights everything is normal: v1 given v0 has mean v0 / (1 + s^2) and variance
// 1 + c^2 + s^2 - 1 / (1 + s^2), the weights before learning being N(0, 1), the change N(0, c^2) and the noise s.
TEST(NoisyLikelihood, IsTheClosedFormOfNormalWeights) {
  constexpr size_t n = 4000;
  const double change = 0.1, noise = 0.08;
  Random random = random_of(7, 2, 0);
  WeightPairs pairs = measured(some_pairs(geometry_of(2), n, 4, change), {.absolute = noise}, random);
  const double weight = 1 / (1 + noise * noise);
  const auto closed = [&](double sd) {
    const double variance = 1 + sd * sd + noise * noise - weight;
    double sum = 0;
    for (size_t i = 0; i < n; ++i) {
      const double gap = pairs.after[i] - weight * pairs.before[i];
      sum -= gap * gap / (2 * variance) + std::log(two_pi * variance) / 2;
    }
    return sum;
  };
  double best = 0;
  for (double sd = 0.05; sd < 0.2; sd += 1e-4)
    if (best == 0 || closed(sd) > closed(best)) best = sd;
  const DualChange fitted = noisy_likelihood(pairs, {.absolute = noise}, MeanChange::zero)->fit(geometry_of(2));
  // The start's density is estimated, with up to eleven parameters, and the closed form's is not: a few units
  EXPECT_NEAR(fitted.log_likelihood, closed(best), 8);
  EXPECT_NEAR(fitted.sd, best, 0.02 * best);
}

// The integral over both latent weights by brute force, for a singular and a flat map, the start N(0, 1) taken as known.
TEST(NoisyLikelihood, DifferencesOfGeometriesAgreeWithQuadrature) {
  constexpr size_t n = 150;
  const double noise = 0.1;
  for (const double truth : {1.5, 3.0}) {
    Random random = random_of(7, 3, 0);
    const WeightPairs pairs = measured(some_pairs(geometry_of(truth), n, 5), {.absolute = noise}, random);
    const auto likelihood = noisy_likelihood(pairs, {.absolute = noise}, MeanChange::zero);
    const auto integral = [&](double p, double sd) {
      const auto dual = [&](double w) { return std::copysign(std::pow(std::abs(w), p - 1), w); };
      const auto primal = [&](double y) { return std::copysign(std::pow(std::abs(y), 1 / (p - 1)), y); };
      const auto normal = [](double x, double s) { return std::exp(-x * x / (2 * s * s)) / (s * std::sqrt(two_pi)); };
      double sum = 0;
      for (size_t i = 0; i < n; ++i) {
        double both = 0, start = 0;
        constexpr int n_w = 120, n_z = 200;
        for (int a = 0; a < n_w; ++a) {
          const double w = pairs.before[i] + noise * (-5 + 10 * (a + 0.5) / n_w);
          const double prior = normal(w, 1) * normal(pairs.before[i] - w, noise);
          double inner = 0;
          for (int b = 0; b < n_z; ++b) {
            const double z = -6 + 12 * (b + 0.5) / n_z;
            inner += normal(z, 1) * normal(pairs.after[i] - primal(dual(w) + sd * z), noise) * 12 / n_z;
          }
          both += prior * inner;
          start += prior;
        }
        sum += std::log(both / start);
      }
      return sum;
    };
    double difference = 0, expected = 0;
    for (const auto& [p, sign] : {std::pair(truth, 1.0), std::pair(2.2, -1.0)}) {
      const DualChange fitted = likelihood->fit(geometry_of(p));
      difference += sign * fitted.log_likelihood;
      expected += sign * integral(p, fitted.sd);
    }
    EXPECT_NEAR(difference, expected, 0.1 + 0.02 * std::abs(expected)) << truth;
  }
}

TEST(NoisyLikelihood, TendsToTheExactOneAsNoiseVanishes) {
  const WeightPairs pairs = some_pairs(geometry_of(2), 300, 6);
  const auto exact = exact_likelihood(pairs, MeanChange::zero);
  const auto noisy = noisy_likelihood(pairs, {.absolute = 1e-3}, MeanChange::zero);
  const auto gain = [](Likelihood& l) {
    return l.fit(geometry_of(2)).log_likelihood - l.fit(geometry_of(2.3)).log_likelihood;
  };
  EXPECT_NEAR(gain(*noisy), gain(*exact), 0.02 * gain(*exact));
}

TEST(NoisyLikelihood, KnowsNoUnits) {
  Random random = random_of(7, 4, 0);
  const WeightPairs pairs = measured(some_pairs(geometry_of(3), 200, 7), {.absolute = 0.05, .relative = 0.05}, random);
  WeightPairs other = pairs;
  for (auto* weights : {&other.before, &other.after})
    for (double& w : *weights) w *= 1024;
  const auto a = noisy_likelihood(pairs, {.absolute = 0.05, .relative = 0.05}, MeanChange::zero),
             b = noisy_likelihood(other, {.absolute = 51.2, .relative = 0.05}, MeanChange::zero);
  for (const double p : {1.0, 2.0, 3.0})
    EXPECT_NEAR(b->fit(geometry_of(p)).log_likelihood, a->fit(geometry_of(p)).log_likelihood - 200 * std::log(1024.0),
                1e-6);
}

TEST(NoisyLikelihood, TakesTheMeanOffIfItIsFree) {
  Random random = random_of(7, 6, 0);
  WeightPairs pairs;
  pairs.before = draw_start(Start::normal, 1, 2000, random);
  learn(geometry_of(2), 0.05, 0.1, pairs, random);
  pairs = measured(pairs, {.absolute = 0.05}, random);
  const DualChange change = noisy_likelihood(pairs, {.absolute = 0.05}, MeanChange::free)->fit(geometry_of(2));
  // the mean of v1 - v0, of sd sqrt(0.1^2 + 2 0.05^2)
  EXPECT_NEAR(change.mean, 0.05, 5 * 0.123 / std::sqrt(2000.0));
  EXPECT_NEAR(change.sd, 0.1, 0.01);
}

// In the Euclidean geometry a common change is a free mean and nothing else: the likelihood at its best stays what it was.
TEST(NoisyLikelihood, AFreeMeanTakesACommonChangeAway) {
  Random random = random_of(7, 7, 0);
  const WeightPairs pairs = measured(some_pairs(geometry_of(2), 1000, 9, 0.1), {.absolute = 0.05}, random);
  const auto fit = [&](double common) {
    WeightPairs moved = pairs;
    for (double& v : moved.after) v += common;
    return noisy_likelihood(moved, {.absolute = 0.05}, MeanChange::free)->fit(geometry_of(2));
  };
  const DualChange at_rest = fit(0);
  for (const double common : {0.02, 0.1, 0.4}) {
    const DualChange change = fit(common);
    EXPECT_NEAR(change.log_likelihood, at_rest.log_likelihood, 0.02) << common;
    EXPECT_NEAR(change.mean, common + at_rest.mean, 1e-4) << common;
    EXPECT_NEAR(change.sd, at_rest.sd, 3e-4) << common;
  }
}

TEST(NoisyLikelihood, RefusesImpossibleNoise) {
  const WeightPairs pairs = some_pairs(geometry_of(2), 20, 8);
  EXPECT_THROW(noisy_likelihood(pairs, {.absolute = -1}, MeanChange::zero), Error);
  EXPECT_THROW(noisy_likelihood(pairs, {.relative = 0.5}, MeanChange::zero), Error);
  EXPECT_THROW(noisy_likelihood(pairs, {.absolute = 1e-12}, MeanChange::zero), Error);
}

TEST(StartDensity, FindsTheDensityBehindTheNoise) {  // two lumps, noise of a cell or two
  constexpr size_t n_cells = 120;
  Random random = random_of(7, 5, 0);
  std::normal_distribution<double> normal;
  std::vector<std::vector<double>> likelihoods;
  std::vector<LatentMeasurement> measurements;
  for (int i = 0; i < 20000; ++i) {
    const double v = (random() % 2 ? 40 : 80) + 6 * normal(random) + 2 * normal(random);
    std::vector<double>& l = likelihoods.emplace_back();
    const auto first = size_t(std::max(v - 10, 0.0));
    for (size_t k = first; k < first + 20; ++k) l.push_back(std::exp(-(double(k) - v) * (double(k) - v) / 8));
    measurements.push_back({1, first, l});
  }
  const std::vector<double> mass = start_density(measurements, n_cells);
  double sum = 0, distance = 0;
  for (size_t k = 0; k < n_cells; ++k) {
    const auto lump = [&](double at) {
      return std::exp(-(double(k) - at) * (double(k) - at) / 72) / (6 * std::sqrt(two_pi));
    };
    sum += mass[k];
    distance += std::abs(mass[k] - (lump(40) + lump(80)) / 2);
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_LT(distance, 0.12);  // of 2
}

}  // namespace
}  // namespace cohort::engine

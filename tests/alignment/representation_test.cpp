// Gram sums of hidden states against sums in long double with every entry written out.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include "alignment/operate.h"

namespace cohort {
namespace {

struct States {
  int trials, n;
  std::vector<float> values;
  States(int trials_, int n_, double mean, double sd, uint64_t seed)
      : trials(trials_), n(n_), values(size_t(trials_) * size_t(n_)) {
    std::mt19937_64 random(seed);
    for (float& v : values) {
      double sum = 0;
      for (int i = 0; i < 12; ++i) sum += double(random() >> 11) * 0x1p-53;
      v = float(mean + sd * (sum - 6));
    }
  }
};

// Of each matrix [trials][n] of the cohort's layer; `layers` of them a network.
template <class Real>
std::vector<GramSums> run(const std::vector<Real>& now, const std::vector<Real>& start, int n_nets, int layers,
                          int layer, int trials, int n, bool centred) {
  AlignmentArgs<Real> args;
  args.cohort.signature = {CoreId::recurrent, 1, n, layers, 1, 0, 1, 1, 0};
  args.cohort.n_nets = n_nets;
  const std::vector<NetSpec> nets(static_cast<size_t>(n_nets));
  args.cohort.nets = nets.data();
  std::vector<GramSums> sums[2] = {std::vector<GramSums>(size_t(n_nets)), std::vector<GramSums>(size_t(n_nets))};
  args.trials = trials;
  args.layer = layer;
  args.hidden = now.data();
  args.hidden_start = start.data();
  args.uncentred = sums[0].data();
  args.centred = sums[1].data();
  const Program<Real>& program = *cpu_program<Real>(CoreId::recurrent);
  testing::operate(args, program.alignment_workspace, program.alignment);
  return sums[centred ? 1 : 0];
}

GramSums explicit_sums(const States& a, const States& b, bool centred) {
  using Real = long double;
  const auto prepared = [&](const States& s) {
    std::vector<Real> out(s.values.begin(), s.values.end());
    for (int u = 0; u < s.n && centred; ++u) {
      Real mean = 0;
      for (int r = 0; r < s.trials; ++r) mean += Real(s.values[size_t(r * s.n + u)]) / s.trials;
      for (int r = 0; r < s.trials; ++r) out[size_t(r * s.n + u)] -= mean;
    }
    return out;
  };
  const std::vector<Real> x = prepared(a), y = prepared(b);
  Real xy = 0, xx = 0, yy = 0;
  for (int r = 0; r < a.trials; ++r)
    for (int c = 0; c < a.trials; ++c) {
      Real g = 0, h = 0;
      for (int u = 0; u < a.n; ++u) {
        g += x[size_t(r * a.n + u)] * x[size_t(c * a.n + u)];
        h += y[size_t(r * a.n + u)] * y[size_t(c * a.n + u)];
      }
      xy += g * h;
      xx += g * g;
      yy += h * h;
    }
  return {double(xy), double(xx), double(yy)};
}

void expect_near(const GramSums& a, const GramSums& b, double relative) {
  EXPECT_NEAR(a.xy, b.xy, relative * std::sqrt(b.xx * b.yy));
  EXPECT_NEAR(a.xx, b.xx, relative * b.xx);
  EXPECT_NEAR(a.yy, b.yy, relative * b.yy);
}

// Both forms, one and several strips, the last of them of any width; zero, small and large means.
TEST(GramSums, agree_with_every_entry_written_out) {
  for (const auto& [trials, n] :
       {std::pair{1, 1}, {1, 9}, {9, 1}, {40, 20}, {41, 20}, {64, 130}, {130, 64}, {200, 71}, {71, 200}, {129, 64}})
    for (const double mean : {0.0, 30.0, 1000.0}) {
      SCOPED_TRACE(std::to_string(trials) + " trials, " + std::to_string(n) + " units, mean " + std::to_string(mean));
      const States a(trials, n, mean, 1, 3), b(trials, n, mean / 2, 2, 4);
      for (const bool centred : {false, true}) {
        if (centred && trials == 1) continue;
        const GramSums got = run(a.values, b.values, 1, 1, 0, trials, n, centred)[0];
        expect_near(got, explicit_sums(a, b, centred), centred ? 1e-10 : 1e-12);
      }
    }
}

TEST(GramSums, of_nearly_equal_representations_keep_the_digits_of_their_difference) {
  const States a(60, 30, 1, 1, 5);
  States b = a;
  for (size_t i = 0; i < b.values.size(); ++i) b.values[i] *= 1 + 1e-4f * float(i % 3);
  for (const bool centred : {false, true}) {
    const GramSums got = run(a.values, b.values, 1, 1, 0, 60, 30, centred)[0], expected = explicit_sums(a, b, centred);
    const auto distance = [](const GramSums& s) { return 1 - s.xy / std::sqrt(s.xx * s.yy); };
    EXPECT_LT(distance(expected), 1e-7);
    EXPECT_NEAR(distance(got), distance(expected), 1e-6 * distance(expected));
  }
}

TEST(GramSums, are_those_of_each_network_and_layer) {
  const int trials = 12, n = 7, layers = 3, n_nets = 4;
  std::vector<double> now, start;
  std::vector<States> each[2];
  for (int i = 0; i < n_nets * layers; ++i) {
    each[0].emplace_back(trials, n, 1, 1, 10 + i);
    each[1].emplace_back(trials, n, 0, 1, 90 + i);
    now.insert(now.end(), each[0].back().values.begin(), each[0].back().values.end());
    start.insert(start.end(), each[1].back().values.begin(), each[1].back().values.end());
  }
  for (int layer = 0; layer < layers; ++layer) {
    const auto got = run(now, start, n_nets, layers, layer, trials, n, false);
    for (int i = 0; i < n_nets; ++i) {
      const size_t at = size_t(i * layers + layer);
      expect_near(got[size_t(i)], explicit_sums(each[0][at], each[1][at], false), 1e-12);
    }
  }
}

TEST(GramSums, of_silence_are_zero_and_of_broken_states_not_finite) {
  const States good(10, 6, 0, 1, 1);
  const States silent(10, 6, 0, 0, 1);
  const GramSums none = run(silent.values, good.values, 1, 1, 0, 10, 6, false)[0];
  EXPECT_EQ(none.xy, 0);
  EXPECT_EQ(none.xx, 0);
  EXPECT_GT(none.yy, 0);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    for (const int trials : {10, 6}) {
      const int n = 60 / trials;
      States broken = good;
      broken.values[7] = bad;
      for (const bool centred : {false, true}) {
        EXPECT_FALSE(std::isfinite(run(broken.values, good.values, 1, 1, 0, trials, n, centred)[0].xx));
        EXPECT_FALSE(std::isfinite(run(good.values, broken.values, 1, 1, 0, trials, n, centred)[0].xy));
      }
    }
}

}  // namespace
}  // namespace cohort

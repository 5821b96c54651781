// What docs/inference.md promises, by simulation at a tenth of its size (COHORT_FULL: at its size): coverage of intervals, levels
// and power of the tests of fit, errors on the published robustness experiment.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "device/parallel.h"
#include "inference/geometry_inference.h"
#include "inference/power.h"

namespace cohort::engine {
namespace {

int of(int full) { return std::getenv("COHORT_FULL") ? full : full / 10; }

// Four standard deviations of a share of n.
double slack(double share, int n) { return 4 * std::sqrt(share * (1 - share) / n); }

TEST(Coverage, IsThatOfTheLevel) {
  PowerOptions options = coverage_protocol();
  options.data_sets = of(2000);
  options.n_threads = available_cores();
  options.noise = {0, 0.05};
  for (const PowerRow& row : power(options)) {
    EXPECT_GE(row.coverage, 0.90 - (row.data_sets < 2000 ? slack(0.95, row.data_sets) : 0))
        << row.truth << " noise " << row.noise;
    EXPECT_LE(row.coverage, 0.98 + (row.data_sets < 2000 ? slack(0.95, row.data_sets) : 0))
        << row.truth << " noise " << row.noise;
  }
}

TEST(Robustness, ErrorsAreAtMostHalfOfDeltaCdf) {
  PowerOptions options = robustness_protocol();
  options.data_sets = of(300);
  options.n_threads = available_cores();
  for (const PowerRow& row : power(options)) {
    EXPECT_LE(row.rmse, row.delta_cdf_rmse / 2) << row.truth;
    EXPECT_LE(row.estimate_rmse, row.delta_cdf_rmse / 2) << row.truth;
    // 300 seeds: .31 to .60 for Delta-CDF, .90 to 1 for the likelihood
    EXPECT_GT(row.exact, 0.9 - slack(0.9, row.data_sets));
    EXPECT_LT(row.delta_cdf_exact, 0.6 + slack(0.6, row.data_sets));
  }
}

// Share of data sets of a kind whose fit is rejected at 5 %.
template <class Make>
double rejected(int n_sets, const InferenceOptions& options, Make make) {
  std::vector<int> low(static_cast<size_t>(n_sets));
  parallel_for(available_cores(), n_sets, [&](int64_t set, int) {
    Random random = random_of(13, 0, uint64_t(set));
    WeightPairs pairs;
    pairs.before = draw_start(Start::normal, 1, 1000, random);
    make(pairs, random);
    if (!options.noise.none()) pairs = measured(pairs, options.noise, random);
    InferenceOptions own = options;
    own.seed = uint64_t(set);
    own.candidates = {1};
    low[size_t(set)] = infer_geometry(pairs, own).fit.p_value < 0.05;
  });
  double sum = 0;
  for (const int l : low) sum += l;
  return sum / n_sets;
}

TEST(GoodnessOfFit, HoldsItsLevel) {
  const int n_sets = of(1000);
  for (const double p : {1.0, 1.5, 3.0}) {
    const MirrorMap map = geometry_of(p);
    const auto make = [&](WeightPairs& pairs, Random& random) {
      learn(map, 0, p == 1 ? 0.1 : 0.1 * (p - 1), pairs, random);
    };
    EXPECT_NEAR(rejected(n_sets, {.bootstrap = 99}, make), 0.05, slack(0.05, n_sets)) << p;
  }
}

TEST(GoodnessOfFit, FlagsWrongModels) {
  const int n_sets = of(200);
  const InferenceOptions options{.bootstrap = 99};
  // `after` of every weight by change(w, z), z drawing a standard normal number.
  const auto all = [](auto change) {
    return [change](WeightPairs& pairs, Random& random) {
      std::normal_distribution<double> normal;
      for (const double w : pairs.before) pairs.after.push_back(change(w, [&] { return normal(random); }));
    };
  };
  const auto tails = all([](double w, auto z) {
    double squares = 0;
    for (int i = 0; i < 3; ++i) squares += std::pow(z(), 2);
    return w + 0.1 * z() / std::sqrt(squares / 3);
  });
  const auto decay = all([](double w, auto z) { return 0.95 * w + 0.1 * z(); });
  const auto bump =
      all([](double w, auto z) { return w + 0.1 * z() * (1 + 3 * std::exp(-8 * std::pow(std::abs(w) - 1, 2))); });
  const auto split = all([](double w, auto z) { return z() > 0 ? w * std::exp(0.2 * z()) : w + 0.02 * z(); });
  EXPECT_GT(rejected(n_sets, options, tails), 0.9) << "Student's t of three degrees";
  EXPECT_GT(rejected(n_sets, options, decay), 0.9) << "weights that shrink";
  EXPECT_GT(rejected(n_sets, options, bump), 0.9) << "changes largest at one size";
  EXPECT_GT(rejected(n_sets, options, split), 0.9) << "half the synapses multiplicative, half additive";
}

TEST(GoodnessOfFit, HoldsItsLevelUnderNoise) {
  const int n_sets = of(300);
  const MirrorMap map = geometry_of(2);
  const auto make = [&](WeightPairs& pairs, Random& random) { learn(map, 0, 0.1, pairs, random); };
  EXPECT_NEAR(rejected(n_sets, {.noise = {.absolute = 0.05}, .bootstrap = 39}, make), 0.05, slack(0.05, n_sets));
}

TEST(GoodnessOfFit, FlagsNoiseThatIsNotAccountedFor) {
  const int n_sets = of(200);
  const MirrorMap map = geometry_of(3);
  const auto make = [&](WeightPairs& pairs, Random& random) {
    learn(map, 0, 0.1, pairs, random);
    pairs = measured(pairs, {.absolute = 0.15}, random);
  };
  EXPECT_GT(rejected(n_sets, {.bootstrap = 99}, make), 0.7);
}

}  // namespace
}  // namespace cohort::engine

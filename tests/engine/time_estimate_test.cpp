// What plans say of time.
#include "runner/time_estimate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "data/idx.h"
#include "runner/plan.h"
#include "runner/runner.h"

namespace cohort::engine {
namespace {

const char* const kRows = R"(
name = "rows"
[network]
n_hidden = 48
[rule]
lr = 0.01
clip = 1.0
[task]
name = "row_mnist"
[train]
steps = 40
[eval]
every = 10
trials = 300
[analysis]
names = ["svd_entropy", "spectral_radius"]
[sweep]
seed = { range = [0, 4] }
"network.parameterisation" = ["dense", "dann"]
)";

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(TimeEstimate, OfImageTasksNeedsNoData) {
  const auto device = open_cpu_device(2);
  const Experiment short_one = Experiment::parse(kRows);
  Plan plan;
  // Never longer than the run itself would take, but for what is tried at least once.
  const double took = seconds_of([&] { plan = make_plan(short_one, device.get()); });
  EXPECT_LT(took, 10);
  for (const double part : {plan.time.training, plan.time.evaluation, plan.time.analysis}) {
    EXPECT_TRUE(std::isfinite(part));
    EXPECT_GT(part, 0);
  }
  EXPECT_NE(plan_text(plan, device->info()).find("\ntime        about "), std::string::npos);
  // A thousand times the steps and evaluations.
  const Plan longer = make_plan(Experiment::parse(kRows, "config", {"train.steps=40000"}), device.get());
  EXPECT_DOUBLE_EQ(longer.training_flop, 1000 * plan.training_flop);
  EXPECT_DOUBLE_EQ(longer.evaluation_flop, 1000 * plan.evaluation_flop);
  EXPECT_GT(longer.time.training, 100 * plan.time.training);
  EXPECT_LT(longer.time.training, 10000 * plan.time.training);
}

TEST(TimeEstimate, CountsEvaluationsAndSnapshotsAsTheyAreMade) {
  for (const std::vector<std::string>& keys : std::vector<std::vector<std::string>>{
           {"train.steps=40", "eval.every=10", "analysis.every=7"},
           {"train.steps=41", "eval.every=10", "analysis.at=\"log\""},
           {"train.steps=9", "eval.every=3", "analysis.at=\"log\"", "analysis.every=4"},
           {"train.steps=1", "eval.every=1", "analysis.every=1"}}) {
    std::vector<std::string> overrides = keys;
    overrides.insert(overrides.end(), {"task.name=\"adding\"", "network.n_hidden=3", "seed=1"});
    const Experiment e = Experiment::parse(kRows, "config", overrides);
    const auto device = open_cpu_device(1);
    const UnitResult r = run_networks({*device, e, Dataset{}}, {0}).value();
    const auto length = [&](const std::string& name) {
      const auto found = std::find_if(r.series.begin(), r.series.end(), [&](const auto& s) { return s.name == name; });
      return found == r.series.end() ? 0 : int64_t(found->step.size());
    };
    const int64_t steps = e.network(0).spec.steps;
    EXPECT_EQ(std::max<int64_t>(length("eval.loss"), 1), n_evaluations(e.settings().eval, steps));
    const int64_t snapshots = n_snapshots(e.settings().analysis, steps);
    EXPECT_EQ(length("svd_entropy"), snapshots ? snapshots + 2 : 0);
  }
  EXPECT_EQ(n_evaluations(EvalSettings{}, 100), 1);
  EXPECT_EQ(n_snapshots(AnalysisSettings{}, 100), 0);
}

// Every network for itself.
std::vector<std::vector<int64_t>> alone(const Experiment& e) {
  std::vector<std::vector<int64_t>> networks;
  for (int64_t i = 0; i < e.size(); ++i) networks.push_back({i});
  return networks;
}

// Signatures that are not tried have the rates of others.
TEST(TimeEstimate, OfManySignatures) {
  const auto device = open_cpu_device(2);
  const Experiment e = Experiment::parse(
      kRows, "config", {"sweep.network.n_hidden={linspace=[8, 64, 15]}", "task.name=\"context_decision\"", "seed=0"});
  TimeEstimate estimate;
  const double took = seconds_of([&] { estimate = estimate_time(e, alone(e), *device); });
  EXPECT_LT(took, 20);
  EXPECT_GT(estimate.training, 0);
  const Experiment tried = Experiment::parse(
      kRows, "config", {"sweep.network.n_hidden=[44, 48, 52, 64]", "task.name=\"context_decision\"", "seed=0"});
  EXPECT_GT(estimate.training, estimate_time(tried, alone(tried), *device).training / 2);
}

TEST(TimeEstimate, FlopOfATrialIsTheForwardThirdOfAStep) {
  const Signature g = Experiment::parse(kRows).network(0).signature;
  EXPECT_EQ(flop_per_trial(g), 2.0 * 28 * (48 * 48 + 48 * 28 + 48 * 10));
  EXPECT_LT(flop_per_trial(g) * g.batch, flop_per_step(g) / 2);
  EXPECT_GT(flop_per_trial(g) * g.batch, flop_per_step(g) / 3);
}

// Of a network that diverges in its first step nothing is known.
TEST(TimeEstimate, IsZeroWhereAllThatWasTriedDiverged) {
  const auto device = open_cpu_device(2);
  const Plan plan = make_plan(Experiment::parse(kRows, "config", {"init.gain=1e30", "seed=0"}), device.get());
  EXPECT_EQ(plan.time.training, 0);
  EXPECT_GT(plan.time.evaluation, 0);
  EXPECT_TRUE(std::isfinite(plan.time.total()));
}

}  // namespace
}  // namespace cohort::engine

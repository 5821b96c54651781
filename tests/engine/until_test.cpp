// Training that is extended until the training trials are learned.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "device/device.h"
#include "runner/plan.h"
#include "runner/runner.h"

namespace cohort::engine {
namespace {

const char* const kText = R"(
name = "until"
[network]
n_hidden = 8
[task]
name = "adding"
steps = 4
samples = 24
batch = 8
[rule]
lr = 0.01
schedule = "cosine"
cooldown = 3
[train]
steps = 15
[eval]
every = 10
split = "train"
also = ["validation"]
[analysis]
names = ["svd_entropy", "weight_change"]
at = "log"
[output]
weights = "all"
parameters = true
history_every = 2
[sweep]
seed = { range = [0, 12] }
"rule.geometry" = ["euclidean", "neg_entropy"]
)";

std::vector<int64_t> all_of(const Experiment& e) {
  std::vector<int64_t> networks(size_t(e.size()));
  std::iota(networks.begin(), networks.end(), 0);
  return networks;
}
UnitResult run(const std::vector<std::string>& overrides, int threads = 2) {
  const Experiment e = Experiment::parse(kText, "config", overrides);
  const auto device = open_cpu_device(threads);
  return run_networks({*device, e, Dataset{}}, all_of(e)).value();
}
const std::vector<double>& column(const UnitResult& r, const std::string& name) {
  return std::find_if(r.columns.begin(), r.columns.end(), [&](const auto& c) { return c.name == name; })->value;
}
bool same(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b)); }

// Network i of `got` is that of `plain`, trained for as long as the plain one, and nothing was recorded beyond.
void expect_run(const UnitResult& got, const UnitResult& plain, size_t i) {
  for (const auto& c : plain.columns) EXPECT_TRUE(same(column(got, c.name)[i], c.value[i])) << c.name;
  for (size_t a = 0; a < plain.arrays.size(); ++a) {
    const size_t size = plain.arrays[a].value.size() / plain.net.size();
    ASSERT_EQ(got.arrays[a].name, plain.arrays[a].name);
    EXPECT_EQ(std::memcmp(&got.arrays[a].value[i * size], &plain.arrays[a].value[i * size], size * sizeof(float)), 0);
  }
  for (size_t s = 0; s < plain.series.size(); ++s) {
    const UnitResult::Series &a = got.series[s], &b = plain.series[s];
    ASSERT_EQ(a.name, b.name);
    EXPECT_TRUE(std::is_sorted(a.step.begin(), a.step.end()));
    for (size_t k = 0; k < a.step.size(); ++k) {
      const auto found = std::find(b.step.begin(), b.step.end(), a.step[k]);
      const double wanted =
          found == b.step.end() ? std::nan("") : b.value[i * b.step.size() + size_t(found - b.step.begin())];
      EXPECT_TRUE(same(a.value[i * a.step.size() + k], wanted)) << a.name << " at step " << a.step[k];
    }
  }
}

TEST(Until, ANetworkIsThatOfThePlainRunThatWasLongEnough) {
  constexpr size_t most = 3;
  std::vector<UnitResult> plain;
  for (size_t k = 1; k <= most; ++k) plain.push_back(run({"train.steps=" + std::to_string(15 * k)}));
  std::vector<double> losses = column(plain[0], "final.loss");
  for (const double loss : column(plain[1], "final.loss")) losses.push_back(loss);
  std::nth_element(losses.begin(), losses.begin() + 12, losses.end());
  const double limit = losses[12];
  const auto learned = [&](size_t k, size_t i) { return column(plain[k], "final.loss")[i] < limit; };
  const UnitResult got = run({"train.until_loss=" + std::to_string(limit), "train.extensions=2"});
  std::map<int, int> runs;
  for (size_t i = 0; i < got.net.size(); ++i) {
    SCOPED_TRACE(i);
    size_t k = 0;
    while (k + 1 < most && !learned(k, i)) ++k;
    ++runs[int(k)];
    EXPECT_EQ(column(got, "train.steps_used")[i], double(15 * (k + 1)));
    EXPECT_EQ(column(got, "train.solved")[i], learned(k, i) ? 1 : 0);
    expect_run(got, plain[k], i);
  }
  EXPECT_EQ(runs.size(), most) << "the limit makes no difference";
  // ... whatever the company and the number of threads.
  const Experiment e =
      Experiment::parse(kText, "config", {"train.until_loss=" + std::to_string(limit), "train.extensions=2"});
  const auto device = open_cpu_device(1);
  double work = 0, planned = 0;
  for (int64_t i = 0; i < e.size(); ++i) planned += training_flop(e.network(i));
  const RunContext context{*device, e, Dataset{}, nullptr, [&](double flop) { work += flop; }};
  const std::vector<UnitResult> parts = run_units(context, {{0, 1, 2}, {3}, {4, 5, 6, 7, 8, 9, 10, 11}}).value();
  ASSERT_EQ(parts.size(), 3u);
  for (const UnitResult& part : parts) {
    const UnitResult alone = run_networks({*device, e, Dataset{}}, part.net).value();
    ASSERT_EQ(part.series.size(), alone.series.size());
    for (size_t s = 0; s < part.series.size(); ++s) EXPECT_EQ(part.series[s].step, alone.series[s].step);
    for (size_t i = 0; i < part.net.size(); ++i) {
      expect_run(part, alone, i);
      const size_t n = size_t(part.net[i]);
      EXPECT_EQ(column(part, "train.steps_used")[i], column(got, "train.steps_used")[n]);
      EXPECT_TRUE(same(column(part, "final.loss")[i], column(got, "final.loss")[n]));
    }
  }
  EXPECT_NEAR(work, planned / 2 * most_runs(e.settings().until),
              1e-9 * planned);  // 12 of 24 networks, skipped work too
}

TEST(Until, TheAccuracyOfClassesMayDecide) {
  std::string text = kText;
  text.replace(text.find("\"adding\"\nsteps = 4"), 18, "\"perceptual_decision\"");
  const Experiment e = Experiment::parse(text, "config", {"train.until_accuracy=1", "train.extensions=9", "seed=1"});
  const auto device = open_cpu_device(2);
  const UnitResult got = run_networks({*device, e, Dataset{}}, all_of(e)).value();
  for (size_t i = 0; i < got.net.size(); ++i) {
    const bool solved = column(got, "final.accuracy")[i] == 1;  // on the training trials
    EXPECT_EQ(column(got, "train.solved")[i], solved ? 1 : 0);
    EXPECT_TRUE(solved || column(got, "train.steps_used")[i] == 10 * 15);
  }
}

TEST(Until, ANetworkThatDivergedIsLeftAtThat) {
  const UnitResult got = run({"train.until_loss=1e-9", "train.extensions=1", "seed=1", "rule.geometry=\"euclidean\"",
                              "rule.lr=1e30", "rule.schedule=\"constant\""});
  ASSERT_EQ(got.net.size(), 1u);
  EXPECT_GE(got.diverged_at[0], 0);
  EXPECT_TRUE(std::isnan(column(got, "train.solved")[0]));
  for (const UnitResult::Series& s : got.series) EXPECT_LE(s.step.back(), 15) << s.name;
}

TEST(Until, PlansSayTheMostWork) {
  const Experiment e = Experiment::parse(kText, "config", {"train.until_loss=0.1"});
  const Plan plan = make_plan(e, nullptr);
  EXPECT_EQ(plan.most_runs, 1 + 2 + 3 + 4 + 5);
  EXPECT_NE(plan_text(plan, {}).find("15 times"), std::string::npos);
  EXPECT_EQ(make_plan(Experiment::parse(kText), nullptr).most_runs, 1);
}

}  // namespace
}  // namespace cohort::engine

// Networks that share what they learn from: how they are grouped, and that neither groups nor workers change their bits.
#include "device/same_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "device/device.h"
#include "runner/networks.h"
#include "runner/plan.h"

namespace cohort::engine {
namespace {

const char* const kNeurons = R"(
name = "neurons"
[network]
core = "feedforward"
n_layers = 0
[init]
readout = "constant"
readout_gain = 0.2
[rule]
momentum = 0.0
[task]
name = "r_of_k"
inputs = 50
relevant = 20
threshold = 10
samples = 60
batch = 30
[train]
steps = 12
[eval]
trials = 40
also = ["validation"]
[analysis]
names = []
[sweep]
"rule.lr" = [0.05, 0.1, 0.2, 0.4, 0.8]
"rule.geometry" = ["euclidean", "neg_entropy"]
"task.label_noise" = [0.0, 0.1]
seed = { range = [0, 3] }
)";

std::vector<ResolvedNetwork> networks_of(const Experiment& e) {
  std::vector<ResolvedNetwork> all;
  for (int64_t i = 0; i < e.size(); ++i) all.push_back(e.network(i));
  return all;
}

TEST(SameData, GroupsAreOfEqualSeedTaskAndStep) {
  const std::vector<ResolvedNetwork> networks = networks_of(Experiment::parse(kNeurons));
  ASSERT_EQ(networks.size(), 60u);
  std::vector<NetSpec> specs;
  for (const ResolvedNetwork& n : networks) specs.push_back(n.spec);
  std::vector<NetState> states(specs.size());
  for (const size_t most : {size_t(1), size_t(4), size_t(100)}) {
    const auto groups = same_data(specs, states, most);
    EXPECT_EQ(groups.size(), most == 1 ? 60u : most == 4 ? 18u : 6u);  // 3 seeds, 2 noises, 10 rules
    std::vector<int> seen(specs.size(), 0);
    for (const auto& group : groups) {
      EXPECT_LE(group.size(), most);
      EXPECT_TRUE(std::is_sorted(group.begin(), group.end()));
      for (const int32_t i : group) {
        ++seen[size_t(i)];
        EXPECT_EQ(specs[size_t(i)].seed, specs[size_t(group.front())].seed);
        EXPECT_EQ(specs[size_t(i)].task, specs[size_t(group.front())].task);
      }
    }
    EXPECT_EQ(seen, std::vector<int>(specs.size(), 1));
  }
  states[7].step = 3;
  EXPECT_EQ(same_data(specs, states, 100).size(), 7u);
}
TEST(SameData, WorkersHaveTwoGroupsEachButNotOfFewNetworks) {
  EXPECT_EQ(networks_per_group(10, 2), 8u);
  EXPECT_EQ(networks_per_group(400, 2), 100u);
  EXPECT_EQ(networks_per_group(400, 100), 8u);
}

TEST(SameData, BitsDoNotDependOnWorkersOrCompany) {
  const std::vector<ResolvedNetwork> all = networks_of(Experiment::parse(kNeurons));
  const auto trained = [&](int workers, std::span<const ResolvedNetwork> some) {
    const auto device = open_cpu_device(workers);
    const Networks networks(*device, some, {});
    const int n = networks.size();
    DeviceArray<float> loss(*device, size_t(n) * 12);
    DeviceArray<double> measured(*device, size_t(n)), accuracy(*device, size_t(n));
    device->run(TrainArgs<float>{networks.view(), 12, loss.data()});
    device->run(EvaluateArgs<float>{networks.view(), 40, Split::validation, measured.data(), accuracy.data()});
    const float* const theta = networks.view().theta;
    std::vector<std::vector<double>> results;
    for (int i = 0; i < n; ++i) {
      std::vector<double> of{measured.data()[i], accuracy.data()[i]};
      of.insert(of.end(), loss.data() + 12 * i, loss.data() + 12 * (i + 1));
      of.insert(of.end(), theta + 50 * i, theta + 50 * (i + 1));
      results.push_back(of);
    }
    return results;
  };
  const auto reference = trained(1, all);
  EXPECT_EQ(trained(2, all), reference);
  EXPECT_EQ(trained(7, all), reference);
  for (const size_t i : {size_t(0), size_t(31), size_t(59)})
    EXPECT_EQ(trained(2, std::span(all).subspan(i, 1)).front(), reference[i]);
  double best = 0;
  for (const auto& result : reference) best = std::max(best, result[1]);
  EXPECT_GT(best, 0.6);  // accuracy of one logit; chance is .5 to .59
}

TEST(SameData, PlansNameTheProgram) {
  const auto device = open_cpu_device(2);
  const Plan plan = make_plan(Experiment::parse(kNeurons), device.get());
  ASSERT_EQ(plan.programs.size(), 1u);
  EXPECT_EQ(plan.programs.begin()->first, "shallow");
  EXPECT_EQ(plan.programs.begin()->second, 60);
  EXPECT_GT(plan.time.training, 0);
}

}  // namespace
}  // namespace cohort::engine

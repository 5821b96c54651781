// Networks that start where those of another run ended.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "cohort/error.h"
#include "device/device.h"
#include "run/fixture.h"
#include "runner/runner.h"

namespace cohort::engine {
namespace {

const std::string kPretrain = R"(
name = "pretrain"
[network]
n_hidden = 7
bias = true
[task]
name = "perceptual_decision"
batch = 4
[train]
steps = 5
[analysis]
names = []
[output]
weights = "final"
parameters = true
[sweep]
"rule.geometry" = ["euclidean", "p_norm"]
"rule.lr" = [0.01, 0.02]
seed = [3, 4]
)";
const std::string kFineTune = R"(
name = "fine-tune"
[network]
n_hidden = 7
bias = true
[task]
name = "perceptual_decision"
batch = 6
[train]
steps = 4
[analysis]
names = ["weight_change"]
[output]
weights = "all"
)";

class Source : public ::testing::Test {
 protected:
  // All units of an experiment, or all but the last.
  void train(const std::string& text, const std::string& name, bool all = true) {
    const Experiment e = Experiment::parse(text);
    const auto device = open_cpu_device(1);
    RunDirectory run = RunDirectory::open(directory_ / name, e, made_by(*device));
    std::vector<int64_t> units = run.pending();
    if (!all) units.pop_back();
    for (const int64_t unit : units) run.finish_unit(unit, run_networks({*device, e, {}}, run.networks(unit)).value());
  }
  Experiment fine_tune(const std::string& more, const std::string& run = "pretrain") const {
    return Experiment::parse(kFineTune + "[init]\nfrom = \"" + (directory_ / run) + "\"\n" + more);
  }
  std::string refused(const std::string& more, const std::string& run = "pretrain") const {
    return message_of<Error>([&] { LoadedStarts{fine_tune(more, run)}; });
  }
  UnitResult read(const std::string& name) const { return RunDirectory::read(directory_ / name).read_unit(0).result; }
  static std::vector<float> weights(const UnitResult& r, const std::string& name, size_t i) {
    const auto& a = *std::find_if(r.arrays.begin(), r.arrays.end(), [&](const auto& x) { return x.name == name; });
    const size_t n = a.value.size() / r.net.size();
    return {a.value.begin() + ptrdiff_t(i * n), a.value.begin() + ptrdiff_t((i + 1) * n)};
  }

  TemporaryDirectory directory_;
};

const std::string kMatched =
    "from_where = \"rule.lr = 0.02\"\n[sweep]\nseed = [4, 3]\n\"rule.geometry\" = [\"p_norm\", "
    "\"euclidean\"]\n";

TEST_F(Source, NetworksStartAtTheEndOfTheirLike) {
  train(kPretrain, "pretrain");
  const UnitResult before = read("pretrain");
  const Experiment e = fine_tune(kMatched);
  const LoadedStarts starts(e);
  const auto device = open_cpu_device(2);
  const UnitResult after = run_networks({*device, e, {}, nullptr, nullptr, &starts}, {0, 1, 2, 3}).value();
  const size_t source[] = {7, 3, 6, 2};  // geometry, lr, seed: p_norm .02 4, euclidean .02 4, p_norm .02 3, ...
  for (size_t i = 0; i < 4; ++i) {
    for (const char* const name : {"weights.input", "weights.recurrent", "weights.bias", "weights.readout"}) {
      EXPECT_EQ(weights(after, std::string(name) + ".initial", i),
                weights(before, std::string(name) + ".final", source[i]))
          << name << " of " << i;
      EXPECT_NE(weights(after, std::string(name) + ".final", i), weights(after, std::string(name) + ".initial", i));
    }
    EXPECT_GT(after.columns.back().value[i], 0) << after.columns.back().name;  // change from the loaded start
    EXPECT_LT(after.columns.back().value[i], 0.5);
  }
}
TEST_F(Source, SeedsMayShareAStart) {
  train(kPretrain, "pretrain");
  const Experiment e =
      fine_tune("from_where = \"rule.lr=0.01,rule.geometry=p_norm\"\nfrom_seed = 3\n[sweep]\nseed = [0, 1, 2]\n");
  const LoadedStarts starts(e);
  const std::vector<const float*> of = starts.of({0, 1, 2});
  EXPECT_EQ(of[0], of[2]);
  const std::vector<float> wanted = weights(read("pretrain"), "parameters", 4);
  EXPECT_EQ(std::memcmp(of[1], wanted.data(), wanted.size() * sizeof(float)), 0);
}

TEST_F(Source, WhatDoesNotFitIsRefused) {
  train(kPretrain, "pretrain");
  const auto has = [](const std::string& message, std::initializer_list<const char*> words) {
    for (const char* const word : words) EXPECT_NE(message.find(word), message.npos) << word << " in: " << message;
    EXPECT_EQ(message.find('\n'), message.npos);
  };
  EXPECT_EQ(refused(kMatched), "");
  has(refused("", "nothing"), {"init.from", "nothing"});
  has(refused(kMatched, ""), {"init.from"});
  has(refused("from_seed = 3\n"), {"4 networks", "network 0", "seed = 3", "init.from_where", "rule.geometry, rule.lr"});
  has(refused("[sweep]\nseed = [9]\n\"rule.geometry\" = [\"p_norm\"]\n\"rule.lr\" = [0.01]\n"),
      {"no network", "seed = 9", "rule.geometry = p_norm", "init.from_seed"});
  has(refused("from_seed = 3\n[sweep]\n\"rule.geometry\" = [\"hypentropy\"]\n"), {"no network", "hypentropy"});
  has(refused("from_where = \"rule.p=2\"\n"), {"init.from_where", "rule.p", "rule.geometry, rule.lr"});
  has(refused("from_where = \"fast\"\n"), {"KEY=VALUE"});
  has(refused("[sweep]\nseed = [3]\n\"rule.lr\" = [0.5]\n"), {"no network", "rule.lr = 0.5"});
  has(refused("from_where = \"rule.lr=*\"\n[sweep]\nseed = [3]\n\"rule.lr\" = [0.5]\n"), {"4 networks"});
  const std::string one = "from_seed = 3\nfrom_where = \"rule.lr=0.01,rule.geometry=p_norm\"\n";
  has(refused(one + "[sweep]\n\"network.n_hidden\" = [7, 8]\n"), {"other shapes", "network 1", "1 of 8"});
  train(kPretrain + "\"train.steps\" = [5, 6]\n\"network.n_hidden\" = [7, 8]\n", "half", false);
  has(refused(one, "half"), {"not finished", "1 of"});
  std::string text = kPretrain;
  text.replace(text.find("parameters = true"), 17, "history_every = 0");
  train(text, "bare");
  has(refused(one, "bare"), {"output.parameters = true"});
  std::string wild = kPretrain;
  wild.replace(wild.find("[0.01, 0.02]"), 12, "[0.01, 1e30]");
  train(wild, "wild");
  has(refused("from_seed = 3\nfrom_where = \"rule.lr=1e30,rule.geometry=euclidean\"\n", "wild"), {"diverged"});
  const Experiment e = fine_tune(kMatched);
  const auto device = open_cpu_device(1);
  EXPECT_THROW(run_networks({*device, e, {}}, {0}), Error);  // nobody has loaded them
}

}  // namespace
}  // namespace cohort::engine

// Axes: what each recipe makes, in which order, and how they are combined.
#include "config/sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "config/experiment.h"

namespace cohort::engine {
namespace {

const std::string head = "name = \"x\"\ntask.name = \"perceptual_decision\"\n";

std::vector<double> numbers(const std::string& key, const std::string& axis) {
  const Experiment experiment = Experiment::parse(head + "[sweep]\n\"" + key + "\" = " + axis);
  std::vector<double> values;
  for (int64_t i = 0; i < experiment.size(); ++i) {
    const Value value = experiment.axis_value(0, 0, i);
    values.push_back(std::holds_alternative<int64_t>(value) ? double(std::get<int64_t>(value))
                                                            : std::get<double>(value));
  }
  return values;
}

TEST(Sweep, RecipesMakeTheirValues) {
  using V = std::vector<double>;
  EXPECT_EQ(numbers("seed", "[5, 3, 4]"), (V{5, 3, 4}));
  EXPECT_EQ(numbers("seed", "{range = [2, 5]}"), (V{2, 3, 4}));
  EXPECT_EQ(numbers("seed", "{range = [0, 7, 3]}"), (V{0, 3, 6}));
  EXPECT_EQ(numbers("rule.lr", "{range = [0, 2]}"), (V{0, 1}));
  EXPECT_EQ(numbers("rule.lr", "{linspace = [0, 1, 5]}"), (V{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(numbers("rule.lr", "{linspace = [0.3, 1, 1]}"), (V{0.3}));
  EXPECT_EQ(numbers("rule.lr", "{linspace = [1, 0, 3]}"), (V{1, 0.5, 0}));
  EXPECT_EQ(numbers("init.rank", "{geomspace = [1, 64, 4]}"), (V{1, 4, 16, 64}));
  EXPECT_EQ(numbers("network.n_hidden", "{geomspace = [10, 1000, 4]}"), (V{10, 46, 215, 1000}));
  const V ratio = numbers("rule.lr", "{geomspace = [1e-4, 1e-1, 4]}");
  ASSERT_EQ(ratio.size(), 4u);
  EXPECT_EQ(ratio.front(), 1e-4);
  EXPECT_EQ(ratio.back(), 1e-1);
  EXPECT_NEAR(ratio[1], 1e-3, 1e-15);
}

TEST(Sweep, RandomValuesDependOnTheirSeedAlone) {
  const auto a = numbers("rule.lr", "{random = [0.1, 0.3], n = 1000, seed = 4}"),
             b = numbers("rule.lr", "{random = [0.1, 0.3], n = 500, seed = 4}"),
             c = numbers("rule.lr", "{random = [0.1, 0.3], n = 1000, seed = 5}");
  EXPECT_TRUE(std::equal(b.begin(), b.end(), a.begin()));
  EXPECT_NE(a, c);
  double mean = 0;
  for (const double v : a) {
    EXPECT_GE(v, 0.1);
    EXPECT_LE(v, 0.3);
    mean += v / 1000;
  }
  EXPECT_NEAR(mean, 0.2, 5 * 0.2 / std::sqrt(12 * 1000.0));  // five standard errors

  double log_mean = 0;
  for (const double v : numbers("rule.lr", "{random = [1e-4, 1.0], n = 1000, log = true}"))
    log_mean += std::log10(v) / 1000;
  EXPECT_NEAR(log_mean, -2, 5 * 4 / std::sqrt(12 * 1000.0));

  const auto whole = numbers("init.rank", "{random = [3, 6], n = 400}");
  EXPECT_EQ(std::set<double>(whole.begin(), whole.end()), (std::set<double>{3, 4, 5, 6}));
}

TEST(Sweep, TheLastAxisVariesFastestAndZippedKeysTogether) {
  const Experiment experiment = Experiment::parse(
      head +
      "[sweep]\n\"init.rank\" = [1, \"full\"]\nseed = {range = [0, 2]}\n[[sweep.zip]]\n\"rule.geometry\" = "
      "[\"euclidean\", \"p_norm\"]\nrule.p = [2, 3.0]\n");
  ASSERT_EQ(experiment.size(), 8);
  EXPECT_EQ(experiment.swept_keys(), (std::vector<std::string>{"init.rank", "seed", "rule.geometry", "rule.p"}));
  ASSERT_EQ(experiment.axes().size(), 3u);
  EXPECT_EQ(experiment.axes()[2].keys.size(), 2u);
  const ResolvedNetwork first = experiment.network(0), second = experiment.network(1), third = experiment.network(2),
                        last = experiment.network(7);
  EXPECT_EQ(first.spec.rule[1].geometry, GeometryId::euclidean);
  EXPECT_EQ(second.spec.rule[1].geometry, GeometryId::p_norm);
  EXPECT_EQ(second.spec.rule[1].p, 3);
  EXPECT_EQ(second.spec.seed, 0u);
  EXPECT_EQ(third.spec.seed, 1u);
  EXPECT_EQ(third.spec.init.rank, 1);
  EXPECT_EQ(last.spec.init.rank, 0);
  EXPECT_EQ(last.swept, (std::vector<std::pair<std::string, Value>>{{"init.rank", std::string("full")},
                                                                    {"seed", int64_t(1)},
                                                                    {"rule.geometry", std::string("p_norm")},
                                                                    {"rule.p", 3.0}}));
}

TEST(Sweep, CasesComeOneAfterAnother) {
  const std::string text =
      head +
      "init.input_gain = 0.5\n[sweep]\nseed = {range = [0, 2]}\n"
      "[[sweep.case]]\n\"network.parameterisation\" = \"dense\"\n\"init.gain\" = {linspace = [1, 2, 3]}\n"
      "\"rule.lr\" = [0.1, 0.2, 0.3]\n"
      "[[sweep.case]]\n\"network.parameterisation\" = \"column_ei\"\n\"init.input_gain\" = 2\n"
      "[[sweep.case]]\n\"network.parameterisation\" = [\"dann\", \"dense\"]\n\"rule.lr\" = 0.7\n";
  const Experiment experiment = Experiment::parse(text);
  ASSERT_EQ(experiment.size(), 12);
  ASSERT_EQ(experiment.axes().size(), 2u);
  EXPECT_EQ(experiment.axes()[1].keys,
            (std::vector<std::string>{"network.parameterisation", "init.gain", "rule.lr", "init.input_gain"}));
  struct Point {
    ParameterisationId parameterisation;
    double gain, lr, input_gain;
  };
  const Point points[] = {{ParameterisationId::dense, 1, 0.1, 0.5},   {ParameterisationId::dense, 1.5, 0.2, 0.5},
                          {ParameterisationId::dense, 2, 0.3, 0.5},   {ParameterisationId::column_ei, 1.25, 0.003, 2},
                          {ParameterisationId::dann, 1.25, 0.7, 0.5}, {ParameterisationId::dense, 1.25, 0.7, 0.5}};
  for (int64_t i = 0; i < 12; ++i) {
    SCOPED_TRACE(i);
    const ResolvedNetwork network = experiment.network(i);
    const Point& point = points[i % 6];
    EXPECT_EQ(network.spec.seed, uint64_t(i / 6));
    EXPECT_EQ(network.spec.parameterisation, point.parameterisation);
    EXPECT_EQ(network.spec.init.gain, point.gain);
    EXPECT_EQ(network.spec.rule[1].lr, point.lr);
    EXPECT_EQ(network.spec.init.input_gain, point.input_gain);
    EXPECT_EQ(network.swept[2], (std::pair<std::string, Value>{"init.gain", point.gain}));
  }
  EXPECT_EQ(Experiment::parse(text, "x", {"rule.lr=0.9"}).network(11).spec.rule[1].lr, 0.9);
  EXPECT_EQ(Experiment::parse(text, "x", {"rule.lr=0.9"}).size(), 12);
  EXPECT_EQ(Experiment::parse(text, "x", {"network.parameterisation=\"dense\""}).size(), 2 * (3 + 1 + 1));
  EXPECT_EQ(Experiment::parse(text, "x", {"sweep.seed=[7]"}).size(), 6);
  // Canonical: as one zipped axis that lists all values.
  EXPECT_EQ(Experiment::parse(head + "[[sweep.case]]\nseed = [1, 2]\n\"rule.lr\" = 0.1\n[[sweep.case]]\nseed = 3\n")
                .canonical(),
            Experiment::parse(head + "[[sweep.zip]]\nseed = [1, 2, 3]\n\"rule.lr\" = [0.1, 0.1, 0.003]\n").canonical());
}

TEST(Sweep, CasesMayDifferInTheirTask) {
  const Experiment experiment = Experiment::parse(
      "name = \"x\"\ntask.name = \"adding\"\n[[sweep.case]]\n\"task.name\" = \"context_decision\"\n\"task.loss\" = "
      "\"mse\"\n[[sweep.case]]\n\"task.loss\" = [\"bce\", \"mse\"]\n");
  ASSERT_EQ(experiment.size(), 3);
  EXPECT_EQ(experiment.network(0).spec.task.id, TaskId::context_decision);
  EXPECT_EQ(experiment.network(1).spec.task.id, TaskId::adding);
  EXPECT_EQ(experiment.network(1).spec.task.loss, LossId::bce);
  EXPECT_NE(experiment.network(0).signature.n_in, experiment.network(2).signature.n_in);
  // Words are one value, lists of words are several.
  const Experiment words =
      Experiment::parse(head +
                        "[[sweep.case]]\n\"init.transplant\" = [\"input\", \"readout\"]\n[[sweep.case]]\n"
                        "\"init.transplant\" = [[\"input\"], [\"recurrent\"]]\n");
  ASSERT_EQ(words.size(), 3);
  const int32_t roles[] = {5, 1, 2};
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(words.network(i).spec.init.transplant.roles, roles[i]);
}

TEST(Sweep, AxesKeepTheOrderOfTheFile) {
  const Experiment experiment =
      Experiment::parse(head +
                        "[sweep]\nseed = [1]\n\"init.gain\" = [1]\n[sweep.rule]\np = [3]\nlr = {linspace = [0, 1, "
                        "2]}\n[[sweep.zip]]\n\"task.noise\" = [0]\n"
                        "[[sweep.zip]]\n\"init.density\" = [1]\n[sweep.network]\nalpha = [1]\n");
  EXPECT_EQ(experiment.swept_keys(), (std::vector<std::string>{"seed", "init.gain", "rule.p", "rule.lr", "task.noise",
                                                               "init.density", "network.alpha"}));
}

TEST(Sweep, MillionsOfNetworksCostNothing) {
  const Experiment experiment =
      Experiment::parse(head + "[sweep]\nseed = {range = [0, 2500000]}\n\"rule.lr\" = [1, 2, 3, 4]\n");
  EXPECT_EQ(experiment.size(), 10'000'000);
  EXPECT_EQ(experiment.network(9'999'999).spec.seed, 2'499'999u);
  EXPECT_THROW(experiment.network(10'000'000), Error);
  EXPECT_THROW(experiment.network(-1), Error);
}

TEST(Sweep, OverridesReplaceAxes) {
  const std::string text = head +
                           "[sweep]\nseed = {range = [0, 5]}\n\"init.rank\" = [1, 2]\n[[sweep.zip]]\n\"rule.p\" = [2, "
                           "3]\n\"rule.lr\" = [0.1, 0.2]\n";
  const auto keys = [&](const std::string& assignment) {
    return Experiment::parse(text, "x", {assignment}).swept_keys();
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys("seed=3"), (Keys{"init.rank", "rule.p", "rule.lr"}));
  EXPECT_EQ(keys("rule.p=4"), (Keys{"seed", "init.rank", "rule.lr"}));
  EXPECT_EQ(keys("sweep.seed=[7]"), (Keys{"seed", "init.rank", "rule.p", "rule.lr"}));
  EXPECT_EQ(keys("sweep.rule.p={range=[2,5]}"), (Keys{"seed", "init.rank", "rule.lr", "rule.p"}));
  EXPECT_EQ(keys("sweep.\"init.gain\"=[2.0]"), (Keys{"seed", "init.rank", "rule.p", "rule.lr", "init.gain"}));
  EXPECT_EQ(Experiment::parse(text, "x", {"seed=3"}).network(0).spec.seed, 3u);
  EXPECT_EQ(Experiment::parse(text, "x", {"sweep.seed=[7]"}).network(0).spec.seed, 7u);
  EXPECT_EQ(Experiment::parse(text, "x", {"seed=3", "seed=4"}).network(0).spec.seed, 4u);
}

}  // namespace
}  // namespace cohort::engine

// What the engine promises of a run: bits that depend on nothing but the network, starts as asked for, and learning.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <numeric>
#include <set>

#include "cohort/error.h"
#include "cohort/tangent.h"
#include "data/data_set.h"
#include "runner/measure.h"
#include "runner/plan.h"
#include "runner/runner.h"

namespace cohort::engine {
namespace {

std::vector<int64_t> all_of(const Experiment& e) {
  std::vector<int64_t> networks(static_cast<size_t>(e.size()));
  std::iota(networks.begin(), networks.end(), 0);
  return networks;
}

UnitResult train(const Experiment& e, const std::vector<int64_t>& networks, int threads = 2) {
  const auto device = open_cpu_device(threads);
  return run_networks({*device, e, Dataset{}}, networks).value();
}

const UnitResult::Array& array(const UnitResult& r, const std::string& name) {
  for (const auto& a : r.arrays)
    if (a.name == name) return a;
  throw Error("no array " + name);
}
std::vector<float> of_network(const UnitResult& r, const std::string& name, size_t i) {
  const auto& a = array(r, name);
  const size_t n = a.value.size() / r.net.size();
  return {a.value.begin() + ptrdiff_t(i * n), a.value.begin() + ptrdiff_t((i + 1) * n)};
}
std::vector<double> column(const UnitResult& r, const std::string& name) {
  for (const auto& c : r.columns)
    if (c.name == name) return c.value;
  throw Error("no column " + name);
}
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

// Everything that was stored about network i of `a` and network j of `b`.
void expect_same(const UnitResult& a, size_t i, const UnitResult& b, size_t j) {
  EXPECT_EQ(a.diverged_at[i], b.diverged_at[j]);
  for (size_t c = 0; c < a.columns.size(); ++c)
    EXPECT_EQ(std::memcmp(&a.columns[c].value[i], &b.columns[c].value[j], sizeof(double)), 0) << a.columns[c].name;
  for (const auto& array_a : a.arrays)
    EXPECT_TRUE(same_bits(of_network(a, array_a.name, i), of_network(b, array_a.name, j))) << array_a.name;
}

const char* const kMixed = R"(
name = "mixed"
[network]
n_hidden = 9
noise = 0.05
[task]
name = "perceptual_decision"
batch = 4
[train]
steps = 6
[eval]
trials = 10
[analysis]
names = ["weight_change", "representation_alignment", "kernel_alignment", "svd_entropy", "effective_rank", "dual_change",
  "log_weight_moments"]
probe_trials = 12
kernel_trials = 3
[output]
weights = "final"
history_every = 1
[sweep]
"init.rank" = [2, "full"]
seed = { range = [0, 167] }
[[sweep.zip]]
"rule.geometry" = ["euclidean", "neg_entropy", "p_norm"]
"rule.p" = [2.0, 2.0, 3.0]
)";

TEST(CohortInvariance, ANetworkAloneIsItselfAmongAThousandAtAnyThreadCount) {
  const Experiment e = Experiment::parse(kMixed);
  ASSERT_GT(e.size(), 1000);
  const UnitResult together = train(e, all_of(e), 2);
  const UnitResult serial = train(e, all_of(e), 1), many = train(e, all_of(e), 7);
  for (size_t i = 0; i < together.net.size(); ++i) {
    expect_same(together, i, serial, i);
    expect_same(together, i, many, i);
  }
  for (const int64_t i : {0, 1, 2, 500, 733, int(e.size()) - 1}) expect_same(together, size_t(i), train(e, {i}), 0);
  const UnitResult backwards = train(e, {700, 13, 2});
  expect_same(together, 700, backwards, 0);
  expect_same(together, 13, backwards, 1);
}

TEST(CohortInvariance, WatchingDoesNotChangeLearning) {
  const Experiment plain = Experiment::parse(kMixed, "config", {"seed=3"});
  const Experiment watched =
      Experiment::parse(kMixed, "config", {"seed=3", "eval.every=2", "analysis.every=1", "output.history_every=5"});
  const UnitResult a = train(plain, all_of(plain)), b = train(watched, all_of(watched));
  for (size_t i = 0; i < a.net.size(); ++i)
    EXPECT_TRUE(same_bits(of_network(a, "weights.recurrent.final", i), of_network(b, "weights.recurrent.final", i)));
  const auto entropy =
      std::find_if(b.series.begin(), b.series.end(), [](const auto& s) { return s.name == "svd_entropy"; });
  ASSERT_NE(entropy, b.series.end());
  EXPECT_EQ(entropy->step, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}));
  const std::vector<double> start = column(b, "svd_entropy.initial"), end = column(b, "svd_entropy.final");
  for (size_t i = 0; i < b.net.size(); ++i) {
    EXPECT_EQ(entropy->value[i * 7], start[i]);
    EXPECT_EQ(entropy->value[i * 7 + 6], end[i]);
  }
}

TEST(CohortInvariance, ADivergingNetworkLeavesTheOthersAlone) {
  const std::string text = std::string(kMixed) + "\"rule.lr\" = [0.003, 0.05, 1e30]\n";
  const Experiment e = Experiment::parse(text, "config", {"seed=1"});
  const UnitResult together = train(e, all_of(e));
  int diverged = 0;
  for (size_t i = 0; i < together.net.size(); ++i) {
    if (together.diverged_at[i] >= 0) {
      ++diverged;
      EXPECT_TRUE(std::isnan(column(together, "final.loss")[i]));
      EXPECT_TRUE(std::isnan(column(together, "svd_entropy.initial")[i]));
    } else {
      EXPECT_TRUE(std::isfinite(column(together, "final.loss")[i]));
    }
    expect_same(together, i, train(e, {together.net[i]}), 0);
  }
  EXPECT_GE(diverged, 1);
  EXPECT_LT(diverged, int(together.net.size()));
}

// Sum of squares of a stored matrix.
double frobenius(const std::vector<float>& w) {
  double sum = 0;
  for (const float x : w) sum += double(x) * double(x);
  return std::sqrt(sum);
}

const char* const kStarts = R"(
name = "starts"
[network]
n_hidden = 40
[task]
name = "context_decision"
[train]
steps = 1
[analysis]
names = ["singular_values", "spectral_radius"]
[output]
weights = "all"
[sweep]
"init.rank" = [1, 5, "full"]
)";

TEST(Starts, RankIsExactAndTheFrobeniusNormStays) {
  std::vector<float> cut[2];
  for (const bool random : {false, true}) {
    const Experiment e = Experiment::parse(
        kStarts, "config", {std::string("init.rank_method=\"") + (random ? "range_finder" : "svd") + "\""});
    const UnitResult r = train(e, all_of(e));
    const double norm = frobenius(of_network(r, "weights.recurrent.initial", 2));
    EXPECT_NEAR(norm, 1.25 * std::sqrt(40.0), 0.5);
    const int ranks[] = {1, 5, 40};
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(frobenius(of_network(r, "weights.recurrent.initial", i)), norm, 1e-5 * norm);
      const std::vector<float> s = of_network(r, "singular_values.recurrent.initial", i);
      EXPECT_GT(s[size_t(ranks[i] - 1)], 1e-3f);
      if (ranks[i] < 40) {
        EXPECT_LT(s[size_t(ranks[i])], 1e-5f * s[0]);
      }
      // paired: all ranks share input and readout
      EXPECT_TRUE(same_bits(of_network(r, "weights.input.initial", i), of_network(r, "weights.input.initial", 0)));
      EXPECT_TRUE(same_bits(of_network(r, "weights.readout.initial", i), of_network(r, "weights.readout.initial", 0)));
    }
    cut[random] = of_network(r, "weights.recurrent.initial", 1);
  }
  EXPECT_FALSE(same_bits(cut[0], cut[1]));
}

TEST(Starts, RecurrentPairingRedrawsInputAndReadout) {
  const Experiment e = Experiment::parse(kStarts, "config", {"init.pairing=\"recurrent\""});
  const UnitResult r = train(e, all_of(e));
  EXPECT_FALSE(same_bits(of_network(r, "weights.input.initial", 0), of_network(r, "weights.input.initial", 1)));
  EXPECT_FALSE(same_bits(of_network(r, "weights.readout.initial", 0), of_network(r, "weights.readout.initial", 2)));
}

TEST(Starts, RadiusAndOtherRescalings) {
  const Experiment radius = Experiment::parse(kStarts, "config", {"init.spectral_radius=0.8"});
  for (const double v : column(train(radius, all_of(radius)), "spectral_radius.initial")) EXPECT_NEAR(v, 0.8, 1e-5);
  const Experiment kept = Experiment::parse(kStarts, "config", {"init.rank_rescale=\"spectral_radius\""});
  const std::vector<double> radii = column(train(kept, all_of(kept)), "spectral_radius.initial");
  EXPECT_NEAR(radii[0], radii[2], 1e-4 * radii[2]);
  EXPECT_NEAR(radii[1], radii[2], 1e-4 * radii[2]);
  const Experiment sigma = Experiment::parse(kStarts, "config", {"init.rank_rescale=\"sigma1\""});
  const UnitResult r = train(sigma, all_of(sigma));
  EXPECT_NEAR(of_network(r, "singular_values.recurrent.initial", 0)[0],
              of_network(r, "singular_values.recurrent.initial", 2)[0], 1e-5);
}

// Spectra go on while the next steps are trained, but they are those of the moment.
TEST(Snapshots, AreWhatARunThatEndsThereMeasures) {
  const char* const text = R"(
name = "snapshots"
[network]
n_hidden = 12
[task]
name = "context_decision"
[train]
steps = 9
[rule]
lr = 0.1
[analysis]
names = ["weight_change", "svd_entropy", "matrix_norms", "spectral_gap", "eigenvalues", "effective_rank"]
every = 3
tensors = ["recurrent", "input"]
[sweep]
seed = { range = [0, 3] }
)";
  const Experiment whole = Experiment::parse(text);
  const UnitResult r = train(whole, all_of(whole));
  ASSERT_FALSE(r.series.empty());
  for (const int64_t end : {3, 6, 9}) {
    const Experiment part = Experiment::parse(text, "config", {"train.steps=" + std::to_string(end)});
    const UnitResult ends = train(part, all_of(part));
    for (const UnitResult::Series& series : r.series) {
      if (series.name == "loss") continue;
      ASSERT_EQ(series.step, (std::vector<int64_t>{0, 3, 6, 9})) << series.name;
      const std::vector<double> final = column(ends, series.name + ".final");
      for (size_t i = 0; i < final.size(); ++i)
        EXPECT_EQ(series.value[i * 4 + size_t(end / 3)], final[i]) << series.name << " at " << end;
    }
  }
  const std::vector<float> eigenvalues = of_network(r, "eigenvalues.recurrent.final", 0);
  ASSERT_EQ(eigenvalues.size(), 24u);
  double sum = 0;
  for (size_t i = 0; i < 24; i += 2) sum += std::hypot(double(eigenvalues[i]), double(eigenvalues[i + 1]));
  EXPECT_NEAR(column(r, "effective_rank.final")[0],
              sum / 12 / std::hypot(double(eigenvalues[0]), double(eigenvalues[1])), 1e-6);
}

TEST(Starts, ColumnSignsAndSparsenessHold) {
  const char* const text = R"(
name = "dale"
[network]
n_hidden = 20
parameterisation = "column_ei"
[init]
density = 0.5
spectral_radius = 1.5
[task]
name = "delay_match_sample"
[train]
steps = 30
[analysis]
names = ["spectral_radius"]
[output]
weights = "all"
[sweep]
"rule.geometry" = ["euclidean", "neg_entropy"]
)";
  const Experiment e = Experiment::parse(text);
  const UnitResult r = train(e, all_of(e));
  const int ne = e.network(0).spec.n_excitatory;
  EXPECT_EQ(ne, 18);  // 9:1
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(column(r, "spectral_radius.initial")[i], 1.5, 1e-4);
    const std::vector<float> start = of_network(r, "weights.recurrent.initial", i),
                             end = of_network(r, "weights.recurrent.final", i);
    int absent = 0, moved = 0;
    for (int k = 0; k < 400; ++k) {
      const float sign = k % 20 < ne ? 1.0f : -1.0f;
      EXPECT_GE(sign * end[size_t(k)], 0.0f);
      absent += start[size_t(k)] == 0;
      moved += start[size_t(k)] != end[size_t(k)];
      const bool diagonal = k % 21 == 0;  // starts at 0 but is free
      if (start[size_t(k)] == 0 && !diagonal) {
        EXPECT_EQ(end[size_t(k)], 0.0f);
      }
    }
    EXPECT_NEAR(absent, 210, 45);
    EXPECT_GT(moved, 150);
  }
}

// Bayes ceilings (Liu et al.'s tasks): 2AF about .875, context about .875, delayed match 1.
// Dale's law by exponentiated gradient alone: no projection, and no magnitude that reaches 0; with Adam's directions, too.
TEST(Learning, ExponentiatedGradientKeepsColumnSigns) {
  const std::string text = R"(
name = "column-eg"
[network]
n_hidden = 20
activation = "tanh"
parameterisation = "column_ei"
bias = true
recurrent_biases = 2
[init]
bias = "split"
[rule]
geometry = "neg_entropy"
projection = "none"
bias.geometry = "neg_entropy"
[task]
name = "perceptual_decision"
[train]
steps = 60
[analysis]
names = []
[output]
weights = "all"
parameters = true
[[sweep.zip]]
"rule.adam" = [false, true]
"rule.lr" = [0.3, 0.05]
)";
  const Experiment e = Experiment::parse(text);
  const UnitResult r = train(e, all_of(e));
  const int ne = e.network(0).spec.n_excitatory;
  const Signature g = e.network(0).signature;
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(r.diverged_at[i], -1);
    EXPECT_GT(column(r, "final.accuracy")[i], 0.6);  // of three classes
    for (const char* const name : {"weights.recurrent", "weights.readout"}) {
      const std::vector<float> start = of_network(r, std::string(name) + ".initial", i),
                               end = of_network(r, std::string(name) + ".final", i);
      for (size_t k = 0; k < end.size(); ++k) {
        const bool inhibitory = int(k % 20) >= ne;
        EXPECT_EQ(end[k] == 0, start[k] == 0) << name << " " << k;
        EXPECT_TRUE(inhibitory ? end[k] <= 0 : end[k] >= 0) << name << " " << k;
        EXPECT_TRUE(start[k] == 0 || end[k] != start[k]) << name << " " << k;
      }
    }
    const std::vector<float> theta = of_network(r, "parameters", i);
    for (const int k : {bias_tensor(0), readout_bias_tensor(g)}) {
      const Tensor t = tensor(g, k);
      for (size_t j = t.offset; j < t.end; ++j) EXPECT_EQ(std::signbit(theta[j]), (j - t.offset) % 2 == 1);
    }
  }
}

TEST(Learning, ReachesTheCeilings) {
  const char* const text = R"(
name = "ceilings"
[network]
n_hidden = 100
[rule]
lr = 0.01
schedule = "cosine"
[task]
name = "perceptual_decision"
[train]
steps = 8000
[eval]
trials = 8192
[analysis]
names = ["weight_change"]
[sweep]
"task.name" = ["perceptual_decision", "delay_match_sample", "context_decision"]
seed = [1, 2]
)";
  const Experiment e = Experiment::parse(text);
  const std::map<TaskId, double> ceiling = {
      {TaskId::perceptual_decision, 0.875}, {TaskId::delay_match_sample, 1.0}, {TaskId::context_decision, 0.875}};
  for (int64_t i = 0; i < e.size(); i += 2) {
    const TaskId task = e.network(i).spec.task.id;
    const UnitResult r = train(e, {i, i + 1});
    const std::vector<double> accuracy = column(r, "final.accuracy");
    // 8192 trials: standard deviation .0037
    EXPECT_GT((accuracy[0] + accuracy[1]) / 2, ceiling.at(task) - 0.015) << task_info(task).name;
    for (const double a : accuracy) EXPECT_LE(a, std::min(1.0, ceiling.at(task) + 0.015)) << task_info(task).name;
  }
}

TEST(Learning, AddsTwoNumbers) {  // predicting the mean would give 1/6, the variance of the sum
  const char* const text = R"(
name = "adding"
[network]
n_hidden = 32
bias = true
[init]
gain = 1.0
[rule]
lr = 0.03
clip = 1.0
[task]
name = "adding"
batch = 64
[train]
steps = 3000
[analysis]
names = ["weight_change"]
)";
  const Experiment e = Experiment::parse(text);
  const UnitResult r = train(e, {0});
  EXPECT_LT(column(r, "final.loss")[0], 0.02);
  EXPECT_TRUE(std::isnan(column(r, "final.accuracy")[0]));  // no classes
}

// Real MNIST where COHORT_DATA names it.
TEST(Learning, ReadsDigits) {
  if (!std::getenv("COHORT_DATA")) GTEST_SKIP() << "COHORT_DATA names no MNIST";
  const ImageSet images = load_images(data_directory(""));
  const char* const text = R"(
name = "digits"
[network]
n_hidden = 64
activation = "tanh"
bias = true
[init]
gain = 1.0
[rule]
lr = 0.02
clip = 1.0
[task]
name = "flat_mnist"
batch = 64
[train]
steps = 1000
[analysis]
names = ["weight_change"]
[eval]
trials = 5000
[sweep]
"task.name" = ["flat_mnist", "row_mnist"]
)";
  const Experiment e = Experiment::parse(text);
  const auto device = open_cpu_device(2);
  for (int64_t i = 0; i < 2; ++i) {
    const UnitResult r = run_networks({*device, e, images.view()}, {i}).value();
    EXPECT_GT(column(r, "final.accuracy")[0], i == 0 ? 0.90 : 0.75) << task_info(e.network(i).spec.task.id).name;
  }
}

// ---- evaluation
const char* const kEvaluated = R"(
name = "evaluated"
[network]
n_hidden = 8
[rule]
lr = 0.1
clip = 1.0
[task]
name = "adding"
steps = 5
batch = 4
samples = 24
[train]
steps = 20
[eval]
trials = 32
every = 3
also = ["train", "validation"]
mean_of = 5
[analysis]
names = ["weight_change"]
[sweep]
seed = { range = [0, 3] }
)";

const UnitResult::Series& series(const UnitResult& r, const std::string& name) {
  for (const auto& s : r.series)
    if (s.name == name) return s;
  throw Error("no series " + name);
}
double at_end(const UnitResult& r, const std::string& name, size_t i) {
  const auto& s = series(r, name);
  return s.value[(i + 1) * s.step.size() - 1];
}

TEST(Evaluation, FurtherSplitsAreRecordedAtTheSameMoments) {
  const Experiment e = Experiment::parse(kEvaluated);
  const UnitResult r = train(e, all_of(e));
  const std::vector<int64_t> steps = {3, 6, 9, 12, 15, 18, 20};
  for (const std::string name : {"loss", "loss.train", "loss.validation"}) {
    EXPECT_EQ(series(r, "eval." + name).step, steps);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(column(r, "final." + name)[i], at_end(r, "eval." + name, i)) << name;
      EXPECT_GT(column(r, "final." + name)[i], 0);
    }
  }
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NE(column(r, "final.loss")[i], column(r, "final.loss.train")[i]);
    EXPECT_NE(column(r, "final.loss")[i], column(r, "final.loss.validation")[i]);
  }
  // Each is what a run finds that is about this split alone.
  for (const std::string split : {"train", "validation"}) {
    const std::string trials = split == "train" ? "24" : "32";
    const Experiment alone = Experiment::parse(
        kEvaluated, "config", {"eval.split=\"" + split + "\"", "eval.also=[]", "eval.trials=" + trials});
    EXPECT_EQ(column(train(alone, all_of(alone)), "final.loss"), column(r, "final.loss." + split));
  }
}

TEST(Evaluation, MeansAreOverTheLastOnesOfEachTraining) {
  const Experiment e = Experiment::parse(kEvaluated);
  const UnitResult r = train(e, all_of(e));
  const auto& losses = series(r, "eval.loss");
  for (size_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (size_t k = 2; k < 7; ++k) sum += losses.value[i * 7 + k];
    EXPECT_NEAR(column(r, "final.loss.mean_last")[i], sum / 5, 1e-12);
    EXPECT_TRUE(std::isnan(column(r, "final.accuracy.mean_last")[i]));  // no classes
  }
  // In the company of a network that trains for longer, and alone.
  const Experiment both = Experiment::parse(kEvaluated, "config", {"sweep.train.steps=[14, 20]", "sweep.seed=[0, 1]"});
  const UnitResult together = train(both, all_of(both));
  for (size_t i = 0; i < 4; ++i) expect_same(together, i, train(both, {int64_t(i)}), 0);
  double sum = 0;  // 3, 6, 9, 12 and the end, 14, of which the company's boundaries at 15, 18 and 20 are no more
  for (size_t k = 0; k < 4; ++k) sum += series(together, "eval.loss").value[k];
  EXPECT_NEAR(column(together, "final.loss.mean_last")[0], (sum + column(together, "final.loss")[0]) / 5, 1e-12);
}

TEST(Evaluation, DivergedNetworksHaveNoValue) {
  const Experiment e = Experiment::parse(kEvaluated, "config", {"rule.lr=1e30", "rule.clip=0.0"});
  const UnitResult r = train(e, {0});
  ASSERT_GE(r.diverged_at[0], 0);
  for (const char* name : {"final.loss", "final.loss.train", "final.loss.validation", "final.loss.mean_last"})
    EXPECT_TRUE(std::isnan(column(r, name)[0])) << name;
}

TEST(Evaluation, FixedTrainingSetsAreLearnedByHeart) {
  const Experiment e = Experiment::parse(
      kEvaluated, "config",
      {"train.steps=3000", "eval.every=500", "task.samples=12", "network.n_hidden=40", "rule.lr=0.02"});
  const UnitResult r = train(e, {0, 1});
  for (size_t i = 0; i < 2; ++i) EXPECT_LT(3 * column(r, "final.loss.train")[i], column(r, "final.loss")[i]);
}

// 60 + 20 + 30 images of noise.
class NoiseImages {
 public:
  NoiseImages() : pixels_(110 * 784), labels_(110) {
    uint32_t state = 1;
    const auto next = [&] { return state = state * 1664525u + 1013904223u; };
    for (auto& p : pixels_) p = uint8_t(next() >> 24);
    for (auto& l : labels_) l = uint8_t((next() >> 16) % 10);
  }
  Dataset view() const {
    Dataset data;
    data.pixels = pixels_.data();
    data.labels = labels_.data();
    data.rows = data.cols = 28;
    const int32_t first[3] = {0, 60, 80}, count[3] = {60, 20, 30};
    std::copy_n(first, 3, data.first);
    std::copy_n(count, 3, data.count);
    return data;
  }

 private:
  std::vector<uint8_t> pixels_, labels_;
};

TEST(Evaluation, OfADataSetIsOverTheWholeSplit) {
  const NoiseImages images;
  const auto device = open_cpu_device(2);
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> overrides = {"task.samples=0", "eval.mean_of=0", "eval.every=0", "task.batch=7",
                                          "train.steps=3"};
    overrides.insert(overrides.end(), more.begin(), more.end());
    std::string text = kEvaluated;
    text.replace(text.find("\"adding\"\nsteps = 5"), 18, "\"flat_mnist\"");
    text.replace(text.find("trials = 32"), 11, "");
    const Experiment e = Experiment::parse(text, "config", overrides);
    return run_networks({*device, e, images.view()}, {0}).value();
  };
  const UnitResult whole = run({});
  const auto of = [&](const std::string& name, const UnitResult& r) { return column(r, name)[0]; };
  EXPECT_EQ(of("final.loss", whole), of("final.loss", run({"eval.trials=30"})));
  EXPECT_NE(of("final.loss", whole), of("final.loss", run({"eval.trials=29"})));
  EXPECT_EQ(std::nearbyint(30 * of("final.accuracy", whole)), 30 * of("final.accuracy", whole));
  EXPECT_NEAR(std::nearbyint(20 * of("final.accuracy.validation", whole)), 20 * of("final.accuracy.validation", whole),
              1e-9);
  EXPECT_EQ(of("final.loss.train", whole),
            of("final.loss", run({"eval.split=\"train\"", "eval.also=[]", "eval.trials=30"})));
  EXPECT_THROW(run({"eval.trials=31"}), Error);
}

// ---- language modelling
// A text over 30 words, each of which is followed by one of three others: ln 3 is what one can know of the next word.
class Chain {
 public:
  Chain() : embedding_(n_words * dimension) {
    uint32_t state = 5;
    const auto next = [&] { return (state = state * 1664525u + 1013904223u) >> 16; };
    int word = 0;
    for (int i = 0; i < 3000; ++i) {
      tokens_.push_back(word);
      word = (7 * word + 11 * int(next() % 3) + 1) % n_words;
    }
    for (auto& v : embedding_) v = float(next() % 2001) / 1000 - 1;
  }
  Dataset view() const {
    Dataset data;
    data.tokens = tokens_.data();
    data.embeddings = embedding_.data();
    data.n_tokens = int64_t(tokens_.size());
    data.vocabulary = n_words;
    data.dimension = dimension;
    const int32_t first[3] = {0, 200, 250}, count[3] = {199, 49, 49};  // windows of ten words
    std::copy_n(first, 3, data.first);
    std::copy_n(count, 3, data.count);
    return data;
  }
  // Of the words of the test text: what a network gets that knows how frequent each is, and nothing else.
  double unigram_entropy() const {
    std::map<int32_t, double> count;
    for (size_t i = 2500; i < 3000; ++i) ++count[tokens_[i]];
    double entropy = 0;
    for (const auto& [word, n] : count) entropy -= n / 500 * std::log(n / 500);
    return entropy;
  }
  static constexpr int n_words = 30, dimension = 12;

 private:
  std::vector<int32_t> tokens_;
  std::vector<float> embedding_;
};

const char* const kLanguage = R"(
name = "language"
[network]
n_hidden = 32
bias = true
[init]
gain = 0.7
[rule]
lr = 0.1
clip = 1.0
[task]
name = "language_model"
steps = 10
vocabulary = 30
dimension = 12
batch = 20
[train]
steps = 200
[eval]
also = ["train"]
[analysis]
names = ["weight_change", "svd_entropy", "spectral_radius"]
[output]
weights = "final"
[sweep]
"network.n_dense_layers" = [0, 2]
)";

TEST(Learning, PredictsTheNextWord) {
  const Chain chain;
  const Experiment e = Experiment::parse(kLanguage);
  const auto device = open_cpu_device(2);
  for (int64_t i = 0; i < 2; ++i) {
    const UnitResult r = run_networks({*device, e, chain.view()}, {i}).value();
    const double loss = column(r, "final.loss")[0];
    std::printf("%d dense layers: loss %.3f, unigram entropy %.3f, accuracy %.3f\n", i == 0 ? 0 : 2, loss,
                chain.unigram_entropy(), column(r, "final.accuracy")[0]);
    EXPECT_GT(chain.unigram_entropy(), 3);
    EXPECT_LT(loss, 0.5 * chain.unigram_entropy());
    EXPECT_GT(loss, std::log(3.0) - 0.1);
    EXPECT_GT(column(r, "final.accuracy")[0], 0.2);  // 1/30 by chance, 1/3 at best
  }
}

// ---- dense layers
TEST(DenseLayers, HaveWeightsOfAnySignWhateverTheOthersAre) {
  const Chain chain;
  const auto device = open_cpu_device(2);
  for (const std::string parameterisation : {"dense", "column_ei", "dann"}) {
    SCOPED_TRACE(parameterisation);
    const Experiment e =
        Experiment::parse(kLanguage, "config",
                          {"network.n_dense_layers=2", "network.parameterisation=\"" + parameterisation + "\"",
                           "train.steps=30", "init.spectral_radius=1.5", "network.n_layers=2"});
    const UnitResult r = run_networks({*device, e, chain.view()}, {0}).value();
    const auto signs = [&](const std::string& name) {
      const std::vector<float> w = of_network(r, "weights." + name + ".final", 0);
      return std::pair(std::any_of(w.begin(), w.end(), [](float v) { return v > 0; }),
                       std::any_of(w.begin(), w.end(), [](float v) { return v < 0; }));
    };
    for (const char* name : {"input_3", "input_4"}) {
      EXPECT_EQ(signs(name), std::pair(true, true)) << name;
      const auto& shape = array(r, std::string("weights.") + name + ".final").shape;
      EXPECT_EQ(shape, (std::vector<int64_t>{32, 32}));
      // not pushed against 0: 1024 draws of a continuous distribution
      const std::vector<float> w = of_network(r, std::string("weights.") + name + ".final", 0);
      EXPECT_EQ(std::count(w.begin(), w.end(), 0.0f), 0) << name;
    }
    EXPECT_THROW(array(r, "weights.recurrent_3.final"), Error);
    EXPECT_NEAR(column(r, "spectral_radius.initial")[0], 1.5, 1e-4);
    EXPECT_NEAR(column(r, "spectral_radius.recurrent_2.initial")[0], 1.5, 1e-4);
    EXPECT_THROW(column(r, "spectral_radius.recurrent_3.initial"), Error);
    if (parameterisation == "column_ei") {
      const std::vector<float> w = of_network(r, "weights.recurrent.final", 0);
      for (size_t k = 0; k < w.size(); ++k) EXPECT_TRUE(k % 32 < 28 ? w[k] >= 0 : w[k] <= 0);
    }
  }
}

// ---- precision
const char* const kPrecisions = R"(
name = "precisions"
[network]
n_hidden = 24
[task]
name = "perceptual_decision"
stimulus_steps = 19
batch = 8
[train]
steps = 6
[eval]
trials = 32
[analysis]
names = ["weight_change"]
[output]
weights = "final"
[rule]
clip = 1.0
lr = 0.01
[sweep]
"train.precision" = ["fp32", "fp32x3", "fp16"]
"init.gain" = [0.9, 6.0]
)";

TEST(Precision, OnTheCpuOnlyIfItIsEmulated) {
  const Experiment e = Experiment::parse(kPrecisions);
  const auto plain = open_cpu_device(2);
  EXPECT_THROW(refuse_untrainable(e, *plain), Error);
  EXPECT_THROW(make_plan(e, plain.get()), Error);
  EXPECT_THROW(train(e, {5}), Error);
  try {
    refuse_untrainable(Experiment::parse(kPrecisions, "config", {"train.precision=fp16"}), *plain);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "train.precision is 'fp16'; the CPU trains in fp32; allowed here: fp32, or --emulate-precision (slow, "
                 "rounds as a card would)");
  }
  EXPECT_NO_THROW(refuse_untrainable(Experiment::parse(kPrecisions, "config", {"train.precision=fp32"}), *plain));
  const auto emulating = open_device("auto", 2, true);
  EXPECT_EQ(emulating->info().backend, "cpu");
  EXPECT_EQ(emulating->info().isa, plain->info().isa + ", precision emulated");
  EXPECT_NO_THROW(refuse_untrainable(e, *emulating));
  const Plan plan = make_plan(e, emulating.get());
  EXPECT_EQ(plan.precisions,
            (std::map<Precision, int64_t>{{Precision::fp32, 2}, {Precision::fp32x3, 2}, {Precision::fp16, 2}}));
  EXPECT_NE(plan_text(plan, emulating->info()).find("precision   fp16: 2 networks\n"), std::string::npos);
  EXPECT_THROW(open_device("cuda", 2, true), Error);
}

TEST(Precision, ResultsSayWhichNetworksOverflowed) {
  const Experiment e = Experiment::parse(kPrecisions);
  const auto device = open_cpu_device(2, "", true);
  const auto unit = [&](const std::vector<int64_t>& networks) {
    return run_networks({*device, e, Dataset{}}, networks).value();
  };
  const UnitResult exact = unit({0, 1}), three = unit({2, 3}), one = unit({4, 5});
  EXPECT_EQ(exact.overflowed_at, (std::vector<int64_t>{-1, -1}));
  EXPECT_EQ(three.overflowed_at, (std::vector<int64_t>{-1, 0}));
  EXPECT_EQ(one.overflowed_at, (std::vector<int64_t>{-1, 0}));
  EXPECT_EQ(one.diverged_at, (std::vector<int64_t>{-1, -1}));
  for (const size_t i : {0, 1}) {
    expect_same(exact, i, train(e, {int64_t(i)}), 0);  // fp32 is what it is without emulation
    expect_same(one, i, unit({int64_t(4 + i)}), 0);
    EXPECT_FALSE(
        same_bits(of_network(exact, "weights.recurrent.final", i), of_network(one, "weights.recurrent.final", i)));
  }
}

TEST(Plan, CountsWorkAndRefusesLargeKernels) {
  const Experiment e = Experiment::parse(kMixed);
  const auto device = open_cpu_device(1);
  const Plan plan = make_plan(e, device.get());
  EXPECT_EQ(plan.n_networks, e.size());
  EXPECT_EQ(plan.kernel_rows, 3 * 8 * 3);
  const Experiment large = Experiment::parse(kMixed, "config", {"analysis.kernel_trials=200"});
  EXPECT_THROW(make_plan(large, nullptr), Error);
  EXPECT_NO_THROW(make_plan(
      Experiment::parse(kMixed, "config", {"analysis.kernel_trials=200", "analysis.max_kernel_rows=4800"}), nullptr));
}

// Operations and scratch of the kernels of three tensors, whose forms differ.
TEST(Plan, SaysWhatKernelsTake) {
  const auto device = open_cpu_device(2);
  const Experiment e = Experiment::parse(kMixed, "config",
                                         {"seed=3", "network.n_hidden=40", "analysis.kernel_trials=5",
                                          "analysis.tensors=[\"input\", \"recurrent\", \"readout\"]"});
  const Plan plan = make_plan(e, device.get());
  const Signature g = e.network(0).signature;
  const std::pair<int, TangentForm> forms[] = {{input_tensor(0), TangentForm::columns},
                                               {recurrent_tensor(0), TangentForm::factored},
                                               {readout_tensor(g), TangentForm::factored}};
  double flop = 0;
  size_t bytes = 0;
  for (const auto& [tensor, form] : forms) {
    flop += tangent_cost(form, g, tensor, 5, LossSteps::all, sizeof(float)).flop;
    TangentArgs<float> kernels;
    kernels.cohort.signature = g;
    kernels.trials = 5;
    kernels.tensor = tensor;
    bytes = std::max(bytes, device->tangent_workspace(kernels, 1));
    EXPECT_EQ(device->tangent_workspace(kernels, 3), 2 * device->tangent_workspace(kernels, 1));  // two workers
  }
  EXPECT_DOUBLE_EQ(plan.kernel_flop, flop);
  EXPECT_EQ(plan.kernel_bytes, bytes);
  EXPECT_EQ(plan.kernel_forms, (std::set<TangentForm>{TangentForm::factored, TangentForm::columns}));
  EXPECT_NE(plan_text(plan, device->info()).find("kernels     120 rows at most, factored and by columns: "),
            std::string::npos);
  EXPECT_EQ(make_plan(e, nullptr).kernel_flop, flop);
  // Kernels of the last step only take less.
  const Experiment last = Experiment::parse(kMixed, "config", {"seed=3", "task.loss_steps=last"});
  EXPECT_LT(make_plan(last, device.get()).kernel_bytes, plan.kernel_bytes);
}

TEST(Measures, RepresentationsAreThoseOfTheLastLayer) {
  const auto device = open_cpu_device(2);
  const Experiment e = Experiment::parse(
      kMixed, "config",
      {"seed=3", "network.n_layers=2", "analysis.names=[\"representation_alignment\", \"cka\", \"sign_similarity\"]"});
  std::vector<ResolvedNetwork> resolved;
  for (int64_t i = 0; i < e.size(); ++i) resolved.push_back(e.network(i));
  const Networks networks(*device, resolved, Dataset{});
  const Signature& g = networks.signature();
  const int count = networks.size(), trials = e.settings().analysis.probe_trials, n = g.n_hidden;
  const size_t each = size_t(g.n_layers) * size_t(trials) * size_t(n);
  const auto states = [&] {
    DeviceArray<float> hidden(*device, size_t(count) * each);
    device->run(ProbeArgs<float>{networks.view(), trials, hidden.data()});
    return hidden.download();
  };
  const std::vector<float> start = states();
  DeviceArray<float> loss(*device, size_t(count) * 6);
  device->run(TrainArgs<float>{networks.view(), 6, loss.data()});
  const std::vector<float> now = states();
  const Measures measures(e.settings().analysis, g);
  const Measures::Values values = measures.finish(measures.begin(*device, networks, true));
  ASSERT_EQ(measures.list().size(), 3u);
  for (int i = 0; i < count; ++i) {
    const auto alignment = [&](bool centred) {
      const auto layer = [&](const std::vector<float>& all) {
        const float* const h = all.data() + size_t(i) * each + size_t(trials * n);
        std::vector<double> out(h, h + trials * n);
        for (int u = 0; u < n && centred; ++u) {
          double mean = 0;
          for (int b = 0; b < trials; ++b) mean += double(h[b * n + u]) / trials;
          for (int b = 0; b < trials; ++b) out[size_t(b * n + u)] -= mean;
        }
        return out;
      };
      const std::vector<double> x = layer(now), y = layer(start);
      double xy = 0, xx = 0, yy = 0;
      for (int b = 0; b < trials; ++b)
        for (int c = 0; c < trials; ++c) {
          double p = 0, q = 0;
          for (int u = 0; u < n; ++u) {
            p += x[size_t(b * n + u)] * x[size_t(c * n + u)];
            q += y[size_t(b * n + u)] * y[size_t(c * n + u)];
          }
          xy += p * q;
          xx += p * p;
          yy += q * q;
        }
      return xy / std::sqrt(xx * yy);
    };
    EXPECT_NEAR(values.now[size_t(i)], alignment(false), 1e-12);
    EXPECT_NEAR(values.now[size_t(count + i)], alignment(true), 1e-12);
    EXPECT_GT(values.now[size_t(2 * count + i)], 0);
    for (int m = 0; m < 3; ++m) EXPECT_TRUE(std::isnan(values.start[size_t(m * count + i)]));
  }
}

// Potentials of one sweep: one is the p-norm of another parameter than any candidate.
TEST(Measures, DualChangesAreThoseOfTheParametersAndOfTheOwnPotential) {
  const Experiment e = Experiment::parse(R"(
name = "dual"
[network]
n_hidden = 20
[task]
name = "perceptual_decision"
batch = 4
[train]
steps = 12
[eval]
trials = 8
[init]
density = 0.8
[analysis]
names = ["dual_change"]
tensors = ["recurrent", "input"]
candidates = ["neg_entropy", "p_norm:3", "hypentropy:0.5"]
every = 6
[output]
weights = "all"
[sweep]
"rule.beta" = [0.5, 2.0]
[[sweep.zip]]
"rule.geometry" = ["euclidean", "neg_entropy", "p_norm", "p_norm", "hypentropy"]
"rule.p" = [3.0, 3.0, 2.0, 3.0, 3.0]
)");
  const UnitResult r = train(e, all_of(e));
  const auto value = [&](const std::string& name, size_t i) { return column(r, "dual_change." + name)[i]; };
  int n_recovered = 0;
  for (size_t i = 0; i < r.net.size(); ++i) {
    SCOPED_TRACE(i);
    const NetSpec spec = e.network(r.net[i]).spec;
    const RuleSpec& rule = spec.rule[int(Role::recurrent)];
    for (const std::string of : {"", ".input"}) {
      const std::string tensor = of.empty() ? ".recurrent" : of;
      const std::vector<float> start = of_network(r, "weights" + tensor + ".initial", i),
                               end = of_network(r, "weights" + tensor + ".final", i);
      const auto expect = [&](const std::string& candidate, auto dual) {
        std::vector<double> z;
        double moved = 0, before = 0, mean = 0, m2 = 0;
        for (size_t k = 0; k < start.size(); ++k) {
          if (start[k] == 0) continue;  // absent
          z.push_back(dual(double(end[k])) - dual(double(start[k])));
          moved += z.back() * z.back();
          before += dual(double(start[k])) * dual(double(start[k]));
          mean += z.back();
        }
        if (of.empty()) {
          EXPECT_LT(z.size(), start.size());
        }
        mean /= double(z.size());
        for (const double d : z) m2 += (d - mean) * (d - mean);
        for (double& d : z) d /= std::sqrt(m2 / double(z.size() - 1));
        std::ranges::sort(z);
        EXPECT_NEAR(value("delta_cdf." + candidate + of + ".final", i), delta_cdf(z.data(), int64_t(z.size())),
                    3 * 0.0101 / double(z.size()));  // of values that are rounded across a point of the integral
        EXPECT_NEAR(value("laziness." + candidate + of + ".final", i), std::sqrt(moved / before),
                    1e-9 * std::sqrt(moved / before));
      };
      const auto log = [](double w) { return (w < 0 ? -1 : 1) * (std::log(std::abs(w)) + 1); };
      const auto square = [](double w) { return w * std::abs(w); };
      const auto asinh = [](double beta) { return [beta](double w) { return std::asinh(w / beta); }; };
      expect("neg_entropy", log);
      expect("p_norm_3", square);
      expect("hypentropy_0.5", asinh(0.5));
      const bool own_is_identity =
          rule.geometry == GeometryId::euclidean || (rule.geometry == GeometryId::p_norm && rule.p == 2);
      if (rule.geometry == GeometryId::neg_entropy) expect("matched", log);
      if (rule.geometry == GeometryId::p_norm && rule.p == 3) expect("matched", square);
      if (rule.geometry == GeometryId::hypentropy) expect("matched", asinh(rule.beta));
      if (own_is_identity) expect("matched", [](double w) { return w; });
      const bool is_candidate = !own_is_identity && (rule.geometry != GeometryId::hypentropy || rule.beta == 0.5);
      EXPECT_EQ(std::isfinite(value("recovered" + of + ".final", i)), is_candidate);
      const char* const names[] = {"neg_entropy", "p_norm_3", "hypentropy_0.5"};
      const double nearest = value("nearest" + of + ".final", i);
      for (const char* name : names)
        EXPECT_LE(value("delta_cdf." + std::string(names[size_t(nearest)]) + of + ".final", i),
                  value("delta_cdf." + std::string(name) + of + ".final", i));
      n_recovered += value("recovered" + of + ".final", i) == 1;
    }
    EXPECT_EQ(value("sign_flips.final", i) > 0, rule.geometry != GeometryId::neg_entropy)
        << value("sign_flips.final", i);
  }
  EXPECT_GT(n_recovered, 0);
  const auto series = std::ranges::find(r.series, "dual_change.delta_cdf.matched", &UnitResult::Series::name);
  ASSERT_NE(series, r.series.end());
  EXPECT_EQ(series->step, (std::vector<int64_t>{0, 6, 12}));
  EXPECT_TRUE(std::isnan(series->value[0]));
  EXPECT_TRUE(std::isfinite(series->value[1]));
  EXPECT_EQ(series->value[2], value("delta_cdf.matched.final", 0));
}

TEST(Plan, CountsTheScratchOfDualChanges) {
  const char* const text = R"(
name = "wide"
[network]
core = "feedforward"
n_hidden = 1000
[task]
name = "flat_mnist"
batch = 1
[analysis]
names = ["dual_change"]
)";
  const auto device = open_cpu_device(1);
  const auto plan = [&](const std::vector<std::string>& overrides) {
    return make_plan(Experiment::parse(text, "config", overrides), device.get()).memory_bytes;
  };
  const size_t with = plan({}), without = plan({"analysis.names=[]"});
  EXPECT_GT(with, without);  // a double and two floats a weight of the tensor are more than training takes
  EXPECT_GE(with, size_t(16) * 784 * 1000);
}

TEST(Stopping, GivesNoResult) {
  const Experiment e = Experiment::parse(kMixed);
  const auto device = open_cpu_device(1);
  const std::atomic<bool> stop{true};
  EXPECT_FALSE(run_networks({*device, e, Dataset{}, &stop}, {0, 1}).has_value());
}

}  // namespace
}  // namespace cohort::engine

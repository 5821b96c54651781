// Language modelling from files to a trained network, and what is said where files and experiment do not go together.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>

#include "cohort/error.h"
#include "data/data_set.h"
#include "device/device.h"
#include "runner/measure.h"
#include "runner/runner.h"

namespace cohort::engine {
namespace {

namespace fs = std::filesystem;

constexpr int n_words = 30, dimension = 8;

// A language of 30 words: each is followed by one of two, the first of them four times in five.
class Language {
 public:
  std::string text(int length, unsigned seed) {
    std::mt19937 random(seed);
    std::string text;
    int word = 0;
    for (int i = 0; i < length; ++i) {
      text += "w" + std::to_string(word) + (i % 12 == 11 ? "\n" : " ");
      ++count_[word];
      word = (random() % 5 ? 7 * word + 3 : word + 11) % n_words;
    }
    return text;
  }
  // In nats, of the words of all texts by themselves: what a model without memory can reach at best.
  double unigram_entropy() const {
    double total = 0, entropy = 0;
    for (const auto& [word, n] : count_) total += n;
    for (const auto& [word, n] : count_) entropy -= n / total * std::log(n / total);
    return entropy;
  }

 private:
  std::map<int, double> count_;
};

class LanguageModel : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "cohort-language-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    std::mt19937 random(1);
    std::normal_distribution<double> normal;
    std::string embeddings;
    for (int w = 0; w < n_words; ++w) {
      embeddings += "w" + std::to_string(w);
      for (int i = 0; i < dimension; ++i) embeddings += " " + std::to_string(normal(random));
      embeddings += "\n";
    }
    write("embeddings.txt", embeddings);
    write("train.txt", language_.text(3000, 1));
    write("valid.txt", language_.text(500, 2));
    write("test.txt", language_.text(500, 3));
  }
  void TearDown() override { fs::remove_all(directory_); }
  void write(const char* name, const std::string& text) const { std::ofstream(directory_ / name) << text; }

  static Experiment experiment(const std::vector<std::string>& more = {}, const std::string& sweep = "") {
    return Experiment::parse(std::string(R"(
name = "language"
[network]
n_hidden = 40
n_dense_layers = 1
bias = true
[rule]
lr = 0.3
momentum = 0.0
clip = 1.0
[task]
name = "language_model"
batch = 16
vocabulary = 30
dimension = 8
steps = 10
[train]
steps = 600
[eval]
trials = 49
[analysis]
names = ["svd_entropy"]
tensors = ["input", "recurrent", "readout"]
[sweep]
)") + sweep,
                             "config", more);
  }
  std::string refusal(const Experiment& e) const {
    try {
      load_data(e, directory_.string());
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }
  static double column(const UnitResult& r, const std::string& name, size_t i) {
    for (const auto& c : r.columns)
      if (c.name == name) return c.value[i];
    throw Error("no column " + name);
  }

  Language language_;
  fs::path directory_;
};

TEST_F(LanguageModel, LearnsWhatComesNext) {
  const Experiment e =
      experiment({"init.inhibition=iid"}, "\"network.parameterisation\" = [\"dense\", \"column_ei\", \"dann\"]\n");
  const DataSet data = load_data(e, directory_.string());
  EXPECT_EQ(data.tokens.count[0], 299);
  const double entropy = language_.unigram_entropy();
  EXPECT_GT(entropy, 3);  // of the 3.4 of thirty equally frequent words
  const auto device = open_cpu_device(2);
  for (int64_t i = 0; i < e.size(); ++i) {
    SCOPED_TRACE(to_toml(e.network(i).swept.front().second));
    const UnitResult r = run_networks({*device, e, data.view()}, {i}).value();
    ASSERT_EQ(r.diverged_at[0], -1);
    EXPECT_LT(column(r, "final.loss", 0), 0.5 * entropy);  // 0.5 nats are left by two words, 4 : 1
    EXPECT_GT(column(r, "final.loss", 0), 0.45);
    EXPECT_GT(column(r, "final.accuracy", 0), 0.6);
    EXPECT_LE(column(r, "final.accuracy", 0), 0.85);
  }
}
// Measures of what a dense layer does not have are not there; the others are.
TEST_F(LanguageModel, MeasuresLeaveOutAbsentWeights) {
  const Experiment e = experiment({"train.steps=0", "init.rank=3", "init.spectral_radius=1.5"});
  const DataSet data = load_data(e, directory_.string());
  const auto device = open_cpu_device(1);
  const UnitResult r = run_networks({*device, e, data.view()}, {0}).value();
  std::set<std::string> names;
  for (const auto& c : r.columns) names.insert(c.name);
  for (const char* const tensor : {"", ".input", ".input_2", ".readout"})
    EXPECT_TRUE(names.contains(std::string("svd_entropy") + tensor + ".initial")) << tensor;
  for (const std::string& name : names) EXPECT_EQ(name.find("recurrent_2"), name.npos) << name;
}
TEST_F(LanguageModel, ShapesAreThoseOfTheFiles) {
  EXPECT_EQ(refusal(experiment()), "accepted");
  EXPECT_EQ(refusal(experiment({"task.vocabulary=31"})),
            "task.vocabulary = 31: embeddings.txt has 30 words; allowed: 30");
  EXPECT_EQ(refusal(experiment({"task.dimension=7"})),
            "task.dimension = 7: embeddings.txt has 8 numbers per word; allowed: 8");
  EXPECT_EQ(refusal(experiment({}, "\"task.vocabulary\" = [30, 29]\n")),
            "task.vocabulary = 29: embeddings.txt has 30 words; allowed: 30");
  EXPECT_EQ(refusal(experiment({}, "\"task.steps\" = [10, 11]\n")),
            "task.steps = 11: windows of an experiment are equally long; allowed: 10");
}
TEST_F(LanguageModel, AnExperimentReadsOneKindOfData) {
  const auto swept = [](const char* names) {
    return Experiment::parse("name = \"x\"\n[sweep]\n\"task.name\" = " + std::string(names) + "\n");
  };
  EXPECT_EQ(needed_data(swept(R"(["adding", "perceptual_decision"])")), DataKind::none);
  EXPECT_EQ(needed_data(swept(R"(["adding", "language_model"])")), DataKind::tokens);
  EXPECT_EQ(needed_data(swept(R"(["flat_mnist", "adding", "row_mnist"])")), DataKind::images);
  EXPECT_EQ(refusal(swept(R"(["row_mnist", "language_model"])")),
            "task.name = \"row_mnist\" reads images and task.name = \"language_model\" tokens: an experiment reads one "
            "kind of data");
  const DataSet none = load_data(swept(R"(["adding"])"), "/nowhere");
  EXPECT_EQ(none.view().tokens, nullptr);
  EXPECT_EQ(none.view().pixels, nullptr);
}

}  // namespace
}  // namespace cohort::engine

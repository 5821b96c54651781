// On how many trials of which split networks are evaluated; and that what does not fit together is refused before a run.
#include "data/splits.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cohort/error.h"
#include "data/data_set.h"

namespace cohort::engine {
namespace {

namespace fs = std::filesystem;

ResolvedNetwork network(const std::string& more) { return Experiment::parse("name = \"x\"\n" + more).network(0); }
EvalSettings settings(const std::string& more) { return Experiment::parse("name = \"x\"\n" + more).settings().eval; }

// 50 + 5 + 10 images.
Dataset images() {
  Dataset data;
  data.rows = data.cols = 28;
  const int32_t count[3] = {50, 5, 10};
  for (int i = 0; i < 3; ++i) data.count[i] = count[i];
  return data;
}

// Trials of every evaluated split, or the error.
std::string trials(const std::string& text, const Dataset& data) {
  std::string shown;
  const EvalSettings eval = settings(text);
  try {
    for (const Split split : evaluated_splits(eval))
      shown += std::string(shown.empty() ? "" : " ") + split_name(split) + " " +
               std::to_string(evaluated_trials(eval, network(text), data, split));
  } catch (const Error& error) {
    return error.what();
  }
  return shown;
}

TEST(EvaluatedTrials, OfADataSetAreTheWholeSplitUnlessToldOtherwise) {
  const std::string task = "task.name = \"row_mnist\"\n";
  EXPECT_EQ(trials(task, images()), "test 10");
  EXPECT_EQ(trials(task + "eval.trials = \"all\"", images()), "test 10");
  EXPECT_EQ(trials(task + "eval.trials = 7", images()), "test 7");
  EXPECT_EQ(trials(task + "eval.split = \"validation\"", images()), "validation 5");
  EXPECT_EQ(trials(task + "eval.split = \"train\"\neval.also = [\"validation\"]", images()), "train 50 validation 5");
  EXPECT_EQ(trials(task + "eval.also = [\"train\", \"validation\"]", images()), "test 10 train 10 validation 5");
  EXPECT_EQ(trials(task + "eval.trials = 3\neval.also = [\"train\", \"validation\"]", images()),
            "test 3 train 3 validation 3");
}
TEST(EvaluatedTrials, NoSampleCountsTwice) {
  const std::string task = "task.name = \"flat_mnist\"\n";
  EXPECT_EQ(trials(task + "eval.trials = 10", images()), "test 10");
  EXPECT_EQ(trials(task + "eval.trials = 11", images()),
            "eval.trials = 11, but the test split holds 10 samples; allowed: 1 to 10 or \"all\"");
  EXPECT_EQ(trials(task + "eval.trials = 6\neval.split = \"validation\"", images()),
            "eval.trials = 6, but the validation split holds 5 samples; allowed: 1 to 5 or \"all\"");
  Dataset none = images();
  none.count[int(Split::validation)] = 0;
  EXPECT_EQ(trials(task + "eval.split = \"validation\"", none),
            "the validation split holds no sample to evaluate networks on");
  EXPECT_EQ(trials(task + "eval.also = [\"validation\"]", none),
            "the validation split holds no sample to evaluate networks on");
}
TEST(EvaluatedTrials, OfDrawnTrialsAreAsManyAsAsked) {
  const std::string task = "task.name = \"adding\"\n";
  EXPECT_EQ(trials(task, {}), "test 1024");
  EXPECT_EQ(trials(task + "eval.trials = 100000\neval.also = [\"validation\"]", {}), "test 100000 validation 100000");
}
TEST(EvaluatedTrials, OfAFixedTrainingSetAreAtMostAll) {
  const std::string task = "task.name = \"adding\"\ntask.samples = 300\n";
  EXPECT_EQ(trials(task + "eval.also = [\"train\"]", {}), "test 1024 train 300");
  EXPECT_EQ(trials(task + "eval.trials = 200\neval.also = [\"train\"]", {}), "test 200 train 200");
  EXPECT_EQ(trials(task + "eval.split = \"train\"", {}), "train 300");
  EXPECT_EQ(trials(task + "eval.split = \"train\"\neval.trials = 301", {}),
            "eval.trials = 301, but the train split holds 300 samples; allowed: 1 to 300 or \"all\"");
}
TEST(EvaluatedTrials, OfATextAreItsWindows) {
  const std::string task = "task.name = \"language_model\"\ntask.steps = 10\n";
  EXPECT_EQ(trials(task + "eval.also = [\"train\"]", images()), "test 10 train 10");
  Dataset data = images();
  data.count[int(Split::test)] = 0;
  EXPECT_EQ(trials(task, data),
            "the test split holds no sample to evaluate networks on: no window of task.steps = 10 words");
}

// Without reading any data, as of a set of 60,000 + 10,000 images.
TEST(PlannedTrials, AreThoseOfAllSplits) {
  const auto planned = [](const std::string& more) {
    const Experiment e = Experiment::parse("name = \"x\"\n" + more);
    return planned_trials(e.settings(), e.network(0));
  };
  const std::string images = "task.name = \"row_mnist\"\n", drawn = "task.name = \"adding\"\n";
  EXPECT_EQ(planned(images), 10000);
  EXPECT_EQ(planned(images + "eval.trials = 500\neval.also = [\"train\"]"), 1000);
  EXPECT_EQ(planned(images + "eval.also = [\"train\", \"validation\"]"), 25000);
  EXPECT_EQ(planned(images + "eval.split = \"train\"\ntask.validation = 0"), 60000);
  // more than that set has, but not more than another may have
  EXPECT_EQ(planned(images + "eval.split = \"validation\"\neval.trials = 8000"), 5000);
  EXPECT_EQ(planned(images + "eval.split = \"train\"\ntask.validation = 100000\neval.trials = 70000"), 1);
  EXPECT_EQ(planned(images + "eval.split = \"validation\"\ntask.validation = 0"), 0);
  EXPECT_EQ(planned(drawn), 1024);
  EXPECT_EQ(planned(drawn + "eval.trials = 50000\neval.also = [\"validation\"]"), 100000);
  EXPECT_EQ(planned(drawn + "task.samples = 300\neval.also = [\"train\"]"), 1324);
}

// ---- all that an experiment reads
class LoadData : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "cohort-load-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    write("embeddings.txt", "a 1 2\nb 3 4\nc 5 6\n");
    for (const char* file : {"train.txt", "valid.txt", "test.txt"}) write(file, "a b c a b c a b c");
  }
  void TearDown() override { fs::remove_all(directory_); }
  void write(const std::string& file, const std::string& text) { std::ofstream(directory_ / file) << text; }
  std::string refusal(const std::string& text) {
    try {
      load_data(Experiment::parse("name = \"x\"\n" + text), directory_.string());
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  fs::path directory_;
};
const std::string text_task = "task.name = \"language_model\"\ntask.vocabulary = 3\ntask.dimension = 2\n";

TEST_F(LoadData, ReadsNothingWhereNothingIsNeeded) {
  const DataSet data = load_data(Experiment::parse("name = \"x\"\ntask.name = \"adding\"\n"), "/nowhere");
  EXPECT_EQ(data.view().pixels, nullptr);
  EXPECT_EQ(data.view().tokens, nullptr);
}
TEST_F(LoadData, RefusesEvaluationsThatTheDataCannotGive) {
  EXPECT_EQ(refusal(text_task + "task.steps = 4\neval.trials = 3\n"),
            "eval.trials = 3, but the test split holds 2 samples; allowed: 1 to 2 or \"all\"");
  EXPECT_EQ(refusal(text_task + "task.steps = 4\neval.trials = 2\n"), "no error");
  EXPECT_EQ(refusal(text_task + "task.steps = 4\neval.trials = 2\n[sweep]\n\"train.steps\" = [1, 2]\n"), "no error");
}
TEST_F(LoadData, NamesTheDirectoryThatIsMissing) {
  EXPECT_THROW(load_data(Experiment::parse("name = \"x\"\ntask.name = \"row_mnist\"\n"), directory_.string()), IoError);
}

}  // namespace
}  // namespace cohort::engine

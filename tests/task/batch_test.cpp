// Which trials batches of a fixed training set are made of, and evaluations of it.
#include "program/batch.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>

#include "draw.h"
#include "team/serial.h"

namespace cohort::test {
namespace {

using Real = double;
using Row = std::vector<Real>;  // everything about one trial

class TrialBatches {
 public:
  TrialBatches(TaskId id, int batch, int samples) {
    const TaskInfo& task = task_info(id);
    spec_.seed = 7;
    spec_.task.id = id;
    spec_.task.loss_steps = LossSteps::all;
    spec_.task.samples = samples;
    for (int i = 0; i < task.n_params; ++i) spec_.task.param[i] = task.params[i].value;
    const double* const p = spec_.task.param;
    g_ = {.n_in = task.n_in(p), .n_hidden = 1, .n_out = task.n_out(p), .batch = batch, .n_steps = task.n_steps(p)};
    classes_ = task.classes;
    Arena measure(nullptr);
    Batch<Real>::carve(measure, g_, batch);
    memory_.reset(std::aligned_alloc(256, measure.used()));
    Arena arena(memory_.get());
    batch_ = Batch<Real>::carve(arena, g_, batch);
  }

  std::vector<Row> fill(Split split, const BatchKey& key, int rows) {
    fill_batch(SerialTeam{}, g_, spec_, Dataset{}, split, key, rows, batch_);
    std::vector<Row> trials(static_cast<size_t>(rows));
    for (int r = 0; r < rows; ++r)
      for (int t = 0; t < g_.n_steps; ++t) {
        Row& to = trials[size_t(r)];
        const int at = t * rows + r;
        for (int i = 0; i < g_.n_in; ++i) to.push_back(batch_.x[at * g_.n_in + i]);
        if (classes_) to.push_back(batch_.label[at]);
        for (int o = 0; o < g_.n_out && !classes_; ++o) to.push_back(batch_.target[o * g_.n_steps * rows + at]);
      }
    return trials;
  }
  // The trials of training steps [first, first + count).
  std::vector<Row> training(uint64_t first, int count) {
    std::vector<Row> all;
    for (uint64_t step = first; step < first + uint64_t(count); ++step)
      for (Row& row : fill(Split::train, {rng::phase_train, step, 0}, g_.batch)) all.push_back(std::move(row));
    return all;
  }
  // `n` trials of an evaluation.
  std::vector<Row> evaluation(Split split, int n) {
    const rng::Phase phase = split == Split::validation ? rng::phase_validate : rng::phase_evaluate;
    std::vector<Row> all;
    for (int done = 0; done < n; done += g_.batch)
      for (Row& row : fill(split, {phase, 0, uint32_t(done)}, std::min(g_.batch, n - done)))
        all.push_back(std::move(row));
    return all;
  }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  Signature g_;
  NetSpec spec_;
  bool classes_ = false;
  std::unique_ptr<void, Free> memory_;
  Batch<Real> batch_;
};

std::vector<Row> sorted(std::vector<Row> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}
std::vector<Row> part(const std::vector<Row>& rows, int first, int count) {
  return {rows.begin() + first, rows.begin() + first + count};
}
bool any_in(const std::vector<Row>& rows, const std::vector<Row>& others) {
  const std::set<Row> all(others.begin(), others.end());
  return std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return all.count(row) > 0; });
}

// 6 batches of 20 are two epochs of 60; with batches of 24 epochs end within a batch. Noisy tasks: the noise of a sample is its own.
class FixedTrainingSet : public ::testing::TestWithParam<TaskId> {};
INSTANTIATE_TEST_SUITE_P(Generated, FixedTrainingSet,
                         ::testing::Values(TaskId::adding, TaskId::perceptual_decision, TaskId::context_decision,
                                           TaskId::r_of_k, TaskId::linear_regression),
                         [](const auto& each) { return std::string(task_info(each.param).name); });

TEST_P(FixedTrainingSet, EveryEpochHoldsEverySampleOnce) {
  for (const int batch : {20, 24}) {
    TrialBatches batches(GetParam(), batch, 60);
    const std::vector<Row> all = batches.training(0, 240 / batch);
    const std::vector<Row> first = sorted(part(all, 0, 60));
    EXPECT_EQ(std::set<Row>(first.begin(), first.end()).size(), 60u);  // all are different: inputs are real numbers
    for (int epoch = 1; epoch < 4; ++epoch) {
      EXPECT_EQ(sorted(part(all, 60 * epoch, 60)), first);
      EXPECT_NE(part(all, 60 * epoch, 60), part(all, 60 * (epoch - 1), 60));  // in another order
    }
  }
}
TEST_P(FixedTrainingSet, DoesNotDependOnTheBatch) {
  TrialBatches small(GetParam(), 20, 60), large(GetParam(), 60, 60);
  EXPECT_EQ(small.training(0, 6), large.training(0, 2));
}
TEST_P(FixedTrainingSet, IsWhatEvaluationOfTheTrainingSplitSees) {
  TrialBatches batches(GetParam(), 20, 60);
  EXPECT_EQ(sorted(batches.evaluation(Split::train, 60)), sorted(batches.training(0, 3)));
  EXPECT_EQ(part(batches.evaluation(Split::train, 60), 0, 33), batches.evaluation(Split::train, 33));
}
TEST_P(FixedTrainingSet, OtherSplitsHoldOtherTrials) {
  TrialBatches batches(GetParam(), 20, 60), fresh(GetParam(), 20, 0);
  const std::vector<Row> learned = batches.training(0, 3);
  for (const Split split : {Split::validation, Split::test}) {
    const std::vector<Row> seen = batches.evaluation(split, 200);
    EXPECT_FALSE(any_in(seen, learned));
    EXPECT_EQ(seen, fresh.evaluation(split, 200));  // the same, fixed training set or not
  }
  EXPECT_FALSE(any_in(batches.evaluation(Split::test, 200), batches.evaluation(Split::validation, 200)));
}
TEST_P(FixedTrainingSet, WithoutOneEveryTrialIsFresh) {
  TrialBatches batches(GetParam(), 20, 0);
  const std::vector<Row> all = batches.training(0, 12);
  EXPECT_EQ(std::set<Row>(all.begin(), all.end()).size(), all.size());
}
TEST_P(FixedTrainingSet, OfOneTrialRepeatsIt) {
  TrialBatches batches(GetParam(), 4, 1);
  const std::vector<Row> all = batches.training(0, 3);
  for (const Row& row : all) EXPECT_EQ(row, all.front());
}

}  // namespace
}  // namespace cohort::test

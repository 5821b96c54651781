// Which windows of a text a batch shows: training goes through all of them in each epoch, in a new order; evaluation in theirs.
#include <memory>
#include <set>

#include "draw.h"
#include "program/batch.h"
#include "team/serial.h"

namespace cohort::test {
namespace {

constexpr int vocabulary = 97, dimension = 2, steps = 3, windows = 12, batch = 4;

// The windows of a batch, by their first token, which no two of them share.
class Batches {
 public:
  Batches() : text_(make()), data_(text_.view()) {
    data_.first[0] = 1, data_.count[0] = 8;
    data_.first[2] = 9, data_.count[2] = 3;
    g_ = {.n_in = dimension, .n_hidden = 1, .n_out = vocabulary, .batch = batch, .n_steps = steps};
    spec_.seed = 5;
    spec_.task.id = TaskId::language_model;
    spec_.task.param[0] = vocabulary;
    spec_.task.param[1] = dimension;
    spec_.task.param[2] = steps;
    Arena measure(nullptr);
    Batch<float>::carve(measure, g_, batch);
    memory_.resize(measure.used() + 256);
    void* at = memory_.data();
    size_t space = memory_.size();
    Arena arena(std::align(256, measure.used(), at, space));
    b_ = Batch<float>::carve(arena, g_, batch);
  }
  std::vector<int> operator()(Split split, rng::Phase phase, uint64_t number, uint32_t first = 0, int rows = batch) {
    fill_batch(SerialTeam{}, g_, spec_, data_, split, {phase, number, first}, rows, b_);
    std::vector<int> found;
    for (int r = 0; r < rows; ++r) {
      int window = -1;
      for (int w = 0; w < windows; ++w)
        if (shows(w, r, rows)) window = w;
      found.push_back(window);
    }
    return found;
  }

 private:
  static SmallText make() { return SmallText(vocabulary, dimension, steps, windows); }
  bool shows(int window, int row, int rows) const {
    for (int t = 0; t < steps; ++t) {
      const int at = window * steps + t;
      if (b_.label[t * rows + row] != text_.token(at + 1)) return false;
      for (int i = 0; i < dimension; ++i)
        if (b_.x[(t * rows + row) * dimension + i] != text_.embedding(text_.token(at), i)) return false;
    }
    return true;
  }
  SmallText text_;
  Dataset data_;
  Signature g_;
  NetSpec spec_;
  std::vector<unsigned char> memory_;
  Batch<float> b_;
};

TEST(Windows, TrainingShowsEachOnceAnEpochInANewOrder) {
  Batches batches;
  std::set<std::vector<int>> orders;
  for (uint64_t epoch = 0; epoch < 4; ++epoch) {
    std::vector<int> order = batches(Split::train, rng::phase_train, 2 * epoch);
    const std::vector<int> rest = batches(Split::train, rng::phase_train, 2 * epoch + 1);
    order.insert(order.end(), rest.begin(), rest.end());
    EXPECT_EQ(std::set<int>(order.begin(), order.end()), (std::set<int>{1, 2, 3, 4, 5, 6, 7, 8}));
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 4u);
}
TEST(Windows, EvaluationShowsThemInTheirOrderAndAgain) {
  Batches batches;
  EXPECT_EQ(batches(Split::test, rng::phase_evaluate, 0), (std::vector<int>{9, 10, 11, 9}));
  EXPECT_EQ(batches(Split::test, rng::phase_evaluate, 0, 4, 2), (std::vector<int>{10, 11}));
}

}  // namespace
}  // namespace cohort::test

// Draws single trials of a task as the programs do: zeroed inputs, weights of 1, the task, then its noise. Numbers lie
// apart, and what lies between them must stay as it was.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "registry_task.h"

namespace cohort::test {

using Params = std::array<double, max_task_params>;

template <class Task>
Params defaults() {
  Params p{};
  int k = 0;
  for (const ParamInfo& info : Task::params) p[size_t(k++)] = info.value;
  return p;
}
// The defaults, with few words where a task reads tokens.
template <class Task>
Params small_settings() {
  Params p = defaults<Task>();
  if (Task::needs_data == DataKind::tokens) {
    p[0] = 23;
    p[1] = 4;
  }
  return p;
}

template <class Real>
struct Drawn {
  int n_in = 0, n_out = 0, n_steps = 0;
  std::vector<Real> x, target;  // [n_steps][n_in], [n_out][n_steps]
  std::vector<int> label;       // [n_steps]; -1 = the task gave none
  std::vector<uint8_t> weight;  // [n_steps]

  Real input(int t, int i) const { return x[size_t(t * n_in + i)]; }
  friend bool operator==(const Drawn&, const Drawn&) = default;
};

struct DrawKey {
  uint64_t seed = 1, step = 0;
  uint32_t index = 0;
};

// Without `noise` the trial before the program adds any.
template <class Task, class Real = double>
Drawn<Real> draw(const Params& params, const DrawKey& key, bool noise = false, const Dataset& data = {},
                 int sample = 0) {
  constexpr int gap = 3, stride = 2;
  constexpr Real between = Real(-77);
  const double* const p = params.data();
  Drawn<Real> d;
  d.n_in = Task::n_in(p);
  d.n_out = Task::n_out(p);
  d.n_steps = Task::n_steps(p);
  const size_t steps = size_t(d.n_steps), row = size_t(d.n_in + gap);
  std::vector<Real> x(steps * row, between), target(size_t(d.n_out) * steps * stride, between);
  std::vector<int32_t> label(steps * stride, -1);
  std::vector<uint8_t> weight(steps * stride, 1);
  for (int t = 0; t < d.n_steps; ++t)
    for (int i = 0; i < d.n_in; ++i) x[size_t(t) * row + size_t(i)] = 0;
  for (size_t k = 0; k < target.size(); k += stride) target[k] = 0;

  rng::Sequence random(rng::Key(key.seed, 0, rng::stream_trial, rng::phase_train, key.step), key.index);
  Trial<Real> trial(x.data(), ptrdiff_t(row), d.n_in, label.data(), target.data(), weight.data(), stride,
                    ptrdiff_t(steps) * stride);
  Task::template trial<Real>(p, data, sample, random, trial);

  for (size_t k = 1; k < steps * stride; k += stride) {
    EXPECT_EQ(label[k], -1);
    EXPECT_EQ(weight[k], 1);
  }
  for (size_t k = 1; k < target.size(); k += stride) EXPECT_EQ(target[k], between);
  rng::Sequence noises(rng::Key(key.seed, 0, rng::stream_noise, rng::phase_train, key.step), key.index);
  for (int t = 0; t < d.n_steps; ++t) {
    const Real* const from = x.data() + size_t(t) * row;
    for (int i = 0; i < gap; ++i) EXPECT_EQ(from[d.n_in + i], between);
    for (int i = 0; i < d.n_in; ++i) {
      const Real sd = Real(Task::noise_sd(p, t, i));
      d.x.push_back(from[i] + (noise && sd > 0 ? sd * noises.normal<Real>() : 0));
    }
    d.label.push_back(label[size_t(t) * stride]);
    d.weight.push_back(weight[size_t(t) * stride]);
  }
  for (size_t k = 0; k < target.size(); k += stride) d.target.push_back(target[k]);
  return d;
}

// The only step that counts for the accuracy.
template <class Task>
int decision_step(const Params& p) {
  for (int t = 0; t < Task::n_steps(p.data()); ++t)
    if (Task::decision(p.data(), t)) return t;
  return -1;
}

// A few images of 28 x 28 pixels whose values name their place; labels 0 to 9 in turn.
class SmallImages {
 public:
  explicit SmallImages(int n) : pixels_(size_t(n) * 784), labels_(size_t(n)) {
    for (size_t k = 0; k < pixels_.size(); ++k) pixels_[k] = uint8_t((k * 37 + k / 784 * 11) % 256);
    for (size_t k = 0; k < labels_.size(); ++k) labels_[k] = uint8_t(k % 10);
  }
  uint8_t pixel(int image, int k) const { return pixels_[size_t(image * 784 + k)]; }
  Dataset view() const {
    Dataset data;
    data.pixels = pixels_.data();
    data.labels = labels_.data();
    data.rows = data.cols = 28;
    data.count[0] = int32_t(labels_.size());
    return data;
  }

 private:
  std::vector<uint8_t> pixels_, labels_;
};

// Numbered words whose embeddings name their place, and a text of n windows; for one setting of a task that reads tokens.
class SmallText {
 public:
  SmallText(int vocabulary, int dimension, int steps, int n)
      : embeddings_(size_t(vocabulary) * size_t(dimension)),
        tokens_(size_t(n * steps + 1)),
        vocabulary_(vocabulary),
        dimension_(dimension),
        n_(n) {
    for (size_t k = 0; k < embeddings_.size(); ++k) embeddings_[k] = float(k) * 0.25f - 3;
    for (size_t k = 0; k < tokens_.size(); ++k) tokens_[k] = int32_t((k * k + 5 * k) % size_t(vocabulary));
  }
  float embedding(int word, int i) const { return embeddings_[size_t(word * dimension_ + i)]; }
  int token(int k) const { return tokens_[size_t(k)]; }
  Dataset view() const {
    Dataset data;
    data.tokens = tokens_.data();
    data.n_tokens = int64_t(tokens_.size());
    data.embeddings = embeddings_.data();
    data.vocabulary = vocabulary_;
    data.dimension = dimension_;
    data.count[0] = n_;
    return data;
  }

 private:
  std::vector<float> embeddings_;
  std::vector<int32_t> tokens_;
  int vocabulary_, dimension_, n_;
};

// 20 samples for a task with these parameters, of whichever kind it reads.
template <class Task>
class SmallData {
 public:
  explicit SmallData(const Params& p)
      : images_(Task::needs_data == DataKind::images ? 20 : 1),
        text_(Task::needs_data == DataKind::tokens ? Task::n_out(p.data()) : 1, Task::n_in(p.data()),
              Task::n_steps(p.data()), Task::needs_data == DataKind::tokens ? 20 : 1) {}
  Dataset view() const { return Task::needs_data == DataKind::tokens ? text_.view() : images_.view(); }

 private:
  SmallImages images_;
  SmallText text_;
};

}  // namespace cohort::test

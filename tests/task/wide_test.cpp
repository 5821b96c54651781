// The tasks of wide networks without hidden layers against their descriptions: Cornford et al. 2024 (r of k), Pogodin et al., ICLR
// 2024 (linear regression). Transforms against sums, covariances exactly and by drawing.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <numbers>

#include "draw.h"
#include "program/batch.h"
#include "team/serial.h"

namespace cohort::test {
namespace {

using Numbers = std::vector<double>;
constexpr double pi = std::numbers::pi;

// ---- the Hartley transform ------------------------------------------------------------------------------------------

template <class Real>
void transform(std::vector<Real>& x) {
  std::vector<Real> turns(x.size());
  hartley_turns(SerialTeam{}, int(x.size()), turns.data());
  hartley(SerialTeam{}, int(x.size()), turns.data(), x.data());
}

TEST(Hartley, IsTheSumThatDefinesIt) {
  for (int m = 1; m <= 512; m *= 2) {
    Numbers h(static_cast<size_t>(m)), x(h.size());
    for (int t = 0; t < m; ++t) h[size_t(t)] = std::sin(0.7 + 1.3 * t) + (t == m / 3);
    for (int t = 0; t < m; ++t) x[size_t(bit_reversed(t, m))] = h[size_t(t)];
    transform(x);
    for (int j = 0; j < m; ++j) {
      double sum = 0;
      for (int t = 0; t < m; ++t) {
        const double angle = 2 * pi * double(int64_t(j) * t % m) / m;
        sum += h[size_t(t)] * (std::cos(angle) + std::sin(angle));
      }
      EXPECT_NEAR(x[size_t(j)], sum, 1e-12 * m) << m << ' ' << j;
    }
  }
}
TEST(Hartley, InFloatIsThatInDouble) {
  constexpr int m = 1 << 16;
  std::vector<float> x(m);
  Numbers exact(m);
  for (int i = 0; i < m; ++i) exact[size_t(i)] = x[size_t(i)] = float(std::sin(0.1 * i * i));
  transform(x);
  transform(exact);
  double error = 0, size = 0;
  for (int i = 0; i < m; ++i) {
    error += std::pow(x[size_t(i)] - exact[size_t(i)], 2);
    size += exact[size_t(i)] * exact[size_t(i)];
  }
  EXPECT_LT(std::sqrt(error / size), 16 * 0x1p-23);  // one rounding a stage, at most
}

// ---- r of k ---------------------------------------------------------------------------------------------------------

// Batches of a task as programs draw them.
class Batches {
 public:
  Batches(TaskId id, const Params& params, int batch, int samples = 0) {
    spec_.seed = 12;
    spec_.task.id = id;
    spec_.task.samples = samples;
    std::copy(params.begin(), params.end(), spec_.task.param);
    const TaskInfo& task = task_info(id);
    g_ = {.n_in = task.n_in(spec_.task.param), .n_hidden = 1, .n_out = 1, .batch = batch, .n_steps = 1};
    ld_ = SerialTeam::pad<double>(g_.n_in);
    Arena measure(nullptr);
    Batch<double>::carve(measure, g_, batch, ld_);
    memory_.reset(std::aligned_alloc(256, measure.used()));
    std::fill_n(static_cast<unsigned char*>(memory_.get()), measure.used(), (unsigned char)(0x7f));
    Arena arena(memory_.get());
    batch_ = Batch<double>::carve(arena, g_, batch, ld_);
  }
  const Batch<double>& fill(Split split, const BatchKey& key) {
    fill_batch(SerialTeam{}, g_, spec_, Dataset{}, split, key, g_.batch, batch_);
    for (int r = 0; r < g_.batch; ++r)
      for (int i = g_.n_in; i < ld_; ++i) EXPECT_EQ(batch_.x[r * ld_ + i], 0);
    return batch_;
  }
  double input(int r, int i) const { return batch_.x[r * ld_ + i]; }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  Signature g_;
  NetSpec spec_;
  int ld_ = 0;
  std::unique_ptr<void, Free> memory_;
  Batch<double> batch_;
};

TEST(ROfK, CountsTheRelevantInputsAndIsNoisyInTrainingOnly) {
  const Params p = {70, 40, 20, 0.2};
  constexpr int rows = 20'000;
  Batches batches(TaskId::r_of_k, p, rows);
  double chance[41] = {};  // that so many of 40 are on
  for (int k = 0; k <= 40; ++k)
    chance[k] = std::exp(std::lgamma(41) - std::lgamma(k + 1) - std::lgamma(41 - k) - 40 * std::log(2.0));
  const BatchKey keys[] = {{rng::phase_train, 4, 0}, {rng::phase_validate, 0, 0}, {rng::phase_evaluate, 0, 0}};
  const Split splits[] = {Split::train, Split::validation, Split::test};
  Numbers first[3];
  for (int s = 0; s < 3; ++s) {
    const Batch<double>& batch = batches.fill(splits[s], keys[s]);
    Numbers on(70);
    int ones = 0, up = 0, down = 0, far = 0;
    for (int r = 0; r < rows; ++r) {
      int count = 0;
      for (int i = 0; i < 70; ++i) {
        const double x = batches.input(r, i);
        ASSERT_TRUE(x == 0 || x == 1);
        on[size_t(i)] += x;
        count += i < 40 && x == 1;
      }
      const int clean = count >= 20, target = int(batch.target[r]);
      ones += clean;
      up += target > clean;
      down += target < clean;
      far += target != clean && count != 19 && count != 20;
    }
    const auto expect_share = [&](double n, double share) {
      EXPECT_NEAR(n / rows, share, 5 * std::sqrt(share * (1 - share) / rows)) << "split " << s;
    };
    for (const double n : on) expect_share(n, 0.5);
    double yes = 0;
    for (int k = 20; k <= 40; ++k) yes += chance[k];
    expect_share(ones, yes);
    EXPECT_EQ(far, 0);
    expect_share(up, s == 0 ? 0.2 * chance[19] : 0);
    expect_share(down, s == 0 ? 0.2 * chance[20] : 0);
    for (int i = 0; i < 70; ++i)
      for (int r = 0; r < 20; ++r) first[s].push_back(batches.input(r, i));
  }
  EXPECT_NE(first[0], first[1]);  // every split has trials of its own
  EXPECT_NE(first[0], first[2]);
  EXPECT_NE(first[1], first[2]);
}
TEST(ROfK, NoiseBelongsToTheSample) {
  const Params p = {40, 30, 15, 0.5};
  Batches batches(TaskId::r_of_k, p, 64, 64);
  std::map<Numbers, double> target;
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    const Batch<double>& batch = batches.fill(Split::train, {rng::phase_train, epoch, 0});
    for (int r = 0; r < 64; ++r) {
      Numbers x;
      for (int i = 0; i < 40; ++i) x.push_back(batches.input(r, i));
      const auto [it, fresh] = target.try_emplace(x, batch.target[r]);
      EXPECT_EQ(fresh, epoch == 0);
      EXPECT_EQ(it->second, batch.target[r]);
    }
  }
}
TEST(ROfK, LogitsAreMeasuredFromTheThreshold) {
  TaskSpec task;
  task.id = TaskId::r_of_k;
  task.param[2] = 50;
  EXPECT_EQ(logit_offset(task), -50);
  task.id = TaskId::linear_regression;
  EXPECT_EQ(logit_offset(task), 0);
}

// ---- linear regression ----------------------------------------------------------------------------------------------

double covariance(int i, int j, double decay) {
  const int lag = std::abs(i - j);
  return (lag % 2 ? -1 : 1) / (1 + std::pow(lag, decay));
}
struct Embedding {
  int m;
  Numbers scratch;
  Embedding(int n, double decay) : scratch(n_task_scratch(n)) {
    const Params p = {double(n), decay};
    m = 4 * int(linear_regression::n_blocks(p.data()));
    linear_regression::prepare(SerialTeam{}, p.data(), scratch.data());
  }
  double root(int i) const { return scratch[size_t(m + i)]; }  // where the transform wants it
};

// No eigenvalue of the embedding is negative: with what round-off leaves below 0 set to 0, their mean is still c(0) = 1.
TEST(LinearRegression, EmbeddingIsNonNegativeDefinite) {
  for (const double decay : {0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 10.0})
    for (const int n : {1, 2, 3, 4, 5, 9, 33, 34, 100, 1000, 20000}) {
      const Embedding e(n, decay);
      ASSERT_GE(e.m, 2 * (n - 1));
      ASSERT_LE(size_t(2 * e.m), n_task_scratch(n));
      double trace = 0;
      for (int i = 0; i < e.m; ++i) trace += e.root(i) * e.root(i);
      EXPECT_NEAR(trace, 1, 1e-13 * e.m + 1e-12) << n << ' ' << decay;
    }
}
// Every eigenvalue by its sum.
TEST(LinearRegression, EigenvaluesAreThoseOfAConvexSequence) {
  for (const double decay : {0.1, 1.0, 2.0, 10.0}) {
    const int n = 70, m = 256;
    const Embedding e(n, decay);
    ASSERT_EQ(e.m, m);
    for (int j = 0; j < m; ++j) {
      double sum = 0;
      for (int t = 0; t < m; ++t)
        sum += std::cos(2 * pi * (j * t % m) / m) / (1 + (t ? std::pow(std::min(t, m - t), decay) : 0));
      EXPECT_GT(sum, -1e-12);
      EXPECT_NEAR(m * std::pow(e.root(bit_reversed(j, m)), 2), std::max(sum, 0.0), 1e-11) << j;
    }
  }
}
// The map applied to unit vectors, times its transpose, is C.
TEST(LinearRegression, MapHasTheCovariance) {
  for (const double decay : {1.0, 2.0})
    for (const int n : {1, 2, 3, 17, 50}) {
      const Embedding e(n, decay);
      std::vector<Numbers> columns;
      for (int k = 0; k < e.m; ++k) {
        Numbers x(size_t(e.m), 0.0);
        x[size_t(k)] = e.root(k);
        transform(x);
        for (int i = 1; i < n; i += 2) x[size_t(i)] = -x[size_t(i)];
        columns.push_back(x);
      }
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
          double sum = 0;
          for (const Numbers& c : columns) sum += c[size_t(i)] * c[size_t(j)];
          EXPECT_NEAR(sum, covariance(i, j, decay), 1e-12) << n << ' ' << i << ' ' << j;
        }
    }
}
TEST(LinearRegression, DrawnInputsHaveTheCovarianceAndTargetsAreRandomSigns) {
  constexpr int n = 7, rows = 40'000;
  for (const double decay : {1.0, 2.0}) {
    Batches batches(TaskId::linear_regression, {n, decay}, rows);
    const Batch<double>& batch = batches.fill(Split::train, {rng::phase_train, 3, 0});
    double up = 0, with_target[n] = {}, sum[n] = {}, product[n][n] = {};
    for (int r = 0; r < rows; ++r) {
      const double y = batch.target[r];
      ASSERT_TRUE(y == 1 || y == -1);
      up += y == 1;
      for (int i = 0; i < n; ++i) {
        sum[i] += batches.input(r, i) / rows;
        with_target[i] += y * batches.input(r, i) / rows;
        for (int j = 0; j < n; ++j) product[i][j] += batches.input(r, i) * batches.input(r, j) / rows;
      }
    }
    const double variance = 1 + 1.0 / 12, error = 5 / std::sqrt(double(rows));
    EXPECT_NEAR(up / rows, 0.5, 0.5 * error);
    for (int i = 0; i < n; ++i) {
      EXPECT_NEAR(sum[i], 0, error * std::sqrt(variance));
      EXPECT_NEAR(with_target[i], 0, error * std::sqrt(variance));
      for (int j = 0; j < n; ++j)  // variance of a product of normal numbers: C_ii C_jj + C_ij^2
        EXPECT_NEAR(product[i][j], covariance(i, j, decay) + (i == j) / 12.0, error * std::sqrt(2.0) * variance)
            << i << j;
    }
  }
}
// Far apart, where the embedding wraps around: the ends of a long row are as good as independent, and its neighbours are not.
TEST(LinearRegression, LongRowsDoNotWrapAround) {
  constexpr int n = 1025, rows = 4000;  // 2048 = 2 (n - 1)
  Batches batches(TaskId::linear_regression, {n, 2}, rows);
  batches.fill(Split::validation, {rng::phase_validate, 0, 0});
  double ends = 0, neighbours = 0, last = 0;
  for (int r = 0; r < rows; ++r) {
    ends += batches.input(r, 0) * batches.input(r, n - 1) / rows;
    neighbours += batches.input(r, 0) * batches.input(r, 1) / rows;
    last += batches.input(r, n - 2) * batches.input(r, n - 1) / rows;
  }
  const double error = 5 * std::sqrt(2.0) * (1 + 1.0 / 12) / std::sqrt(double(rows));
  EXPECT_NEAR(ends, covariance(0, n - 1, 2), error);
  EXPECT_NEAR(neighbours, -0.5, error);
  EXPECT_NEAR(last, -0.5, error);
}

}  // namespace
}  // namespace cohort::test

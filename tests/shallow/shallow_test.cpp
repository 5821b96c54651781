// The program of networks without hidden layers, which learn in groups, against the one that trains any network alone; and that a
// network's bits do not depend on its group.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include "cohort/kernels.h"

namespace cohort {
namespace {

struct Free {
  void operator()(void* p) const { std::free(p); }
};

// 30 images of ten classes.
class Images {
 public:
  Images() : pixels_(30 * 784), labels_(30) {
    uint32_t state = 1;
    for (uint8_t& pixel : pixels_) pixel = uint8_t((state = state * 1664525u + 1013904223u) >> 24);
    for (size_t i = 0; i < labels_.size(); ++i) labels_[i] = uint8_t(i % 10);
  }
  Dataset view() const {
    Dataset data;
    data.pixels = pixels_.data();
    data.labels = labels_.data();
    data.rows = data.cols = 28;
    const int first[] = {0, 14, 21}, count[] = {14, 7, 9};
    std::copy_n(first, 3, data.first);
    std::copy_n(count, 3, data.count);
    return data;
  }

 private:
  std::vector<uint8_t> pixels_, labels_;
};
const Images images;

TaskSpec task_of(TaskId id, std::vector<double> params, int samples = 0) {
  TaskSpec task;
  task.id = id;
  task.loss = task_info(id).loss;
  task.loss_steps = task_info(id).loss_steps;
  task.samples = samples;
  for (int i = 0; i < task_info(id).n_params; ++i) task.param[i] = task_info(id).params[i].value;
  std::copy(params.begin(), params.end(), task.param);
  return task;
}
// 77 inputs that fill vectors of no width, many and few rows.
const TaskSpec neuron = task_of(TaskId::r_of_k, {77, 20, 10, 0.1}),
               many_samples = task_of(TaskId::r_of_k, {77, 20, 10, 0.1}, 50),
               lines = task_of(TaskId::linear_regression, {37, 1}),
               fixed_lines = task_of(TaskId::linear_regression, {37, 2}, 21),
               pixels = task_of(TaskId::flat_mnist, {0.1307, 0.3081});

Signature signature_of(const TaskSpec& task, int batch, bool bias = false) {
  const TaskInfo& about = task_info(task.id);
  return {.core = CoreId::feedforward,
          .n_in = about.n_in(task.param),
          .n_layers = 0,
          .n_out = about.n_out(task.param),
          .batch = batch,
          .n_steps = 1,
          .bias = bias};
}

// Networks that differ in everything but their data. The last but one diverges in its first step, the last later.
std::vector<NetSpec> variety(const TaskSpec& task, int count, uint64_t seed = 3) {
  std::vector<NetSpec> nets(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    NetSpec& s = nets[size_t(i)];
    s.seed = seed;
    s.pairing_salt = uint32_t(i);
    s.task = task;
    s.init.readout = i % 2 ? DistributionId::normal : DistributionId::uniform_fan_in;
    for (const Role role : {Role::readout, Role::bias}) {
      RuleSpec& r = s.rule[int(role)];
      r.geometry = GeometryId(i % n_geometries);
      r.projection = ProjectionId(i / 2 % n_projections);
      r.schedule = ScheduleId(i % n_schedules);
      r.nesterov = i % 2;
      r.p = i % 2 ? 1.5 : 1.7;
      r.lr = task.loss == LossId::mse ? 0.002 : 0.02;
      r.momentum = i % 4 ? 0.9 : 0;
      r.dampening = i % 5 == 1 ? 0.2 : 0;
      r.weight_decay = i % 3 == 1 ? 0.01 : 0;
      r.clip = i % 2 ? 0.05 : 0;
      r.warmup = i % 3 == 2 ? 3 : 0;
      r.cooldown = i % 4 == 3 ? 2 : 0;
      r.decay_every = 2;
      r.decay_factor = 0.7;
    }
    s.clip_scope = ClipScope(i % 3);
    s.clip = i % 3 ? 0 : 0.2;
    s.steps = i % 5 == 4 ? 4 : 7;
    if (i % 7 == 5) {  // the rate is searched
      s.rule[int(Role::readout)].projection = ProjectionId::clamp;
      s.search = {4, 1e-3};
    }
    if (i % 7 == 6 && task.loss == LossId::cross_entropy) {  // learns alone
      for (const Role role : {Role::readout, Role::bias}) {
        s.rule[int(role)].geometry = GeometryId::euclidean;
        s.rule[int(role)].momentum = s.rule[int(role)].weight_decay = 0;
      }
      s.natural.on = 1;
    }
  }
  if (count > 2) {
    nets[size_t(count - 2)].init.readout_gain = std::numeric_limits<double>::infinity();
    NetSpec& late = nets.back();
    late.rule[int(Role::readout)] = RuleSpec{.lr = 1e30, .momentum = 0, .warmup = 1};
    late.clip = 0;
  }
  return nets;
}

template <class Real>
struct Results {
  std::vector<Real> theta, momentum, history;
  std::vector<NetState> states;
  std::vector<double> loss, accuracy;
};

// Starts, training in launches of the given steps, and an evaluation of 17 validation trials. `groups`: those that go together; none:
// every network by itself.
template <class Real>
Results<Real> run(const Program<Real>& program, const Signature& g, const std::vector<NetSpec>& nets,
                  const std::vector<std::vector<int32_t>>& groups = {}, std::vector<int> launches = {7},
                  bool masked = false) {
  const size_t n = nets.size(), params = n * n_params(g);
  Results<Real> r{std::vector<Real>(params), std::vector<Real>(params), {},
                  std::vector<NetState>(n),  std::vector<double>(n),    std::vector<double>(n)};
  std::vector<uint8_t> mask(params, 1);
  Cohort<Real> cohort{.signature = g,
                      .n_nets = int(n),
                      .nets = nets.data(),
                      .state = r.states.data(),
                      .theta = r.theta.data(),
                      .momentum = r.momentum.data(),
                      .mask = nullptr,
                      .data = images.view()};
  program.init({cohort}, {0, int(n), nullptr, 0, nullptr});
  for (size_t i = 0; i < params; ++i) mask[i] = i % 5 != 2;
  if (masked) cohort.mask = mask.data();
  const auto each = [&](const auto& args, auto workspace, auto operation) {
    for (size_t k = 0; k < (groups.empty() ? n : groups.size()); ++k) {
      const int count = groups.empty() ? 1 : int(groups[k].size());
      const size_t bytes = (workspace(args, count) + 255) / 256 * 256;
      const std::unique_ptr<void, Free> memory(std::aligned_alloc(256, bytes));
      std::memset(memory.get(), 0x7f, bytes);
      operation(args, Launch{groups.empty() ? int(k) : 0, count, memory.get(), bytes, nullptr,
                             groups.empty() ? nullptr : groups[k].data()});
    }
  };
  for (const int steps : launches) {
    std::vector<Real> loss(n * size_t(steps));
    each(TrainArgs<Real>{cohort, steps, loss.data()}, program.train_workspace, program.train);
    r.history.insert(r.history.end(), loss.begin(), loss.end());
  }
  each(EvaluateArgs<Real>{cohort, 17, Split::validation, r.loss.data(), r.accuracy.data()}, program.evaluate_workspace,
       program.evaluate);
  return r;
}

std::vector<std::vector<int32_t>> all_together(size_t n) {
  std::vector<int32_t> all(n);
  std::iota(all.begin(), all.end(), 0);
  return {all};
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}
template <class Real>
void expect_same(const Results<Real>& a, const Results<Real>& b) {
  EXPECT_TRUE(same_bits(a.theta, b.theta));
  EXPECT_TRUE(same_bits(a.momentum, b.momentum));
  EXPECT_TRUE(same_bits(a.states, b.states));
  EXPECT_TRUE(same_bits(a.loss, b.loss));
  EXPECT_TRUE(same_bits(a.accuracy, b.accuracy));
}

// Of all `n` networks but the last, whose numbers are rounding once it diverges.
template <class Numbers>
void expect_near(const Numbers& values, const Numbers& expected, size_t n, double tolerance, const char* what) {
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < expected.size() / n * (n - 1); ++i) {
    if (std::isfinite(expected[i]))
      ASSERT_NEAR(values[i], expected[i], tolerance * (1 + std::abs(double(expected[i])))) << what << " " << i;
    else
      ASSERT_FALSE(std::isfinite(values[i])) << what << " " << i;
  }
}

template <class Real>
class Shallow : public ::testing::Test {
 protected:
  // Sums of some hundred numbers of size 1, seven steps that no rule multiplies by more than a few.
  static constexpr double tolerance = sizeof(Real) == 4 ? 2e-4 : 1e-12;
  const Program<Real>& any = *cpu_program<Real>(CoreId::feedforward);

  void expect_agreement(const Signature& g, const std::vector<NetSpec>& nets, bool masked = false,
                        const char* isa = "") {
    const Program<Real>& shallow = *cpu_program<Real>(g, isa);
    ASSERT_STREQ(shallow.name, "shallow");
    ASSERT_TRUE(shallow.together);
    const Results<Real> expected = run(any, g, nets, {}, {7}, masked),
                        got = run(shallow, g, nets, all_together(nets.size()), {7}, masked);
    EXPECT_LT(expected.states.front().diverged_at, 0);
    EXPECT_GT(expected.states.front().step, 0);
    for (size_t i = 0; i < nets.size(); ++i) {
      EXPECT_EQ(got.states[i].step, expected.states[i].step) << i;
      EXPECT_EQ(got.states[i].diverged_at, expected.states[i].diverged_at) << i;
    }
    expect_near(got.theta, expected.theta, nets.size(), tolerance, "parameter");
    expect_near(got.momentum, expected.momentum, nets.size(), tolerance, "momentum");
    expect_near(got.history, expected.history, nets.size(), tolerance, "loss");
    expect_near(got.loss, expected.loss, nets.size(), tolerance, "evaluated loss");
    expect_near(got.accuracy, expected.accuracy, nets.size(), 1e-12, "accuracy");
  }
};
using Reals = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Shallow, Reals);

TYPED_TEST(Shallow, AgreesWithTheProgramForAnyNetwork) {
  for (const bool bias : {false, true}) {
    for (const TaskSpec& task : {neuron, many_samples, lines, fixed_lines}) {
      SCOPED_TRACE(std::string(task_info(task.id).name) + (bias ? " with bias" : ""));
      for (const int batch : {1, 21}) this->expect_agreement(signature_of(task, batch, bias), variety(task, 12));
    }
    this->expect_agreement(signature_of(pixels, 8, bias), variety(pixels, 14));
  }
}
TYPED_TEST(Shallow, OnEveryInstructionSet) {
  for (const char* const isa : {"x86-64-v2", "x86-64-v3", "x86-64-v4"}) {
    const Signature neurons = signature_of(neuron, 21, true), regression = signature_of(fixed_lines, 21);
    if (!cpu_program<TypeParam>(neurons, isa)) continue;  // not of this machine
    SCOPED_TRACE(isa);
    this->expect_agreement(neurons, variety(neuron, 12), false, isa);
    this->expect_agreement(regression, variety(fixed_lines, 3), false, isa);
  }
}
TYPED_TEST(Shallow, LastNetworksDivergeAndTheOthersDoNotNotice) {
  const Signature g = signature_of(fixed_lines, 21);
  const std::vector<NetSpec> nets = variety(fixed_lines, 12);
  const Results<TypeParam> r = run(*cpu_program<TypeParam>(g), g, nets, all_together(12));
  EXPECT_EQ(r.states[10].diverged_at, 0);
  EXPECT_GT(r.states[11].diverged_at, 0);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(r.states[i].step, nets[i].steps);
}
TYPED_TEST(Shallow, MasksLossesAndCountedStepsAreThoseOfTheGeneralProgram) {
  this->expect_agreement(signature_of(neuron, 10, true), variety(neuron, 9), true);
  for (const LossId loss : {LossId::mse, LossId::bce, LossId::cross_entropy}) {
    TaskSpec task = pixels;
    task.loss = loss;
    task.loss_steps = LossSteps::masked;
    if (loss == LossId::cross_entropy) task.label_smoothing = 0.1;
    this->expect_agreement(signature_of(task, 9, true), variety(task, 6));
  }
}
// More rows than are drawn at once, and more inputs than meet at once.
TYPED_TEST(Shallow, ManyRowsAndInputs) {
  this->expect_agreement(signature_of(neuron, 300), variety(neuron, 3));
  const TaskSpec wide = task_of(TaskId::r_of_k, {2100, 100, 50, 0.05});
  this->expect_agreement(signature_of(wide, 70), variety(wide, 5));
  const TaskSpec wide_lines = task_of(TaskId::linear_regression, {1100, 2}, 33);
  this->expect_agreement(signature_of(wide_lines, 33), variety(wide_lines, 5));
}

TYPED_TEST(Shallow, BitsDoNotDependOnCompanyOrLaunches) {
  using Real = TypeParam;
  for (const TaskSpec& task : {many_samples, fixed_lines, pixels}) {
    const Signature g = signature_of(task, 21, true);
    const std::vector<NetSpec> nets = variety(task, 13);
    const Program<Real>& program = *cpu_program<Real>(g);
    const Results<Real> together = run(program, g, nets, all_together(13));
    expect_same(together, run(program, g, nets));
    expect_same(together, run(program, g, nets, {{12, 3, 0}, {1, 2, 4, 5, 6}, {11, 10, 9, 8, 7}}));
    expect_same(together, run(program, g, nets, all_together(13), {1, 2, 4}));
  }
}

TEST(ShallowChoice, IsForDenseNetworksWithoutHiddenLayersOfOneStep) {
  const Signature g = signature_of(neuron, 4);
  EXPECT_STREQ(cpu_program<float>(g)->name, "shallow");
  for (const auto change : {+[](Signature& s) { s.n_layers = s.n_hidden = 1; }, +[](Signature& s) { s.n_steps = 2; },
                            +[](Signature& s) { s.cell = CellId::column_ei; }}) {
    Signature other = g;
    change(other);
    EXPECT_EQ(cpu_program<float>(other), cpu_program<float>(CoreId::feedforward));
  }
}

// The step of plain gradient descent at rate 1 is the gradient of the loss that the history holds.
TEST(ShallowGradient, IsTheSlopeOfTheLoss) {
  for (const TaskSpec& task : {neuron, fixed_lines, pixels}) {
    const Signature g = signature_of(task, 13, true);
    NetSpec spec;
    spec.task = task;
    spec.init.readout = DistributionId::uniform_fan_in;
    for (RuleSpec& rule : spec.rule) rule = RuleSpec{.lr = 1, .momentum = 0};
    const Program<double>& program = *cpu_program<double>(g);
    std::vector<double> theta(n_params(g)), momentum(theta.size());
    NetState state;
    const Cohort<double> cohort{.signature = g,
                                .n_nets = 1,
                                .nets = &spec,
                                .state = &state,
                                .theta = theta.data(),
                                .momentum = momentum.data(),
                                .mask = nullptr,
                                .data = images.view()};
    program.init({cohort}, {0, 1, nullptr, 0, nullptr});
    const std::vector<double> start = theta;
    double loss = 0;
    const TrainArgs<double> args{cohort, 1, &loss};
    const size_t bytes = program.train_workspace(args, 1);
    const std::unique_ptr<void, Free> memory(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
    const auto loss_at = [&](size_t i, double by) {
      theta = start;
      theta[i] += by;
      state = {};
      program.train(args, {0, 1, memory.get(), bytes, nullptr});
      return loss;
    };
    loss_at(0, 0);
    std::vector<double> gradient(theta.size());
    for (size_t i = 0; i < theta.size(); ++i) gradient[i] = start[i] - theta[i];
    constexpr double h = 1e-4;
    for (size_t i = 0; i < theta.size(); i += task.id == TaskId::flat_mnist ? 131 : 1) {
      const double slope = (8 * (loss_at(i, h) - loss_at(i, -h)) - (loss_at(i, 2 * h) - loss_at(i, -2 * h))) / (12 * h);
      EXPECT_NEAR(gradient[i], slope, 1e-9) << task_info(task.id).name << " parameter " << i;
    }
  }
}

}  // namespace
}  // namespace cohort

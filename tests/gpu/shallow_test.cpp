// The CUDA program of networks without hidden layers, which learn in groups, against the CPU's program for any feedforward network;
// and that a network's bits do not depend on its group.
#include <algorithm>
#include <string>
#include <vector>

#include "gpu/course.h"

namespace cohort::testing {
namespace {

TaskSpec neuron_task(int samples) {
  TaskSpec task = task_of(TaskId::r_of_k);
  const double params[] = {77, 20, 10, 0.1};
  std::copy_n(params, 4, task.param);
  task.samples = samples;
  return task;
}
TaskSpec lines_task(int inputs, int samples) {
  TaskSpec task = task_of(TaskId::linear_regression);
  task.param[0] = inputs;
  task.samples = samples;
  return task;
}

Signature shallow_signature(const TaskSpec& task, int batch, bool bias) {
  Signature g = signature_of(task, 0, 0, batch, bias);
  g.core = CoreId::feedforward;
  return g;
}

// Networks of three seeds; the last diverges in its first step.
std::vector<NetSpec> shallow_variety(const Signature& g, const TaskSpec& task, int count) {
  std::vector<NetSpec> nets = variety(g, task, count);
  for (size_t i = 0; i < nets.size(); ++i) {
    NetSpec& s = nets[i];
    s.seed = 1000 + 3 * i / nets.size();
    s.task = task;
    s.parameterisation = ParameterisationId::dense;
    s.alpha = 1;
    s.noise = 0;
    s.init.readout = i % 2 ? DistributionId::normal : DistributionId::uniform_fan_in;
    for (RuleSpec& r : s.rule) {
      r.p = std::min(r.p, 1.7);
      if (task.loss == LossId::mse) r.lr /= 10;
      if (r.projection == ProjectionId::clamp && !s.search.candidates) r.projection = ProjectionId::none;
    }
    if (task.loss != LossId::cross_entropy || i % 4 != 2) continue;
    s.natural.on = 1;  // learns alone
    s.search = {};
    for (RuleSpec& r : s.rule) r = RuleSpec{.lr = r.lr, .momentum = 0};
  }
  nets.back().init.readout_gain = std::numeric_limits<double>::infinity();
  return nets;
}

template <class Real>
class Shallow : public ::testing::Test {
 protected:
  const Program<Real>& cpu = *cpu_program<Real>(CoreId::feedforward);
  const Program<Real>& cuda = *cuda_program<Real>(CoreId::feedforward, "shallow");
  static constexpr bool in_double = sizeof(Real) == 8;
};
using Reals = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Shallow, Reals);

TYPED_TEST(Shallow, AgreesWithTheProgramOfTheProcessor) {
  COHORT_NEEDS_DEVICE(this->in_double);
  for (const bool bias : {false, true})
    for (const TaskSpec& task :
         {neuron_task(0), neuron_task(40), lines_task(21, 0), lines_task(18, 7), task_of(TaskId::flat_mnist)})
      for (const int batch : {1, 7}) {
        SCOPED_TRACE(std::string(task_info(task.id).name) + ", batch " + std::to_string(batch));
        const Signature g = shallow_signature(task, batch, bias);
        const std::vector<NetSpec> nets = shallow_variety(g, task, 9);
        const Results expected = Course<TypeParam>(this->cpu, Where::host, g, nets, training_plan())();
        EXPECT_LT(expected.at("second diverged_at").front(), 0);
        EXPECT_EQ(expected.at("second diverged_at").back(), 0);
        expect_near(expected, Course<TypeParam>(this->cuda, Where::device, g, nets, training_plan())(), nets.size(),
                    tolerance<TypeParam>);
      }
}
// More rows than a block draws at a time, more networks than it takes at a time, and more inputs than it has lanes.
TYPED_TEST(Shallow, ManyRowsNetworksAndInputs) {
  COHORT_NEEDS_DEVICE(this->in_double);
  TaskSpec task = neuron_task(0);
  task.param[0] = emulated ? 301 : 1501;
  const Signature g = shallow_signature(task, 150, true);
  const std::vector<NetSpec> nets = shallow_variety(g, task, 33);
  Plan plan = training_plan();
  plan.train = plan.train_again = 2;
  expect_near(Course<TypeParam>(this->cpu, Where::host, g, nets, plan)(),
              Course<TypeParam>(this->cuda, Where::device, g, nets, plan)(), nets.size(), tolerance<TypeParam>);
}

TYPED_TEST(Shallow, BitsDoNotDependOnCompanyWorkspacesOrLaunches) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  for (const TaskSpec& task : {neuron_task(40), lines_task(18, 7)}) {
    const Signature g = shallow_signature(task, 7, true);
    const std::vector<NetSpec> nets = shallow_variety(g, task, 9);
    const Plan plan = training_plan();
    const Results all = Course<Real>(this->cuda, Where::device, g, nets, plan)();
    for (const size_t i : {size_t(0), size_t(4), size_t(7)})
      expect_same(part(all, i, nets.size()), Course<Real>(this->cuda, Where::device, g, {nets[i]}, plan)());
    Plan other = plan;
    for (const int n : {1, 2}) {
      other.n_workspaces = n;
      expect_same(all, Course<Real>(this->cuda, Where::device, g, nets, other)());
    }
    other = plan;
    other.split = 4;
    expect_same(all, Course<Real>(this->cuda, Where::device, g, nets, other)());
  }
}
// Networks of equal data far apart, brought together by the launch's list.
TYPED_TEST(Shallow, BitsDoNotDependOnTheOrder) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  const TaskSpec task = neuron_task(40);
  const Signature g = shallow_signature(task, 7, false);
  std::vector<NetSpec> nets = shallow_variety(g, task, 9);
  for (size_t i = 0; i < nets.size(); ++i) nets[i].seed = 5 + i % 3;
  const auto trained = [&](std::vector<int32_t> order) {
    const size_t n = nets.size(), size = n * n_params(g);
    Buffer<NetSpec> specs(Where::device, nets);
    Buffer<NetState> states(Where::device, n);
    Buffer<Real> theta(Where::device, size), momentum(Where::device, size), second_moment(Where::device, size),
        loss(Where::device, n * 3);
    Buffer<int32_t> list(Where::device, order);
    Cohort<Real> cohort;
    cohort.signature = g;
    cohort.n_nets = int32_t(n);
    cohort.nets = specs.data();
    cohort.state = states.data();
    cohort.theta = theta.data();
    cohort.momentum = momentum.data();
    cohort.second_moment = second_moment.data();
    this->cuda.init({cohort}, {0, int32_t(n), nullptr, 0, nullptr});
    const TrainArgs<Real> args{cohort, 3, loss.data()};
    const Scratch scratch(Where::device, this->cuda.train_workspace(args, int32_t(n)));
    this->cuda.train(args,
                     {0, int32_t(n), scratch.data(), scratch.bytes(), nullptr, order.empty() ? nullptr : list.data()});
    gpu::check(cudaDeviceSynchronize(), "training");
    std::vector<Real> result = theta.values();
    const std::vector<Real> history = loss.values();
    result.insert(result.end(), history.begin(), history.end());
    return std::pair(result, states.values().front().step);
  };
  const auto [reference, steps] = trained({});
  EXPECT_EQ(steps, 3);
  for (const auto& order :
       {std::vector<int32_t>{0, 3, 6, 1, 4, 7, 2, 5, 8}, std::vector<int32_t>{8, 5, 2, 0, 1, 3, 4, 6, 7}}) {
    const auto [got, same_steps] = trained(order);
    ASSERT_EQ(got.size(), reference.size());
    EXPECT_EQ(std::memcmp(got.data(), reference.data(), got.size() * sizeof(Real)), 0);
  }
}

TYPED_TEST(Shallow, TakesDenseNetworksWithoutHiddenLayersOfOneStep) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  const Signature g = shallow_signature(neuron_task(0), 4, true);
  EXPECT_EQ(choose_cuda_program<Real>(g).program, &this->cuda);
  EXPECT_EQ(choose_cuda_program<Real>(g).refused, "");
  const auto refused = [&](auto change, const char* why) {
    Signature other = g;
    change(other);
    const Choice<Real> choice = choose_cuda_program<Real>(other);
    EXPECT_STREQ(choice.program->name, "generic");
    EXPECT_EQ(choice.refused, std::string("shallow: ") + why);
    Cohort<Real> cohort;
    cohort.signature = other;
    EXPECT_THROW(this->cuda.train_workspace({cohort, 1, nullptr}, 1), Error);
  };
  refused([](Signature& s) { s.n_layers = s.n_hidden = 1; }, "hidden layers");
  refused([](Signature& s) { s.n_steps = 2; }, "more than one step");
  refused([](Signature& s) { s.bias = 2; }, "biases of several parts");
  refused([](Signature& s) { s.cell = CellId::layer_norm; }, "cells that are not dense");
}

}  // namespace
}  // namespace cohort::testing

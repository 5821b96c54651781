// The CUDA programs against the CPU's, which other tests compare with finite differences, closed forms and other
// people's code: every operation, on cohorts of networks that use every registered word, in double and in float.
#include <string>
#include <utility>

#include "gpu/course.h"

namespace cohort::testing {
namespace {

template <class Real>
class Conformance : public ::testing::Test {
 protected:
  const Program<Real>& cpu = *cpu_program<Real>(CoreId::recurrent);
  const Program<Real>& cuda = *cuda_program<Real>(CoreId::recurrent);
  static constexpr bool in_double = sizeof(Real) == 8;

  void expect_agreement(const Signature& g, const std::vector<NetSpec>& nets, const Plan& plan = {}) {
    const Results expected = Course<Real>(cpu, Where::host, g, nets, plan)();
    const Results got = Course<Real>(cuda, Where::device, g, nets, plan)();
    expect_near(expected, got, nets.size(), tolerance<Real>);
  }
  static TaskSpec perceptual_decision() {
    TaskSpec task = task_of(TaskId::perceptual_decision);
    task.param[0] = 4;
    return task;
  }
};
using Reals = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Conformance, Reals);

// 20 networks: with strides 4, 5, 3 and 4 every word of every list comes up, in many combinations.
TYPED_TEST(Conformance, OneLayer) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = this->perceptual_decision();
  const Signature g = signature_of(task, 9, 1, 5, true);
  this->expect_agreement(g, variety(g, task, 20));
}
TYPED_TEST(Conformance, TwoLayers) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = this->perceptual_decision();
  const Signature g = signature_of(task, 6, 2, 4, true);
  this->expect_agreement(g, variety(g, task, 8));
}
TYPED_TEST(Conformance, Dann) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = this->perceptual_decision();
  for (const int layers : {1, 2}) {
    const Signature g = signature_of(task, 7, layers, 4, layers == 1, 2);
    this->expect_agreement(g, variety(g, task, layers == 1 ? 6 : 3));
  }
}
TYPED_TEST(Conformance, DenseLayersAfterRecurrentOnes) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = this->perceptual_decision();
  for (const int n_inhibitory : {0, 2}) {
    Signature g = signature_of(task, 6, 3, 4, n_inhibitory == 0, n_inhibitory);
    g.n_dense = 2;
    Plan plan;
    plan.tangent_trials = 2;
    this->expect_agreement(g, variety(g, task, n_inhibitory ? 2 : 4), plan);
  }
}
TYPED_TEST(Conformance, FixedTrainingSets) {
  COHORT_NEEDS_DEVICE(this->in_double);
  TaskSpec task = this->perceptual_decision();
  task.samples = 11;  // less than three batches: epochs end within one
  const Signature g = signature_of(task, 6, 1, 5, true);
  this->expect_agreement(g, variety(g, task, 3));
}
TYPED_TEST(Conformance, OneUnitOneRowOneStep) {
  COHORT_NEEDS_DEVICE(this->in_double);
  TaskSpec task = task_of(TaskId::perceptual_decision);
  task.param[0] = 1;
  const Signature g = signature_of(task, 1, 1, 1, false);
  std::vector<NetSpec> nets = variety(g, task, 4);
  for (NetSpec& s : nets) s.n_excitatory = 1;
  this->expect_agreement(g, nets);
}
TYPED_TEST(Conformance, WithoutMask) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = this->perceptual_decision();
  const Signature g = signature_of(task, 20, 1, 8, false);
  std::vector<NetSpec> nets = variety(g, task, 3);
  for (NetSpec& s : nets) s.init.density = 1;
  Plan plan;
  plan.mask = false;
  plan.tangent_trials = 2;
  this->expect_agreement(g, nets, plan);
}

// Gradients that do not fit into one chunk of rows (CtaTeam::gradient_rows).
TYPED_TEST(Conformance, ManyRows) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = this->perceptual_decision();
  const Signature g = signature_of(task, 5, 1, 90, true);
  Plan plan;
  plan.tangent = false;
  this->expect_agreement(g, variety(g, task, 2), plan);
}

// Kernels of several strips of tiles, the last of them not full.
TYPED_TEST(Conformance, ManyRowsOfTangentKernels) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = this->perceptual_decision();
  const Signature g = signature_of(task, 5, 1, 4, false);
  Plan plan;
  plan.tangent_trials = 10;
  this->expect_agreement(g, variety(g, task, 4), plan);
}
// The last strip is full, but the rows of a trial do not fill the products that make them.
TYPED_TEST(Conformance, FullStripsOfTangentKernels) {
  COHORT_NEEDS_DEVICE(this->in_double);
  TaskSpec task = task_of(TaskId::perceptual_decision);
  task.param[0] = 1;
  const Signature g = signature_of(task, 3, 1, 4, false);
  std::vector<NetSpec> nets = variety(g, task, 2);
  for (NetSpec& s : nets) s.task.loss_steps = LossSteps::last;
  Plan plan;
  plan.tangent_trials = 64;
  plan.train = plan.train_again = 1;
  this->expect_agreement(g, {nets[0]}, plan);
}
// Gram matrices of several strips, of trials and of units.
TYPED_TEST(Conformance, ManyTrialsOrUnits) {
  COHORT_NEEDS_DEVICE(this->in_double);
  TaskSpec task = task_of(TaskId::perceptual_decision);
  task.param[0] = 1;
  Plan plan;
  plan.tangent = false;
  plan.train = plan.train_again = 1;
  for (const auto& [n_hidden, trials] : {std::pair{36, 70}, {66, 135}}) {
    const Signature g = signature_of(task, n_hidden, 1, 5, false);
    plan.trials = trials;
    this->expect_agreement(g, variety(g, task, 2), plan);
  }
}

TYPED_TEST(Conformance, EveryTask) {
  COHORT_NEEDS_DEVICE(this->in_double);
  for (int id = 0; id < n_tasks; ++id) {
    TaskSpec task = task_of(TaskId(id));
    SCOPED_TRACE(task_info(task.id).name);
    const bool image = task_info(task.id).needs_data == DataKind::images;
    Signature g = signature_of(task, 6, 1, 3, true);
    if (image && emulated && g.n_steps > 100) continue;  // 784 steps, otherwise as the task of 28
    const std::vector<NetSpec> nets = variety(g, task, 3);
    Plan plan;
    plan.tangent = !image;
    plan.tangent_trials = 2;
    this->expect_agreement(g, nets, plan);
  }
}

TYPED_TEST(Conformance, ANetworkAloneIsBitIdenticalToItselfAmongOthers) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = this->perceptual_decision();
  const Signature g = signature_of(task, 7, 1, 4, true);
  const std::vector<NetSpec> nets = variety(g, task, 8);
  const Results all = Course<TypeParam>(this->cuda, Where::device, g, nets, {})();
  for (const size_t i : {size_t(0), size_t(2), nets.size() - 2}) {
    SCOPED_TRACE(i);
    expect_same(part(all, i, nets.size()), Course<TypeParam>(this->cuda, Where::device, g, {nets[i]}, {})());
  }
}
TYPED_TEST(Conformance, ResultsDoNotDependOnTheNumberOfWorkspaces) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = this->perceptual_decision();
  const Signature g = signature_of(task, 6, 1, 3, true);
  const std::vector<NetSpec> nets = variety(g, task, 5);
  Plan plan;
  plan.tangent_trials = 2;
  const Results all = Course<TypeParam>(this->cuda, Where::device, g, nets, plan)();
  for (const int n : {1, 3}) {
    SCOPED_TRACE(n);
    plan.n_workspaces = n;
    expect_same(all, Course<TypeParam>(this->cuda, Where::device, g, nets, plan)());
  }
}

TYPED_TEST(Conformance, ResultsDoNotDependOnTheLaunch) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = this->perceptual_decision();
  const Signature g = signature_of(task, 6, 1, 3, true);
  const std::vector<NetSpec> nets = variety(g, task, 5);
  Plan plan;
  plan.tangent_trials = 2;
  const Results all = Course<TypeParam>(this->cuda, Where::device, g, nets, plan)();
  plan.split = 2;
  expect_same(all, Course<TypeParam>(this->cuda, Where::device, g, nets, plan)());
}

// ---- mistakes of the caller
TYPED_TEST(Conformance, MistakesAreNamed) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  const TaskSpec task = this->perceptual_decision();
  const Signature g = signature_of(task, 6, 1, 3, true);
  Buffer<NetSpec> nets(Where::device, variety(g, task, 2));
  Buffer<NetState> state(Where::device, 2);
  Buffer<Real> theta(Where::device, 2 * n_params(g)), momentum(Where::device, 2 * n_params(g)), loss(Where::device, 2);
  const Cohort<Real> cohort{.signature = g,
                            .n_nets = 2,
                            .nets = nets.data(),
                            .state = state.data(),
                            .theta = theta.data(),
                            .momentum = momentum.data(),
                            .mask = nullptr,
                            .data = {}};
  const TrainArgs<Real> good{cohort, 1, loss.data()};
  const size_t bytes = this->cuda.train_workspace(good, 1);
  const Scratch scratch(Where::device, bytes);
  const Launch launch{0, 2, scratch.data(), bytes, nullptr};
  const auto message = [&](const TrainArgs<Real>& args, const Launch& l) -> std::string {
    try {
      this->cuda.train(args, l);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  };
  this->cuda.init(InitArgs<Real>{cohort}, {0, 2, nullptr, 0, nullptr});
  EXPECT_EQ(message(good, launch), "no error");
  gpu::check(cudaDeviceSynchronize(), "training");
  const auto expect = [&](auto change, const char* words) {
    TrainArgs<Real> args = good;
    Launch l = launch;
    change(args, l);
    EXPECT_NE(message(args, l).find(words), std::string::npos) << message(args, l);
  };
  expect([](auto&, Launch& l) { l.count = 3; }, "first + count is 3; allowed: up to n_nets = 2");
  expect([](auto&, Launch& l) { l.first = -1; }, "first is -1");
  expect([](auto&, Launch& l) { l.workspace = nullptr; }, "workspace is null");
  expect([](auto&, Launch& l) { l.workspace = static_cast<char*>(l.workspace) + 64; }, "not 256-byte aligned");
  expect([](auto&, Launch& l) { l.workspace_bytes -= 1; }, "workspace_bytes is");
  expect([](auto& a, Launch&) { a.loss = nullptr; }, "loss is null");
  expect([](auto& a, Launch&) { a.cohort.theta = nullptr; }, "theta is null");
  expect([](auto& a, Launch&) { a.cohort.momentum = nullptr; }, "momentum is null");
  expect([](auto& a, Launch&) { a.steps = -1; }, "steps is -1");
  expect([](auto& a, Launch&) { a.cohort.signature.n_layers = 9; }, "n_layers is 9; allowed: 1 to 8");
  expect([](auto& a, Launch&) { a.cohort.signature.n_dense = 1; }, "n_dense is 1; allowed: 0 to 0");
  expect([](auto& a, Launch&) { a.cohort.signature.batch = 0; }, "batch is 0");
  expect([](auto& a, Launch&) { a.cohort.signature.batch = 1 << 30; }, "beyond 2^31");
  expect(
      [](auto& a, Launch& l) {
        a.cohort.nets = nullptr;
        l.count = 0;
      },
      "no error");
  EXPECT_THROW(this->cuda.effective_workspace(EffectiveArgs<Real>{cohort, 2, loss.data()}, 1), Error);  // a bias
  EXPECT_THROW(this->cuda.tangent_workspace(TangentArgs<Real>{cohort, theta.data(), 1, 99, nullptr}, 1), Error);
  EXPECT_THROW(this->cuda.alignment_workspace(AlignmentArgs<Real>{cohort, 1, 1, nullptr, nullptr, nullptr, nullptr}, 1),
               Error);
  EXPECT_THROW(this->cuda.evaluate_workspace(EvaluateArgs<Real>{cohort, 0, Split::test, nullptr, nullptr}, 1), Error);
}

}  // namespace
}  // namespace cohort::testing

// The CUDA program of feedforward networks against the CPU's, which other tests compare with finite differences and closed
// forms: every operation, every cell, in double and in float.
#include <optional>
#include <string>
#include <vector>

#include "gpu/course.h"

namespace cohort::testing {
namespace {

// Every step has inputs, the one of the decision too, at which hidden states are compared.
TaskSpec adding_task(int steps) {
  TaskSpec task = task_of(TaskId::adding);
  task.param[0] = steps;
  return task;
}

// Hidden layers of these widths; 0 stands for the widest.
Signature feedforward_signature(const TaskSpec& task, CellId cell, int widest, std::vector<int> widths, int batch,
                                bool bias) {
  Signature g = signature_of(task, widest, int(widths.size()), batch, bias, has_inhibition(cell) ? 2 : 0);
  g.core = CoreId::feedforward;
  g.cell = cell;
  g.n_inhibitory_readout = has_inhibition(cell) ? 1 : 0;
  std::copy(widths.begin(), widths.end(), g.widths);
  return g;
}

// The rules and activations of `variety`, but in steps that rounding does not multiply: all are clipped, and p of p_norm is
// below 2, beyond which a gradient of 0 but for rounding, as those of norms are, moves a weight by its root. The last network
// diverges in its first step.
std::vector<NetSpec> feedforward_variety(const Signature& g, const TaskSpec& task, int count) {
  std::vector<NetSpec> nets = variety(g, task, count);
  for (size_t i = 0; i < nets.size(); ++i) {
    NetSpec& s = nets[i];
    s.parameterisation = parameterisation_of(g.cell);
    s.norm = NormForm(i % 2);
    s.n_excitatory = g.n_hidden - g.n_hidden / 4;
    s.alpha = 1;
    s.noise = 0;
    s.init.iid_inhibition = 1;  // the mean over one row is the row, and what it leaves is rounding
    const bool magnitudes = s.parameterisation != ParameterisationId::dense;
    if (has_inhibition(g.cell)) {
      s.init.input = s.init.readout = DistributionId::dann;
    } else if (g.cell == CellId::column_ei) {
      s.init.input = s.init.readout = DistributionId::column_ei_balanced;
    } else {
      s.init.input = s.init.readout = i % 2 ? DistributionId::normal : DistributionId::uniform_fan_in;
    }
    for (const Role role : {Role::input, Role::readout, Role::gain})
      s.rule[int(role)].projection = magnitudes           ? ProjectionId::clamp
                                     : role == Role::gain ? ProjectionId::none
                                                          : s.rule[int(role)].projection;
    for (RuleSpec& r : s.rule) {
      r.p = 1.7;
      r.clip = 0.05;
      r.lr /= 4;
    }
    s.clip_scope = i % 2 ? ClipScope::tensor : ClipScope::global;
    s.clip = 0.1;
    if (is_norm(g.cell)) {  // where all inputs or all weights of a unit may be 0, its deviation is rounding
      if (s.activation == ActivationId::relu) s.activation = ActivationId::softplus;
      for (RuleSpec& r : s.rule) r.projection = ProjectionId::none;
    }
    for (const Role role : {Role::bias, Role::alpha}) {  // of any sign
      s.rule[int(role)].geometry = GeometryId::euclidean;
      s.rule[int(role)].projection = ProjectionId::none;
    }
  }
  nets.back().init.readout_gain = std::numeric_limits<double>::infinity();
  return nets;
}

// Of nothing but a signature, to ask what a program needs.
template <class Real>
Cohort<Real> cohort_of(const Signature& g) {
  Cohort<Real> cohort;
  cohort.signature = g;
  cohort.n_nets = 1;
  return cohort;
}

template <class Real>
class Feedforward : public ::testing::Test {
 protected:
  const Program<Real>& cpu = *cpu_program<Real>(CoreId::feedforward);
  const Program<Real>& cuda = *cuda_program<Real>(CoreId::feedforward);
  static constexpr bool in_double = sizeof(Real) == 8;

  void expect_agreement(const Signature& g, const std::vector<NetSpec>& nets, const Plan& plan = {}) {
    SCOPED_TRACE(info(g.cell).name);
    Results expected = Course<Real>(cpu, Where::host, g, nets, plan)();
    Results got = Course<Real>(cuda, Where::device, g, nets, plan)();
    const std::vector<double>& diverged_at = expected.at("second diverged_at");
    EXPECT_LT(diverged_at.front(), 0);  // a network that learns
    EXPECT_EQ(diverged_at.back(), 0);
    // Means are some ten times the deviations that norms divide by, excitation so many times what inhibition divides by.
    const double relative = (is_norm(g.cell) || g.cell == CellId::dann ? 16 : 1) * tolerance<Real>;
    // Hidden states that hardly differ between trials leave differences that are rounding of what they are taken from.
    for (int l = 0; l < g.n_layers; ++l) {
      const std::string grams = "grams of layer " + std::to_string(l) + " ", name = grams + "centred";
      SCOPED_TRACE(name);
      for (size_t i = 0; i < expected.at(name).size(); ++i) {
        const double sum = expected.at(name)[i], whole = expected.at(grams + "uncentred")[i];
        if (!std::isfinite(sum))
          EXPECT_FALSE(std::isfinite(got.at(name)[i]));
        else
          EXPECT_NEAR(sum, got.at(name)[i], relative * std::max(std::abs(sum), std::sqrt(std::abs(sum * whole))));
      }
      expected.erase(name);
      got.erase(name);
    }
    expect_near(expected, got, nets.size(), relative);
  }
  static std::vector<CellId> cells() {
    std::vector<CellId> all;
    for (int cell = 0; cell < n_cells; ++cell) all.push_back(CellId(cell));
    return all;
  }
};
using Reals = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Feedforward, Reals);

TYPED_TEST(Feedforward, EveryCell) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = adding_task(3);
  for (const CellId cell : this->cells())
    for (const bool bias : {false, true}) {
      Signature g = feedforward_signature(task, cell, 9, {0, 6}, 5, bias);
      this->expect_agreement(g, feedforward_variety(g, task, 7));
    }
}
TYPED_TEST(Feedforward, NormalisedReadouts) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = adding_task(3);
  for (const CellId cell : {CellId::layer_norm, CellId::batch_norm})
    for (const int n_layers : {0, 1}) {
      Signature g = feedforward_signature(task, cell, 7, std::vector<int>(size_t(n_layers), 0), 6, true);
      g.normalised_readout = 1;
      this->expect_agreement(g, feedforward_variety(g, task, 5));
    }
}
TYPED_TEST(Feedforward, NoHiddenLayer) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = adding_task(4);
  for (const CellId cell : this->cells()) {
    Signature g = feedforward_signature(task, cell, 0, {}, 4, true);
    std::vector<NetSpec> nets = feedforward_variety(g, task, 4);
    this->expect_agreement(g, nets);
  }
}
TYPED_TEST(Feedforward, DeepAndOfManyWidths) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = adding_task(2);
  Plan plan;
  plan.tangent_trials = 2;
  for (const CellId cell : this->cells()) {
    plan.tangent = cell != CellId::dann;  // five divisions leave gradients that are rounding
    Signature g = feedforward_signature(task, cell, 13, {5, 0, 4, 8, 3}, 6, true);
    this->expect_agreement(g, feedforward_variety(g, task, 3), plan);
  }
}
// One position, with which norms of the published form divide by 0: such networks count as diverged.
TYPED_TEST(Feedforward, OneUnitOneRowOneStep) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = adding_task(2);
  for (const CellId cell : this->cells()) {
    Signature g = feedforward_signature(task, cell, 1, {0}, 1, true);
    std::vector<NetSpec> nets = feedforward_variety(g, task, 4);
    for (NetSpec& s : nets) {
      s.task.loss_steps = LossSteps::last;
      s.n_excitatory = 1;
    }
    Plan plan;
    plan.tangent = cell != CellId::dann;  // division cancels the only input, and what is left of gradients is rounding
    this->expect_agreement(g, nets, plan);
    if (!is_norm(cell)) continue;
    const Results results = Course<TypeParam>(this->cuda, Where::device, g, nets, Plan{})();
    EXPECT_EQ(results.at("first diverged_at")[1], 0) << info(cell).name;  // published
  }
}
// Wider than a block of the emulator has lanes, and more positions than it has.
TYPED_TEST(Feedforward, WideLayersAndManyRows) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = adding_task(3);
  Plan plan;
  plan.tangent = false;
  for (const CellId cell : this->cells()) {
    Signature g = feedforward_signature(task, cell, 70, {0}, 30, true);
    this->expect_agreement(g, feedforward_variety(g, task, 2), plan);
  }
}
TYPED_TEST(Feedforward, Images) {
  COHORT_NEEDS_DEVICE(this->in_double);
  const TaskSpec task = task_of(TaskId::row_mnist);
  Plan plan;
  plan.tangent = false;
  for (const CellId cell : {CellId::dense, CellId::batch_norm, CellId::dann}) {
    Signature g = feedforward_signature(task, cell, 6, {0}, 3, true);
    this->expect_agreement(g, feedforward_variety(g, task, 3), plan);
  }
}

TYPED_TEST(Feedforward, BitsDoNotDependOnCompanyWorkspacesOrLaunches) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  const TaskSpec task = adding_task(3);
  Plan plan;
  plan.tangent_trials = 2;
  for (const CellId cell : {CellId::dann, CellId::batch_norm}) {
    const Signature g = feedforward_signature(task, cell, 6, {0, 4}, 3, true);
    const std::vector<NetSpec> nets = feedforward_variety(g, task, 5);
    const Results all = Course<Real>(this->cuda, Where::device, g, nets, plan)();
    for (const size_t i : {size_t(0), size_t(3)})
      expect_same(part(all, i, nets.size()), Course<Real>(this->cuda, Where::device, g, {nets[i]}, plan)());
    Plan other = plan;
    other.n_workspaces = 2;
    expect_same(all, Course<Real>(this->cuda, Where::device, g, nets, other)());
    other = plan;
    other.split = 2;
    expect_same(all, Course<Real>(this->cuda, Where::device, g, nets, other)());
  }
}

// ---- which program, and mistakes of the caller
TYPED_TEST(Feedforward, TakesEveryShapeAndTheOthersTakeNone) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  const TaskSpec task = adding_task(3);
  EXPECT_EQ(this->cuda.core, CoreId::feedforward);
  for (const Precision precision : {Precision::fp32, Precision::fp32x3, Precision::fp16})
    for (const int n_hidden : {16, 300}) {
      Signature g = feedforward_signature(task, CellId::dense, n_hidden, {0}, 4, true);
      g.precision = precision;
      const Choice<Real> choice = choose_cuda_program<Real>(g);
      EXPECT_EQ(choice.program, &this->cuda);
      EXPECT_EQ(choice.refused, "shallow: hidden layers");
      const auto refuses = [&](const Program<Real>& program) {
        const TrainArgs<Real> args{cohort_of<Real>(g), 1, nullptr};
        EXPECT_THROW(program.train_workspace(args, 1), Error) << program.name;
        EXPECT_THROW(program.train(args, {0, 1, nullptr, 0, nullptr}), Error) << program.name;
      };
      refuses(*cuda_program<Real>(CoreId::recurrent));
      if constexpr (sizeof(Real) == sizeof(float))
        for (const char* const name : {"tiled", "cublas"}) refuses(*cuda_program<float>(CoreId::recurrent, name));
    }
  EXPECT_EQ(cuda_program<Real>(CoreId::feedforward, "tiled"), nullptr);
}

TYPED_TEST(Feedforward, MistakesAreNamed) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  const TaskSpec task = adding_task(3);
  const auto message = [&](CellId cell, auto change) -> std::string {
    TrainArgs<Real> args{cohort_of<Real>(feedforward_signature(task, cell, 6, {0, 4}, 3, true)), 1, nullptr};
    change(args.cohort.signature);
    try {
      this->cuda.train_workspace(args, 1);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(message(CellId::dense, [](Signature&) {}), "no error");
  EXPECT_EQ(message(CellId::dann, [](Signature&) {}), "no error");
  EXPECT_EQ(message(CellId::dense, [](Signature& g) { g.core = CoreId::recurrent; }), "train: core is not feedforward");
  EXPECT_EQ(message(CellId::dense, [](Signature& g) { g.n_layers = 17; }), "train: n_layers is 17; allowed: 0 to 16");
  EXPECT_EQ(message(CellId::dense, [](Signature& g) { g.n_hidden = 0; }), "train: n_hidden is 0; allowed: 1 or more");
  EXPECT_EQ(message(CellId::dense, [](Signature& g) { g.widths[1] = 7; }), "train: widths is 7; allowed: 0 to 6");
  EXPECT_EQ(message(CellId::dense, [](Signature& g) { g.widths[0] = -1; }), "train: widths is -1; allowed: 0 to 6");
  EXPECT_EQ(message(CellId::dense, [](Signature& g) { g.cell = CellId(99); }),
            "train: cell is 99; allowed: 0 to " + std::to_string(n_cells - 1));
  EXPECT_EQ(message(CellId::dense, [](Signature& g) { g.n_inhibitory = 1; }),
            "train: n_inhibitory is 1; allowed: 0 to 0");
  EXPECT_EQ(message(CellId::dann, [](Signature& g) { g.n_inhibitory = 0; }),
            "train: n_inhibitory is 0; allowed: 1 to 2147483647");
  EXPECT_EQ(message(CellId::layer_norm, [](Signature& g) { g.normalised_readout = 2; }),
            "train: normalised_readout is 2; allowed: 0 to 1");
  EXPECT_EQ(message(CellId::dense, [](Signature& g) { g.n_in = g.n_hidden = 60000; }),
            "train: n_hidden gives 2^31 parameters or more");
  EXPECT_EQ(message(CellId::dense, [](Signature& g) { g.batch = 1 << 30; }),
            "train: batch times n_steps times the widest layer is beyond 2^31");
  const Cohort<Real> cohort = cohort_of<Real>(feedforward_signature(task, CellId::dann, 6, {0, 4}, 3, true));
  for (int k = 0; k < n_tensors(cohort.signature); ++k) {
    const EffectiveArgs<Real> args{cohort, k, nullptr};
    if (is_weights(tensor(cohort.signature, k).role))
      EXPECT_EQ(this->cuda.effective_workspace(args, 1), 0u);
    else
      EXPECT_THROW(this->cuda.effective_workspace(args, 1), Error) << k;
  }
}

}  // namespace
}  // namespace cohort::testing

// The tensor-core programs: as exact as their precisions say, on shapes that between them have every size, one team of warps
// and several, rows beyond the batch, several passes over it, and both arrangements of roles.
#include <ostream>
#include <string>

#include "gpu/company.h"
#include "gpu/gradient.h"

namespace cohort::testing {
namespace {

class Mma : public ::testing::Test {
 protected:
  static TaskSpec task(int stimulus_steps = 4) { return decision_task(stimulus_steps); }
  static Signature shape(Precision precision, int n_hidden, int batch, bool bias, int stimulus_steps = 4,
                         int n_inhibitory = 0) {
    Signature g = signature_of(task(stimulus_steps), n_hidden, 1, batch, bias, n_inhibitory);
    g.precision = precision;
    return g;
  }
  static const Program<float>& program(const Signature& g) {
    const Choice<float> choice = choose_cuda_program<float>(g);
    EXPECT_EQ(choice.program->name, std::string("mma")) << choice.refused;
    return *choice.program;
  }
  static Plan plan() { return training_plan(); }
  static void expect_agreement(const Signature& g, const std::vector<NetSpec>& nets) {
    const Results expected = Course<float>(*cpu_program<float>(CoreId::recurrent), Where::host, g, nets, plan())();
    const Results got = Course<float>(program(g), Where::device, g, nets, plan())();
    for (size_t i = 0; i < nets.size(); ++i) {  // bf16x3 has 16 bits, fp32x3 22
      SCOPED_TRACE("network " + std::to_string(i));
      Results one = part(expected, i, nets.size()), other = part(got, i, nets.size());
      const bool wide = other.at("second overflowed_at")[0] >= 0;
      for (const char* const name : {"first overflowed_at", "second overflowed_at"})
        for (Results* const r : {&one, &other}) r->erase(name);
      expect_near(one, other, 1, (wide ? 64 : 1) * tolerance<float>);
    }
  }
};

struct Shape {
  int n_hidden, batch, nets;
  bool bias;
  friend std::ostream& operator<<(std::ostream& out, const Shape& s) {
    return out << s.n_hidden << " units, batch of " << s.batch;
  }
};
class MmaShapes : public Mma, public ::testing::WithParamInterface<Shape> {};
TEST_P(MmaShapes, TrainInSplitPrecisionAsInSingle) {
  COHORT_NEEDS_DEVICE();
  const Shape& s = GetParam();
  const int stimulus_steps = s.batch > 60 ? 3 : 4;
  const Signature g = shape(Precision::fp32x3, s.n_hidden, s.batch, s.bias, stimulus_steps);
  expect_agreement(g, variety(g, task(stimulus_steps), s.nets));
}
INSTANTIATE_TEST_SUITE_P(All, MmaShapes,
                         ::testing::Values(Shape{9, 5, 20, true}, Shape{16, 16, 4, false}, Shape{30, 40, 6, true},
                                           Shape{32, 64, 4, true}, Shape{50, 17, 6, true}, Shape{64, 80, 4, false},
                                           Shape{100, 33, 4, true}, Shape{112, 64, 3, true}, Shape{120, 16, 4, false},
                                           Shape{128, 70, 3, true}),
                         [](const auto& shape) {
                           return "Units" + std::to_string(shape.param.n_hidden) + "Batch" +
                                  std::to_string(shape.param.batch);
                         });
TEST_F(Mma, Dann) {
  COHORT_NEEDS_DEVICE();
  const Signature g = shape(Precision::fp32x3, 20, 8, true, 4, 3);
  expect_agreement(g, variety(g, task(), 4));
}
TEST_F(Mma, TasksWithNarrowInputs) {
  COHORT_NEEDS_DEVICE();
  for (int id = 0; id < n_tasks; ++id) {
    const TaskSpec spec = task_of(TaskId(id));
    SCOPED_TRACE(task_info(spec.id).name);
    Signature g = signature_of(spec, 6, 1, 3, true);
    g.precision = Precision::fp32x3;
    if (g.n_steps > 100) continue;
    if (g.n_in < 8 && g.n_out <= 8) expect_agreement(g, variety(g, spec, 3));
  }
}

TEST_F(Mma, WhatItRefusesGoesToExactPrograms) {
  COHORT_NEEDS_DEVICE();
  const auto choose = [](int n_in, int n_hidden, int n_layers, int n_out, bool bias, Precision precision) {
    const Choice<float> choice =
        choose_cuda_program<float>({CoreId::recurrent, n_in, n_hidden, n_layers, n_out, 0, 8, 3, bias, precision});
    return std::string(choice.program->name) + (choice.refused.empty() ? "" : " (" + choice.refused + ")");
  };
  EXPECT_EQ(choose(8, 128, 1, 8, false, Precision::fp16), "mma");
  EXPECT_EQ(choose(7, 100, 1, 8, true, Precision::fp32x3), "mma");
  EXPECT_EQ(choose(8, 100, 1, 8, true, Precision::fp32), "tiled");
  EXPECT_EQ(choose(8, 100, 1, 8, true, Precision::fp16), "tiled (mma: more than 8 inputs, the bias among them)");
  EXPECT_EQ(choose(8, 16, 1, 9, false, Precision::fp32x3), "tiled (mma: more than 8 outputs)");
  EXPECT_EQ(choose(3, 16, 2, 3, false, Precision::fp32x3), "tiled (mma: more than one layer)");
  EXPECT_EQ(choose(3, 129, 1, 3, false, Precision::fp16), "tiled (mma: more than 128 hidden units)");
#if defined(COHORT_EMULATED)
  emulator::options().smem_per_block = 8 * 1024;
  EXPECT_EQ(choose(3, 40, 1, 3, false, Precision::fp16),
            "generic (mma: too little shared memory; tiled: too little shared memory; cublas: at most 256 hidden "
            "units)");
  emulator::options() = {};
#endif
}

TEST_F(Mma, ANetworkAloneIsBitIdenticalToItselfAmongOthers) {
  COHORT_NEEDS_DEVICE();
  for (const Precision precision : {Precision::fp16, Precision::fp32x3})
    for (const int n_hidden : {34, 70}) {
      SCOPED_TRACE(n_hidden);
      const Signature g = shape(precision, n_hidden, 20, true, 2);
      expect_same_alone(program(g), g, variety(g, task(2), 7), plan(), {0, 2, 5});
    }
}
TEST_F(Mma, ANetworkAmongAThousandIsBitIdenticalToItselfAlone) {
  COHORT_NEEDS_DEVICE();
  const Signature g = shape(Precision::fp32x3, 5, 3, true, 2);
  expect_same_among_a_thousand(program(g), g, task(2), plan());
}
TEST_F(Mma, ResultsDoNotDependOnChunks) {
  COHORT_NEEDS_DEVICE();
  const Signature g = shape(Precision::fp32x3, 5, 4, true);
  expect_same_in_chunks(program(g), g, task(), plan());
}

// T = 100, where small errors have had time to grow. `most`, or ten times what single precision has on the CPU: at gain
// 1.5 a small network amplifies any error.
void expect_gradients(const Program<float>& program, const Signature& g, const TaskSpec& task, double most) {
  for (const double gain : {0.9, 1.5}) {
    const NetSpec net = decision_network(task, ActivationId::tanh, gain);
    const std::vector<double> errors = gradient_errors(program, Where::device, g, net),
                              single = gradient_errors(*cpu_program<float>(CoreId::recurrent), Where::host, g, net);
    for (size_t k = 0; k < errors.size(); ++k) {
      std::printf("n = %d, gain %.1f, tensor %zu: %.2g (single precision: %.2g)\n", g.n_hidden, gain, k, errors[k],
                  single[k]);
      EXPECT_LT(errors[k], std::max(most, 10 * single[k])) << "tensor " << k << ", gain " << gain;
    }
  }
}
TEST_F(Mma, GradientsOfSplitPrecisionAreThoseOfDoubleToFiveMillionths) {
  COHORT_NEEDS_DEVICE();
  for (const int n_hidden : {32, 64, 128}) {
    const Signature g = shape(Precision::fp32x3, n_hidden, 32, true, 99);
    expect_gradients(program(g), g, task(99), 5e-6);
  }
}
#if defined(COHORT_EMULATED)
// Tensor cores cut off where a float rounds.
TEST_F(Mma, GradientsOfSplitPrecisionBearTruncation) {
  emulator::options().mma_guard_bits = 1;
  const Signature g = shape(Precision::fp32x3, 64, 16, true, 99);
  expect_gradients(program(g), g, task(99), 5e-6);
  emulator::options() = {};
}
#endif
TEST_F(Mma, GradientsOfHalfPrecision) {
  COHORT_NEEDS_DEVICE();
  for (const int n_hidden : {32, 64, 128}) {
    const Signature g = shape(Precision::fp16, n_hidden, 32, true, 99);
    expect_gradients(program(g), g, task(99), 5e-3);
  }
}

// Half precision itself is as far from double as rounding makes it, at relu's kink farther than that: the same operands rounded
// on the CPU are what to compare with. Sums in another order that fall on the other side of a tie make the difference.
TEST_F(Mma, GradientsAreThoseOfTheSameOperandsOnTheCpu) {
  COHORT_NEEDS_DEVICE();
  for (const Precision precision : {Precision::fp16, Precision::fp32x3})
    for (const int n_hidden : {30, 64, 128}) {
      const Signature g = shape(precision, n_hidden, 20, true, 19);
      const NetSpec net = decision_network(task(19), ActivationId::relu, 0.9);
      const std::vector<float> theta = start_of(g, net);
      const std::vector<double> errors =
          relative_errors(g, gradient<float>(program(g), Where::device, g, net, theta),
                          gradient<float>(*cpu_rounding_program(CoreId::recurrent), Where::host, g, net, theta));
      for (size_t k = 0; k < errors.size(); ++k)
        EXPECT_LT(errors[k], 1e-4) << info(precision).name << ", n = " << n_hidden << ", tensor " << k;
    }
}

// States of 1e5 and more, far beyond fp16, in the third network of five.
TEST_F(Mma, ANetworkThatLeavesTheRangeGoesOnInAWiderFormat) {
  COHORT_NEEDS_DEVICE();
  for (const Precision precision : {Precision::fp16, Precision::fp32x3}) {
    const Signature g = shape(precision, 20, 6, true, 6);
    std::vector<NetSpec> nets;
    for (int i = 0; i < 5; ++i) {
      NetSpec net = decision_network(task(6), ActivationId::relu, i == 2 ? 20 : 0.9);
      net.seed = uint64_t(i);
      for (RuleSpec& rule : net.rule) rule.lr = 1e-6;
      nets.push_back(net);
    }
    const Results got = Course<float>(program(g), Where::device, g, nets, plan())();
    EXPECT_EQ(got.at("first overflowed_at"), (std::vector<double>{-1, -1, 0, -1, -1}));
    EXPECT_EQ(got.at("second overflowed_at"), (std::vector<double>{-1, -1, 0, -1, -1}));
    EXPECT_EQ(got.at("second diverged_at"), (std::vector<double>(5, -1)));
    expect_same(part(got, 2, 5), Course<float>(program(g), Where::device, g, {nets[2]}, plan())());
    expect_same(part(got, 3, 5), Course<float>(program(g), Where::device, g, {nets[3]}, plan())());
    // As good as single precision, whatever the precision of the others.
    const std::vector<double> errors = gradient_errors(program(g), Where::device, g, nets[2]);
    for (size_t k = 0; k < errors.size(); ++k) EXPECT_LT(errors[k], 1e-4) << "tensor " << k;
  }
}

// Inputs of all sizes: some network leaves the range with its last states only, which nothing follows that would be NaN.
TEST_F(Mma, TheRangeMayBeLeftAtAnyStep) {
  COHORT_NEEDS_DEVICE();
  const Signature g = shape(Precision::fp16, 20, 6, true, 6);
  std::vector<NetSpec> nets;
  for (int i = 0; i < 24; ++i) {
    NetSpec net = decision_network(task(6), ActivationId::relu, 3);
    net.init.input_gain = std::ldexp(1.0, i - 2);
    net.task.loss_steps = LossSteps::last;
    for (RuleSpec& rule : net.rule) rule.lr = 1e-9;
    nets.push_back(net);
  }
  const Results got = Course<float>(program(g), Where::device, g, nets, plan())();
  EXPECT_EQ(got.at("first diverged_at"), (std::vector<double>(nets.size(), -1)));
  const std::vector<double>& overflowed_at = got.at("first overflowed_at");
  EXPECT_TRUE(std::is_sorted(overflowed_at.begin(), overflowed_at.end()));  // small inputs -1, large ones 0
  EXPECT_EQ(overflowed_at.front(), -1);
  EXPECT_EQ(overflowed_at.back(), 0);
}

// Units that all inhibit each other: what would be infinite is followed by 0, and nothing by NaN.
TEST_F(Mma, StatesThatLeaveTheRangeAreSeenAlthoughZerosFollow) {
  COHORT_NEEDS_DEVICE();
  const Signature g = shape(Precision::fp16, 16, 6, false, 5);
  NetSpec net = decision_network(task(5), ActivationId::relu, 1);
  net.task.loss_steps = LossSteps::last;
  std::vector<float> theta(n_params(g));
  for (int k = 0; k < n_tensors(g); ++k) {
    const Tensor t = tensor(g, k);
    std::fill_n(theta.begin() + ptrdiff_t(t.offset), t.size(),
                t.role == Role::recurrent ? -1.0f
                : t.role == Role::input   ? 6e4f
                                          : 1.0f);
  }
  NetState state;
  EXPECT_EQ(gradient<float>(program(g), Where::device, g, net, theta, &state), std::vector<float>(theta.size()));
  EXPECT_EQ(state.diverged_at, -1);
  EXPECT_EQ(state.overflowed_at, 0);
}

// States stay below 1e3, deltas grow 1e5 times.
TEST_F(Mma, DeltasThatLeaveTheRange) {
  COHORT_NEEDS_DEVICE();
  const Signature g = shape(Precision::fp32x3, 20, 6, true, 6);
  NetSpec net = decision_network(task(6), ActivationId::linear, 8);
  net.init.input_gain = 1e-4;
  net.task.loss_steps = LossSteps::last;
  const Results got = Course<float>(program(g), Where::device, g, {net}, plan())();
  EXPECT_EQ(got.at("first overflowed_at"), std::vector<double>{0});
  const std::vector<double> errors = gradient_errors(program(g), Where::device, g, net);
  for (size_t k = 0; k < errors.size(); ++k) EXPECT_LT(errors[k], 1e-4) << "tensor " << k;
}

}  // namespace
}  // namespace cohort::testing

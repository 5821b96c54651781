// The tiled program against the CPU's, on shapes that between them have one warp and many, several panels of batch rows,
// resident and streamed weights, several layers and all parameterisations; and its work queue.
#include <string>

#include "gpu/company.h"
#include "gpu/gradient.h"

namespace cohort::testing {
namespace {

class Tiled : public ::testing::Test {
 protected:
  static TaskSpec task(int stimulus_steps = 4) { return decision_task(stimulus_steps); }
  static const Program<float>& program(const Signature& g) {
    const Choice<float> choice = choose_cuda_program<float>(g);
    EXPECT_EQ(choice.program->name, std::string("tiled")) << choice.refused;
    return *choice.program;
  }
  static Plan plan() { return training_plan(); }
  static void expect_agreement(const Signature& g, const std::vector<NetSpec>& nets) {
    const Results expected = Course<float>(*cpu_program<float>(CoreId::recurrent), Where::host, g, nets, plan())();
    const Results got = Course<float>(program(g), Where::device, g, nets, plan())();
    expect_near(expected, got, nets.size(), tolerance<float>);
  }
};

TEST_F(Tiled, OneWarp) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(), 9, 1, 5, true);
  expect_agreement(g, variety(g, task(), 20));
}
TEST_F(Tiled, FourWarps) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(), 40, 1, 40, true);
  expect_agreement(g, variety(g, task(), 5));
}
TEST_F(Tiled, TilesThatAreFull) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(2), 64, 1, 64, false);
  expect_agreement(g, variety(g, task(2), 3));
}
TEST_F(Tiled, SeveralPanelsOfRows) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(2), 70, 1, 70, true);
  expect_agreement(g, variety(g, task(2), 3));
}
TEST_F(Tiled, Layers) {
  COHORT_NEEDS_DEVICE();
  for (const int layers : {2, 3}) {
    const Signature g = signature_of(task(), 33, layers, 8, layers == 2);
    expect_agreement(g, variety(g, task(), 4));
  }
}
TEST_F(Tiled, Dann) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(), 10, 2, 4, true, 2);
  expect_agreement(g, variety(g, task(), 4));
}
// Weights that do not fit into shared memory.
TEST_F(Tiled, StreamedWeights) {
  COHORT_NEEDS_DEVICE();
  for (const int layers : {1, 2}) {
    const Signature g = signature_of(task(1), 250, layers, 3, true);
    expect_agreement(g, variety(g, task(1), 2));
  }
}
TEST_F(Tiled, EveryTask) {
  COHORT_NEEDS_DEVICE();
  for (int id = 0; id < n_tasks; ++id) {
    const TaskSpec spec = task_of(TaskId(id));
    SCOPED_TRACE(task_info(spec.id).name);
    const Signature g = signature_of(spec, 6, 1, 3, true);
    if (g.n_steps > 100) continue;
    if (g.n_in <= 32)
      expect_agreement(g, variety(g, spec, 3));
    else
      EXPECT_EQ(choose_cuda_program<float>(g).refused, "tiled: more than 32 inputs; cublas: at most 256 hidden units");
  }
}

TEST_F(Tiled, WhatItRefusesGoesToOthers) {
  COHORT_NEEDS_DEVICE();
  const auto choose = [](int n_in, int n_hidden, int n_out) {
    return choose_cuda_program<float>({CoreId::recurrent, n_in, n_hidden, 1, n_out, 0, 8, 3, 0});
  };
  EXPECT_EQ(choose(32, 256, 32).program->name, std::string("tiled"));
  EXPECT_EQ(choose(32, 256, 32).refused, "");
  EXPECT_EQ(choose(33, 8, 1).refused, "tiled: more than 32 inputs; cublas: at most 256 hidden units");
  EXPECT_EQ(choose(1, 257, 1).refused, "tiled: more than 256 hidden units");
  EXPECT_EQ(choose(1, 257, 1).program->name, std::string("cublas"));
  EXPECT_EQ(choose(1, 8, 33).refused, "tiled: more than 32 outputs; cublas: at most 256 hidden units");
  EXPECT_EQ(choose(1, 8, 33).program->name, std::string("generic"));
  const auto with_dense_layers = [](int n_hidden, Precision precision) {
    Signature g{CoreId::recurrent, 3, n_hidden, 2, 3, 0, 8, 3, 0, precision};
    g.n_dense = 1;
    return choose_cuda_program<float>(g);
  };
  for (const int n_hidden : {8, 300}) {
    const Choice<float> choice = with_dense_layers(n_hidden, Precision::fp32);
    EXPECT_EQ(choice.program->name, std::string("generic"));
    EXPECT_EQ(choice.refused, "tiled: dense layers; cublas: dense layers");
  }
  EXPECT_EQ(with_dense_layers(8, Precision::fp16).refused,
            "mma: dense layers; tiled: dense layers; cublas: dense layers");
#if defined(COHORT_EMULATED)
  emulator::options().smem_per_block = 1024;
  EXPECT_EQ(choose(1, 8, 1).refused, "tiled: too little shared memory; cublas: at most 256 hidden units");
  emulator::options() = {};
#endif
}

TEST_F(Tiled, ANetworkAloneIsBitIdenticalToItselfAmongOthers) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(), 34, 1, 6, true);
  expect_same_alone(program(g), g, variety(g, task(), 8), plan(), {0, 2, 6});
}
TEST_F(Tiled, ANetworkAmongAThousandIsBitIdenticalToItselfAlone) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(2), 5, 1, 3, true);
  expect_same_among_a_thousand(program(g), g, task(2), plan());
}
TEST_F(Tiled, ResultsDoNotDependOnChunks) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(), 5, 1, 4, true);
  expect_same_in_chunks(program(g), g, task(), plan());
}

// T = 100, where small errors have had time to grow.
TEST_F(Tiled, GradientsAreThoseOfDoubleToFiveMillionths) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(99), 64, 1, 32, true);
  for (const double gain : {0.9, 1.5}) {
    const std::vector<double> errors =
        gradient_errors(program(g), Where::device, g, decision_network(task(99), ActivationId::tanh, gain));
    for (size_t k = 0; k < errors.size(); ++k) {
      EXPECT_LT(errors[k], 5e-6) << "tensor " << k;
      std::printf("gain %.1f, tensor %zu: %.2g\n", gain, k, errors[k]);
    }
  }
}

}  // namespace
}  // namespace cohort::testing

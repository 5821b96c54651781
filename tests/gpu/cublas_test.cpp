// The program of wide networks, which multiplies with cuBLAS and replays a recorded training step, against the CPU's.
#include <string>

#include "gpu/course.h"

namespace cohort::testing {
namespace {

class Cublas : public ::testing::Test {
 protected:
  static TaskSpec task() { return decision_task(3); }
  static const Program<float>& program() { return *cuda_program<float>(CoreId::recurrent, "cublas"); }
  static Plan plan() { return training_plan(); }
  static void expect_agreement(const Signature& g, const std::vector<NetSpec>& nets) {
    const Results expected = Course<float>(*cpu_program<float>(CoreId::recurrent), Where::host, g, nets, plan())();
    const Results got = Course<float>(program(), Where::device, g, nets, plan())();
    expect_near(expected, got, nets.size(), tolerance<float>);
  }
};

TEST_F(Cublas, OneLayer) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(), 9, 1, 5, true);
  expect_agreement(g, variety(g, task(), 20));
}
TEST_F(Cublas, Layers) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(), 6, 3, 4, false);
  expect_agreement(g, variety(g, task(), 6));
}
TEST_F(Cublas, Dann) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(), 7, 2, 4, true, 2);
  expect_agreement(g, variety(g, task(), 4));
}
TEST_F(Cublas, ManyInputs) {
  COHORT_NEEDS_DEVICE();
  const TaskSpec spec = task_of(TaskId::row_mnist);
  const Signature g = signature_of(spec, 5, 1, 2, true);
  expect_agreement(g, variety(g, spec, 3));
}

TEST_F(Cublas, TakesWideNetworks) {
  COHORT_NEEDS_DEVICE();
  const Choice<float> choice = choose_cuda_program<float>({CoreId::recurrent, 3, 257, 1, 3, 0, 8, 3, 0});
  EXPECT_EQ(choice.program, &program());
  EXPECT_EQ(choice.refused, "tiled: more than 256 hidden units");
  EXPECT_EQ(cuda_program<float>(CoreId::recurrent, "abacus"), nullptr);
}

// 70 networks are two groups, the second one with slots that nobody is in.
TEST_F(Cublas, ANetworkAloneIsBitIdenticalToItselfAmongOthers) {
  COHORT_NEEDS_DEVICE();
  const Signature g = signature_of(task(), 5, 1, 3, true);
  const size_t count = 70;
  const std::vector<NetSpec> nets = variety(g, task(), int(count));
  const Results all = Course<float>(program(), Where::device, g, nets, plan())();
  for (const size_t i : {size_t(0), size_t(7), size_t(66)}) {
    SCOPED_TRACE(i);
    expect_same(part(all, i, count), Course<float>(program(), Where::device, g, {nets[i]}, plan())());
  }
  Plan two_launches = plan();
  two_launches.split = 3;
  expect_same(all, Course<float>(program(), Where::device, g, nets, two_launches)());
}

}  // namespace
}  // namespace cohort::testing

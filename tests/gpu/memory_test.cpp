// A unit whose networks do not all fit into the device's memory: fewer at a time, the same bits; and a network that is too
// large. In the emulator only, where memory can be taken away.
#include <cstring>
#include <memory>
#include <numeric>
#include <utility>

#include "cohort/error.h"
#include "device/cuda_module.h"
#include "device/out_of_memory.h"
#include "gpu/backend.h"
#include "runner/runner.h"

namespace cohort::testing {
namespace {

using engine::Device;
using engine::Experiment;
using engine::UnitResult;

// A network takes 20 kB for parameters and momentum, 54 kB of scratch while it is trained.
Experiment experiment(const std::string& more = "") {
  return Experiment::parse(R"(
name = "memory"
[network]
n_hidden = 48
[task]
name = "perceptual_decision"
batch = 2
stimulus_steps = 2
[train]
steps = 3
[eval]
trials = 4
every = 2
[analysis]
names = ["weight_change", "representation_alignment"]
probe_trials = 40
at = "log"
[output]
weights = "final"
history_every = 1
[sweep]
seed = { range = [0, 11] }
)" + more);
}

std::vector<int64_t> all_of(const Experiment& e) {
  std::vector<int64_t> networks(static_cast<size_t>(e.size()));
  std::iota(networks.begin(), networks.end(), 0);
  return networks;
}

class Memory : public ::testing::Test {
 protected:
  void SetUp() override {
    char reason[256] = "";
    device.reset(cohort_cuda_open(0, 1, reason, sizeof reason));
    ASSERT_TRUE(device) << reason;
  }
  void TearDown() override {
    device.reset();
    emulator::options() = {};
  }
  // From now on the device has so much memory, which is not what it said when it was opened.
  static void leave(size_t bytes) {
    cudaDeviceSynchronize();  // what was released is free now
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    emulator::options().memory_bytes = total - free + bytes;
  }
  std::unique_ptr<Device> device;
};

template <class T>
void expect_same(const std::string& name, const std::vector<T>& a, const std::vector<T>& b) {
  ASSERT_EQ(a.size(), b.size()) << name;
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(T)), 0) << name;
}
void expect_same(const UnitResult& a, const UnitResult& b) {
  expect_same("diverged_at", a.diverged_at, b.diverged_at);
  ASSERT_EQ(a.columns.size(), b.columns.size());
  for (size_t i = 0; i < a.columns.size(); ++i) expect_same(a.columns[i].name, a.columns[i].value, b.columns[i].value);
  ASSERT_EQ(a.series.size(), b.series.size());
  for (size_t i = 0; i < a.series.size(); ++i) expect_same(a.series[i].name, a.series[i].value, b.series[i].value);
  ASSERT_EQ(a.arrays.size(), b.arrays.size());
  for (size_t i = 0; i < a.arrays.size(); ++i) expect_same(a.arrays[i].name, a.arrays[i].value, b.arrays[i].value);
}

TEST_F(Memory, ACohortThatDoesNotFitIsHalvedAndItsResultsAreTheSame) {
  const Experiment e = experiment();
  double work = 0, work_in_parts = 0;
  int taken_back = 0;
  const auto expected =
      engine::run_networks({*device, e, Dataset{}, nullptr, [&](double flop) { work += flop; }}, all_of(e));
  ASSERT_TRUE(expected);
  device->release_scratch();
  for (const size_t kilobytes : {400, 300, 150}) {
    SCOPED_TRACE(kilobytes);
    work_in_parts = 0;
    taken_back = 0;
    leave(kilobytes * 1000);
    const auto got = engine::run_networks({*device, e, Dataset{}, nullptr,
                                           [&](double flop) {
                                             work_in_parts += flop;
                                             taken_back += flop <= 0;
                                           }},
                                          all_of(e));
    ASSERT_TRUE(got);
    expect_same(*expected, *got);
    EXPECT_GT(taken_back, 0);
    EXPECT_NEAR(work_in_parts, work, 1e-9 * work);
    device->release_scratch();
  }
}

TEST_F(Memory, OneNetworkThatIsTooLargeIsAnErrorWithItsNumber) {
  const Experiment e = experiment();
  const std::pair<size_t, std::string> wants[] = {{8'000, "allocation of "}, {50'000, "workspace of train, "}};
  for (const auto& [bytes, want] : wants) {
    leave(bytes);
    try {
      engine::run_networks({*device, e, Dataset{}}, {7, 8, 9});
      ADD_FAILURE() << "fitted";
    } catch (const CudaError& error) {
      const std::string what = error.what();
      EXPECT_TRUE(engine::is_out_of_memory(error));
      EXPECT_TRUE(what.starts_with("network 7 does not fit into memory, even alone: " + want)) << what;
      EXPECT_NE(what.find("cudaErrorMemoryAllocation"), std::string::npos) << what;
      EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    }
  }
  emulator::options() = {};  // and nothing is broken
  EXPECT_TRUE(engine::run_networks({*device, e, Dataset{}}, {3}));
}

TEST_F(Memory, OtherErrorsAreNotTakenForIt) {
  EXPECT_TRUE(engine::is_out_of_memory(CudaError(int(cudaErrorMemoryAllocation), "")));
  EXPECT_FALSE(engine::is_out_of_memory(CudaError(int(cudaErrorInvalidValue), "")));
}

// The workspace that an operation left behind is given up before an allocation fails.
TEST_F(Memory, ScratchMakesWayForArrays) {
  const Experiment e = experiment();
  ASSERT_TRUE(engine::run_networks({*device, e, Dataset{}}, {0, 1, 2, 3}));
  size_t free = 0, free_without_scratch = 0, total = 0;
  cudaMemGetInfo(&free, &total);
  void* const memory = device->allocate(free + 256);
  cudaMemGetInfo(&free_without_scratch, &total);
  device->release(memory);
  EXPECT_LT(free_without_scratch, free);
}

}  // namespace
}  // namespace cohort::testing

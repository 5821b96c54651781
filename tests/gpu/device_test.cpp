// The engine's CUDA device: memory, operations and spectra, in the emulated runtime (linked) or on a card (through the
// module that the tool opens).
#include <cmath>
#include <complex>
#include <limits>
#include <memory>
#include <numeric>
#include <random>

#include "cohort/error.h"
#include "device/cuda_module.h"
#include "device/device_array.h"
#include "device/lapack_spectra.h"
#include "gpu/backend.h"
#include "gpu/networks.h"
#include "runner/runner.h"

namespace cohort::testing {
namespace {

using engine::Device;
using engine::DeviceArray;

std::unique_ptr<Device> open(int ordinal, std::string* reason = nullptr) {
  if constexpr (emulated) {
    char text[256] = "";
    std::unique_ptr<Device> device(cohort_cuda_open(ordinal, 2, text, sizeof text));
    if (reason) *reason = text;
    return device;
  } else {
    return engine::open_cuda_device(ordinal, 2, reason);
  }
}

std::vector<float> random_matrices(int64_t count, int rows, int cols) {
  std::mt19937 engine(3);
  std::normal_distribution<float> normal;
  std::vector<float> a(size_t(count) * size_t(rows) * size_t(cols));
  for (float& x : a) x = normal(engine);
  return a;
}

class CudaDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    COHORT_NEEDS_DEVICE();
    std::string reason;
    device = open(0, &reason);
    ASSERT_TRUE(device) << reason;
  }
  std::unique_ptr<Device> device;
};

TEST_F(CudaDevice, DescribesItself) {
  const Device::Info& info = device->info();
  EXPECT_EQ(info.backend, "cuda");
  EXPECT_FALSE(info.name.empty());
  EXPECT_TRUE(info.isa.starts_with("sm_")) << info.isa;
  EXPECT_GE(info.workers, 1);
  EXPECT_GT(info.memory_bytes, size_t(1) << 20);
}

TEST_F(CudaDevice, MemoryIsZeroedAndCopied) {
  const std::vector<double> values = {1, 2, 3, 4, 5};
  DeviceArray<double> a(*device, 5), b(*device, values), nothing(*device, 0);
  EXPECT_EQ(a.download(), std::vector<double>(5, 0.0));
  EXPECT_EQ(b.download(), values);
  a.upload(values);
  EXPECT_EQ(a.download(), values);
  a = DeviceArray<double>(*device, 3);
  EXPECT_EQ(a.download(), std::vector<double>(3, 0.0));
}

TEST_F(CudaDevice, TooMuchMemoryIsAnErrorAndNothingElseBreaks) {
  EXPECT_THROW(device->allocate(size_t(1) << 46), CudaError);
  DeviceArray<int> a(*device, 1000);
  EXPECT_EQ(a.download(), std::vector<int>(1000, 0));
}

TEST_F(CudaDevice, RunsOnTheHostsThreads) {
  std::vector<int> done(100, 0);
  device->for_each(100, [&](int64_t i) { done[size_t(i)] = int(i) + 1; });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[size_t(i)], i + 1);
}

#if defined(COHORT_EMULATED)
TEST_F(CudaDevice, RefusesACardThatIsTooOld) {
  emulator::options().major = 7;
  emulator::options().minor = 5;
  std::string reason;
  EXPECT_FALSE(open(0, &reason));
  EXPECT_EQ(reason, "cuda:0 has compute capability 7.5; allowed: 8.0 or more");
  emulator::options().major = 9;
  emulator::options().minor = 0;
}
#endif
TEST_F(CudaDevice, RefusesAnOrdinalThatIsNotThere) {
  std::string reason;
  EXPECT_FALSE(open(1000, &reason));
  EXPECT_NE(reason.find("there is no CUDA device 1000: this machine has"), std::string::npos) << reason;
  EXPECT_FALSE(open(-1, &reason));
}

// The same life of one cohort on two devices of the engine.
struct Life {
  std::vector<float> loss, theta, hidden, weights;
  std::vector<double> test_loss;
  std::vector<TangentSums> sums;
  Life(Device& device, const Signature& g, const std::vector<NetSpec>& specs) {
    const size_t count = specs.size(), size = n_params(g);
    constexpr int steps = 4, trials = 5;
    const Tensor t = tensor(g, recurrent_tensor(0));
    DeviceArray<NetSpec> nets(device, specs);
    DeviceArray<NetState> state(device, count);
    DeviceArray<float> theta_now(device, count * size), momentum(device, count * size), losses(device, count * steps),
        states(device, count * trials * size_t(g.n_hidden)), effective(device, count * t.size());
    DeviceArray<double> mean_loss(device, count), accuracy(device, count);
    DeviceArray<TangentSums> tangent(device, count);
    const Cohort<float> cohort{.signature = g,
                               .n_nets = int32_t(count),
                               .nets = nets.data(),
                               .state = state.data(),
                               .theta = theta_now.data(),
                               .momentum = momentum.data(),
                               .mask = nullptr,
                               .data = {}};
    device.run(InitArgs<float>{cohort});
    DeviceArray<float> start(device, theta_now.download());
    const TrainArgs<float> train{cohort, steps, losses.data()};
    EXPECT_GT(device.train_workspace(train, int(count)), 0u);
    device.run(train);
    device.run(EvaluateArgs<float>{cohort, trials, Split::test, mean_loss.data(), accuracy.data()});
    device.run(ProbeArgs<float>{cohort, trials, states.data()});
    const TangentArgs<float> kernels{cohort, start.data(), 2, recurrent_tensor(0), tangent.data()};
    EXPECT_GT(device.tangent_workspace(kernels, int(count)), 0u);
    device.run(kernels);
    device.run(EffectiveArgs<float>{cohort, recurrent_tensor(0), effective.data()});
    loss = losses.download();
    theta = theta_now.download();
    hidden = states.download();
    weights = effective.download();
    test_loss = mean_loss.download();
    sums = tangent.download();
  }
};

TEST_F(CudaDevice, DoesWhatTheCpuDoes) {
  TaskSpec task = task_of(TaskId::perceptual_decision);
  task.param[0] = 4;
  const Signature g = signature_of(task, 8, 1, 4, true);
  std::vector<NetSpec> nets = variety(g, task, 6);
  nets.pop_back();  // the one that diverges
  for (NetSpec& s : nets) s.init.density = 1;
  const std::unique_ptr<Device> cpu = engine::open_cpu_device(1);
  const Life expected(*cpu, g, nets), got(*device, g, nets);
  const float tolerance = 5e-4f;  // see conformance_test.cpp; numbers here are of order 1
  const auto expect_near = [&](const auto& a, const auto& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance * std::max(1.0f, float(std::abs(a[i]))));
  };
  expect_near(expected.loss, got.loss);
  expect_near(expected.theta, got.theta);
  expect_near(expected.hidden, got.hidden);
  expect_near(expected.weights, got.weights);
  expect_near(expected.test_loss, got.test_loss);
  for (size_t i = 0; i < nets.size(); ++i)
    EXPECT_NEAR(expected.sums[i].now_now, got.sums[i].now_now, 1e-3 * expected.sums[i].now_now);
}

// The engine's whole way, from a TOML text to the columns of a result.
TEST_F(CudaDevice, RunsAnExperiment) {
  const auto experiment = engine::Experiment::parse(R"(
name = "small"
[network]
n_hidden = 9
noise = 0.05
[task]
name = "perceptual_decision"
batch = 4
[train]
steps = 4
[eval]
trials = 10
[analysis]
names = ["weight_change", "representation_alignment", "kernel_alignment", "effective_rank", "spectral_radius"]
probe_trials = 12
kernel_trials = 3
[output]
weights = "final"
[sweep]
"init.rank" = [2, "full"]
[[sweep.zip]]
"rule.geometry" = ["euclidean", "neg_entropy", "p_norm"]
"rule.p" = [2.0, 2.0, 3.0]
)");
  std::vector<int64_t> networks(size_t(experiment.size()));
  std::iota(networks.begin(), networks.end(), 0);
  const std::unique_ptr<Device> cpu = engine::open_cpu_device(1);
  const auto expected = engine::run_unit({*cpu, experiment, Dataset{}}, networks);
  const auto got = engine::run_unit({*device, experiment, Dataset{}}, networks);
  ASSERT_TRUE(expected && got);
  ASSERT_EQ(expected->columns.size(), got->columns.size());
  EXPECT_EQ(expected->diverged_at, got->diverged_at);
  for (size_t c = 0; c < got->columns.size(); ++c) {
    SCOPED_TRACE(expected->columns[c].name);
    for (size_t i = 0; i < networks.size(); ++i) {
      const double a = expected->columns[c].value[i], b = got->columns[c].value[i];
      EXPECT_EQ(std::isnan(a), std::isnan(b)) << i;
      if (std::isnan(a)) continue;
      EXPECT_NEAR(a, b, 1e-3 * std::max(1.0, std::abs(a))) << i;
    }
  }
}

#if defined(COHORT_EMULATED)
// Blocks walk through the networks with fewer workspaces.
TEST_F(CudaDevice, MakesDoWithTheMemoryThatIsLeft) {
  TaskSpec task = task_of(TaskId::perceptual_decision);
  const Signature g = signature_of(task, 8, 1, 4, true);
  std::vector<NetSpec> nets = variety(g, task, 6);
  nets.pop_back();
  const Life expected(*device, g, nets);
  device.reset();
  device = open(0);
  TangentArgs<float> one;
  one.cohort.signature = g;
  one.trials = 2;
  const size_t each = device->tangent_workspace(one, 1);
  size_t free = 0, total = 0;
  cudaMemGetInfo(&free, &total);
  void* const hoard = device->allocate(free - 3 * each);  // the arrays of the cohort take most of one
  const Life got(*device, g, nets);
  device->release(hoard);
  const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {  // NaN included
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  };
  EXPECT_TRUE(same(expected.theta, got.theta));
  EXPECT_TRUE(same(expected.loss, got.loss));
}
#endif

// ---- spectra
// Relative to the largest singular value: cuda_spectra.h promises 1e-7.
constexpr double spectral_tolerance = 1e-7;

TEST_F(CudaDevice, SingularValues) {
  engine::LapackSpectra lapack(1);
  for (const auto& [rows, cols] : {std::pair{5, 5}, {9, 4}, {4, 9}, {1, 7}, {17, 1}}) {
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(cols));
    const int n = std::min(rows, cols);
    constexpr int64_t count = 4;
    std::vector<float> a = random_matrices(count, rows, cols);
    std::fill_n(a.begin() + 2 * rows * cols, rows * cols, 0.0f);
    std::vector<double> expected(size_t(count * n)), got(size_t(count * n));
    lapack.singular_values(a.data(), count, rows, cols, expected.data());
    device->spectra().singular_values(a.data(), count, rows, cols, got.data());
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], expected[i], spectral_tolerance * expected[i / size_t(n) * size_t(n)]) << i;
  }
}

TEST_F(CudaDevice, SingularValuesOfARankOneMatrix) {
  constexpr int n = 12;
  std::vector<float> a(n * n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) a[size_t(i * n + j)] = float((i + 1) * (j - 3));
  std::vector<double> s(n);
  device->spectra().singular_values(a.data(), 1, n, n, s.data());
  double u = 0, v = 0;
  for (int i = 0; i < n; ++i) {
    u += (i + 1) * (i + 1);
    v += (i - 3) * (i - 3);
  }
  EXPECT_NEAR(s[0], std::sqrt(u * v), spectral_tolerance * s[0]);
  for (int k = 1; k < n; ++k) EXPECT_LE(s[size_t(k)], spectral_tolerance * s[0]);
}

TEST_F(CudaDevice, EigenvalueModuli) {
  engine::LapackSpectra lapack(1);
  constexpr int64_t count = 3;
  for (const int n : {1, 2, 9}) {
    const std::vector<float> a = random_matrices(count, n, n);
    std::vector<double> expected(size_t(count * n)), got(size_t(count * n));
    lapack.eigenvalue_moduli(a.data(), count, n, expected.data());
    device->spectra().eigenvalue_moduli(a.data(), count, n, got.data());
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], expected[i], 1e-9 * expected[i / size_t(n) * size_t(n)]) << n;
  }
}

TEST_F(CudaDevice, Truncation) {
  engine::LapackSpectra lapack(1);
  constexpr int64_t count = 5;
  constexpr int n = 10;
  const int ranks[count] = {1, 3, n, 9, 4};
  const std::vector<float> a = random_matrices(count, n, n);
  std::vector<float> expected = a, got = a;
  lapack.truncate(expected.data(), count, n, ranks);
  device->spectra().truncate(got.data(), count, n, ranks);
  const float spacing = 4 * std::numeric_limits<float>::epsilon();  // of the largest element, about 4
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 4 * spacing) << i;
  for (size_t i = 2 * n * n; i < 3 * n * n; ++i) EXPECT_EQ(got[i], a[i]);
  for (const int bad : {0, n + 1}) {
    const int wrong[count] = {1, 1, bad, 1, 1};
    std::vector<float> untouched = a;
    EXPECT_THROW(device->spectra().truncate(untouched.data(), count, n, wrong), Error);
    EXPECT_EQ(untouched, a);
  }
}

TEST_F(CudaDevice, AMatrixThatIsNotFiniteHarmsNoOther) {
  constexpr int64_t count = 3;
  constexpr int n = 6;
  const std::vector<float> good = random_matrices(count, n, n);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> a = good;
    a[n * n + 7] = bad;
    std::vector<double> s(count * n), s_good(count * n), e(count * n), e_good(count * n);
    device->spectra().singular_values(a.data(), count, n, n, s.data());
    device->spectra().singular_values(good.data(), count, n, n, s_good.data());
    device->spectra().eigenvalue_moduli(a.data(), count, n, e.data());
    device->spectra().eigenvalue_moduli(good.data(), count, n, e_good.data());
    const int ranks[count] = {2, 2, 2};
    std::vector<float> t = a, t_good = good;
    device->spectra().truncate(t.data(), count, n, ranks);
    device->spectra().truncate(t_good.data(), count, n, ranks);
    for (size_t i = 0; i < count * n; ++i) {
      const bool broken = i / n == 1;
      EXPECT_TRUE(broken ? std::isnan(s[i]) && std::isnan(e[i]) : s[i] == s_good[i] && e[i] == e_good[i]) << i;
    }
    for (size_t i = 0; i < t.size(); ++i) EXPECT_TRUE(i / (n * n) == 1 ? std::isnan(t[i]) : t[i] == t_good[i]) << i;
  }
}

}  // namespace
}  // namespace cohort::testing

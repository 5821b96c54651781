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

// Through the engine's interface, with less memory for a workspace than all samples take at once or with more.
TEST_F(CudaDevice, NormalityIsThatOfTheCpu) {
  const int n_nets = 5, n = 300;
  const std::vector<float> before = random_matrices(n_nets, 1, n);
  std::vector<float> after = random_matrices(n_nets, n, 1);
  for (size_t i = 0; i < after.size(); ++i) after[i] = before[i] * std::exp(0.1f * after[after.size() - 1 - i]);
  std::vector<Potential> potentials;
  for (int i = 0; i < n_nets; ++i) {
    potentials.push_back({.geometry = GeometryId::neg_entropy});
    potentials.push_back({.geometry = GeometryId::p_norm, .p = 3});
  }
  const auto measure = [&](Device& d) {
    const DeviceArray<float> from(d, before), to(d, after);
    const DeviceArray<Potential> wanted(d, potentials);
    const DeviceArray<DualChange> changes(d, potentials.size());
    const DeviceArray<Normality> fits(d, size_t(n_nets));
    const DualChangeArgs args{.n_nets = n_nets,
                              .n_potentials = 2,
                              .n = n,
                              .stride = n,
                              .before = from.data(),
                              .after = to.data(),
                              .potentials = wanted.data(),
                              .changes = changes.data()};
    EXPECT_GE(d.dual_change_workspace(args, n_nets), size_t(16) * n);
    d.run(args);
    d.run(LogWeightsArgs{n_nets, n, from.data(), fits.data()});
    return std::pair(changes.download(), fits.download());
  };
  const auto cpu = engine::open_cpu_device(2);
  const auto [changes, fits] = measure(*device);
  const auto [wanted_changes, wanted_fits] = measure(*cpu);
  constexpr double allowed = 3 * 0.0101 / n;  // three values that rounding takes over a point of the integral
  for (size_t i = 0; i < changes.size(); ++i) {
    EXPECT_NEAR(changes[i].change.delta_cdf, wanted_changes[i].change.delta_cdf, allowed) << i;
    EXPECT_NEAR(changes[i].laziness, wanted_changes[i].laziness, 1e-12) << i;
    EXPECT_EQ(changes[i].change.n, n);
  }
  for (size_t i = 0; i < fits.size(); ++i)
    EXPECT_NEAR(fits[i].delta_cdf_centred, wanted_fits[i].delta_cdf_centred, allowed) << i;
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
    DeviceArray<float> theta_now(device, count * size), momentum(device, count * size),
        second_moment(device, count * size), losses(device, count * steps),
        states(device, count * trials * size_t(g.n_hidden)), effective(device, count * t.size());
    DeviceArray<double> mean_loss(device, count), accuracy(device, count);
    DeviceArray<TangentSums> tangent(device, count);
    const Cohort<float> cohort{.signature = g,
                               .n_nets = int32_t(count),
                               .nets = nets.data(),
                               .state = state.data(),
                               .theta = theta_now.data(),
                               .momentum = momentum.data(),
                               .second_moment = second_moment.data(),
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
names = ["weight_change", "representation_alignment", "kernel_alignment", "effective_rank", "spectral_radius",
         "svd_entropy", "matrix_norms", "singular_values"]
every = 1
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
  const auto expected = engine::run_networks({*cpu, experiment, Dataset{}}, networks);
  const auto got = engine::run_networks({*device, experiment, Dataset{}}, networks);
  ASSERT_TRUE(expected && got);
  ASSERT_EQ(expected->columns.size(), got->columns.size());
  EXPECT_EQ(expected->diverged_at, got->diverged_at);
  const auto compare = [](const std::string& name, const std::vector<double>& a, const std::vector<double>& b) {
    ASSERT_EQ(a.size(), b.size()) << name;
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(std::isnan(a[i]), std::isnan(b[i])) << name << " " << i;
      if (std::isnan(a[i])) continue;
      EXPECT_NEAR(a[i], b[i], 1e-3 * std::max(1.0, std::abs(a[i]))) << name << " " << i;
    }
  };
  for (size_t c = 0; c < got->columns.size(); ++c)
    compare(expected->columns[c].name, expected->columns[c].value, got->columns[c].value);
  ASSERT_EQ(expected->series.size(), got->series.size());
  ASSERT_FALSE(got->series.empty());
  for (size_t k = 0; k < got->series.size(); ++k)
    compare(expected->series[k].name, expected->series[k].value, got->series[k].value);
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

// ---- spectra: each method has tests of its own, here is what the engine makes of them
// Of matrices in host memory, by the device and by the CPU.
engine::SpectraRows measured(engine::Device& device, const std::vector<float>& a, int64_t count, int rows, int cols,
                             engine::SpectraWanted wanted) {
  const engine::DeviceArray<float> matrices(device, a);
  return device.spectra().measure(matrices.data(), count, rows, cols, wanted)->wait();
}

TEST_F(CudaDevice, SpectraAreThoseOfTheCpu) {
  const auto cpu = engine::open_cpu_device(1);
  for (const auto& [rows, cols] : {std::pair{5, 5}, {9, 4}, {4, 9}, {1, 7}, {33, 33}}) {
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(cols));
    const size_t k = size_t(std::min(rows, cols));
    constexpr int64_t count = 4;
    std::vector<float> a = random_matrices(count, rows, cols);
    std::fill_n(a.begin() + 2 * rows * cols, rows * cols, 0.0f);
    const engine::SpectraWanted wanted{true, rows == cols};
    const engine::SpectraRows got = measured(*device, a, count, rows, cols, wanted),
                              expected = measured(*cpu, a, count, rows, cols, wanted);
    const double unit = 0x1p-24 * 4 * std::max(rows, cols);
    ASSERT_EQ(got.singular_values.size(), expected.singular_values.size());
    for (size_t i = 0; i < got.singular_values.size(); ++i)
      EXPECT_NEAR(got.singular_values[i], expected.singular_values[i],
                  unit * double(expected.singular_values[i / k * k]))
          << i;
    for (size_t i = 0; i < size_t(count); ++i) {
      const SpectrumMeasures &x = got.of_singular_values[i], &y = expected.of_singular_values[i];
      EXPECT_EQ(std::isnan(x.entropy), std::isnan(y.entropy));
      if (!std::isnan(y.entropy)) {
        EXPECT_NEAR(x.entropy, y.entropy, 16 * unit);
      }
      EXPECT_NEAR(x.nuclear, y.nuclear, double(k) * unit * y.largest);
    }
    ASSERT_EQ(got.eigenvalues.size(), expected.eigenvalues.size());
    for (size_t i = 0; i < got.of_eigenvalues.size(); ++i) {
      const EigenvalueMeasures &x = got.of_eigenvalues[i], &y = expected.of_eigenvalues[i];
      EXPECT_NEAR(x.radius, y.radius, 1e-6 * y.radius);
      EXPECT_EQ(std::isnan(x.effective_rank), std::isnan(y.effective_rank));
      if (!std::isnan(y.effective_rank)) {
        EXPECT_NEAR(x.effective_rank, y.effective_rank, 1e-6);
      }
    }
  }
}

// Spectra of weights that later training overwrites: they are read before.
TEST_F(CudaDevice, SpectraArePutOffUntilTheyAreWaitedFor) {
  constexpr int64_t count = 3;
  constexpr int n = 8;
  const std::vector<float> a = random_matrices(count, n, n);
  const engine::DeviceArray<float> first(*device, a), second(*device, a);
  auto x = device->spectra().measure(first.data(), count, n, n, {true, false});
  auto y = device->spectra().measure(second.data(), count, n, n, {true, true});
  const engine::SpectraRows later = y->wait(), earlier = x->wait();
  EXPECT_EQ(earlier.singular_values, later.singular_values);
  const auto dropped = device->spectra().measure(first.data(), count, n, n, {true, true});  // nobody waits
}

TEST_F(CudaDevice, Radius) {
  const auto cpu = engine::open_cpu_device(1);
  constexpr int64_t count = 3;
  for (const int n : {1, 2, 9}) {
    const std::vector<float> a = random_matrices(count, n, n);
    std::vector<double> expected(count), got(count);
    cpu->spectra().radius(a.data(), count, n, expected.data());
    device->spectra().radius(a.data(), count, n, got.data());
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6 * expected[i]) << n;
  }
}

TEST_F(CudaDevice, LowRank) {
  const auto cpu = engine::open_cpu_device(1);
  constexpr int64_t count = 5;
  constexpr int n = 10;
  const int32_t ranks[count] = {1, 3, n, 9, 4};
  const uint64_t seeds[count] = {1, 2, 3, 4, 5};
  const std::vector<float> a = random_matrices(count, n, n);
  for (const LowRankMethod method : {LowRankMethod::svd, LowRankMethod::range_finder})
    for (const LowRankScale scale : {LowRankScale::none, LowRankScale::frobenius}) {
      const LowRankArgs<double> how{.rank = ranks, .scale = scale, .method = method, .seed = seeds};
      std::vector<float> expected = a, got = a;
      cpu->spectra().low_rank(expected.data(), count, n, how);
      device->spectra().low_rank(got.data(), count, n, how);
      const float spacing = 4 * std::numeric_limits<float>::epsilon();  // of the largest element, about 4
      for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 4 * spacing) << i;
      for (size_t i = 2 * n * n; i < 3 * n * n; ++i) EXPECT_EQ(got[i], a[i]);
    }
  for (const int32_t bad : {0, n + 1}) {
    const int32_t wrong[count] = {1, 1, bad, 1, 1};
    std::vector<float> untouched = a;
    EXPECT_THROW(device->spectra().low_rank(untouched.data(), count, n, {.rank = wrong}), Error);
    EXPECT_EQ(untouched, a);
  }
}

TEST_F(CudaDevice, Transplant) {
  const auto cpu = engine::open_cpu_device(1);
  constexpr int64_t count = 5;
  for (const auto& [rows, cols] : {std::pair(10, 10), std::pair(10, 3), std::pair(2, 9), std::pair(1, 1)}) {
    const std::vector<float> x = random_matrices(count, rows, cols);
    std::vector<float> y(x.rbegin(), x.rend());
    const size_t size = size_t(rows * cols);
    y[size] = std::numeric_limits<float>::infinity();  // of the second
    std::vector<float> expected = x, got = x;
    cpu->spectra().transplant(expected.data(), y.data(), count, rows, cols);
    device->spectra().transplant(got.data(), y.data(), count, rows, cols);
    const float spacing = 4 * std::numeric_limits<float>::epsilon();  // of the largest element, about 4
    for (size_t i = 0; i < got.size(); ++i) {
      if (i / size == 1) {
        EXPECT_TRUE(std::isnan(got[i]) && std::isnan(expected[i])) << i;
        continue;
      }
      EXPECT_NEAR(got[i], expected[i], 4 * spacing) << i << " of " << rows << " x " << cols;
    }
    EXPECT_NE(got, x);
  }
}

TEST_F(CudaDevice, AMatrixThatIsNotFiniteHarmsNoOther) {
  constexpr int64_t count = 3;
  constexpr int n = 6;
  const std::vector<float> good = random_matrices(count, n, n);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> a = good;
    a[n * n + 7] = bad;
    const engine::SpectraRows rows = measured(*device, a, count, n, n, {true, true}),
                              rows_good = measured(*device, good, count, n, n, {true, true});
    const int32_t ranks[count] = {2, 2, 2};
    std::vector<float> t = a, t_good = good;
    device->spectra().low_rank(t.data(), count, n, {.rank = ranks});
    device->spectra().low_rank(t_good.data(), count, n, {.rank = ranks});
    for (size_t i = 0; i < count * n; ++i) {
      const float s = rows.singular_values[i], e = rows.eigenvalues[2 * i];
      const bool broken = i / n == 1;
      EXPECT_TRUE(broken ? std::isnan(s) && std::isnan(e)
                         : s == rows_good.singular_values[i] && e == rows_good.eigenvalues[2 * i])
          << i;
    }
    for (size_t i = 0; i < t.size(); ++i) EXPECT_TRUE(i / (n * n) == 1 ? std::isnan(t[i]) : t[i] == t_good[i]) << i;
  }
}

}  // namespace
}  // namespace cohort::testing

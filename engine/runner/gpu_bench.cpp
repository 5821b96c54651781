#include "runner/gpu_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <set>

#include "cohort/error.h"

namespace cohort::engine {

namespace {

using Clock = std::chrono::steady_clock;

// As many networks as keep the device busy, fewer of the large ones: a step of all takes about a second at most.
int networks_at_once(const Device& device, const Signature& signature) {
  constexpr double step_flop = 4e12;
  const Device::Info& info = device.info();
  const int most = 4 * info.workers, wave = std::max(1, info.card.multiprocessors);
  const int fit = int(std::min(double(most), step_flop / flop_per_step(signature)));
  return std::clamp(fit / wave * wave, std::min(wave, most), most);
}

template <class Case, class Result>
void ask(std::vector<Measured<Case, Result>>& rows, const std::vector<Case>& cases) {
  for (const Case& c : cases) rows.push_back({c, std::nullopt, "", false});
}

template <class Rows>
std::string first_failure_of(const Rows& rows) {
  for (const auto& row : rows)
    if (row.failed) return row.problem;
  return "";
}

}  // namespace

GpuBenchSettings gpu_bench_settings(const Device& device, double seconds, bool quick) {
  GpuBenchSettings settings;
  // Inputs that few programs take, hidden units that few take, several layers, inhibitory units.
  settings.conformance = {
      {.n_in = 4, .n_hidden = 33, .n_out = 3, .batch = 40, .n_steps = 10, .bias = 1},
      {.n_in = 3, .n_hidden = 24, .n_layers = 2, .n_out = 3, .batch = 8, .n_steps = 10},
      {.n_in = 3, .n_hidden = 20, .n_out = 3, .n_inhibitory = 4, .batch = 8, .n_steps = 10, .bias = 1},
      {.n_in = 40, .n_hidden = 24, .n_out = 3, .batch = 16, .n_steps = 10, .bias = 1},
  };
  const bool cuda = device.info().backend == "cuda";  // the CPU has one precision
  if (cuda)
    for (const int n : quick ? std::vector<int>{33} : std::vector<int>{9, 32, 64, 100, 128}) {
      Signature split = settings.conformance.front();
      split.n_hidden = n;
      split.precision = Precision::fp32x3;
      settings.conformance.push_back(split);
    }
  if (!quick)
    for (const Signature& s : std::initializer_list<Signature>{
             {.n_in = 40, .n_hidden = 20, .n_layers = 2, .n_out = 3, .n_inhibitory = 4, .batch = 8, .n_steps = 10},
             {.n_in = 4, .n_hidden = 128, .n_out = 3, .batch = 64, .n_steps = 10},
             {.n_in = 4, .n_hidden = 250, .n_out = 3, .batch = 20, .n_steps = 6, .bias = 1},
             {.n_in = 4, .n_hidden = 300, .n_out = 3, .batch = 20, .n_steps = 6, .bias = 1},
             {.n_in = 4, .n_hidden = 288, .n_layers = 2, .n_out = 3, .batch = 32, .n_steps = 6},
             {.n_in = 4, .n_hidden = 260, .n_out = 3, .n_inhibitory = 26, .batch = 16, .n_steps = 6}})
      settings.conformance.push_back(s);

  std::vector<Signature> exact = {{.n_in = 3, .n_hidden = 64, .n_out = 3, .batch = 32, .n_steps = 100, .bias = 1}};
  if (!quick) {
    exact.push_back(exact.front());
    exact.back().n_in = 40;
    exact.push_back(exact.front());
    exact.back().n_hidden = 288;
  }
  const std::vector<Precision> in_halves =
      cuda ? std::vector<Precision>{Precision::fp32x3, Precision::fp16} : std::vector<Precision>{};
  for (const Precision precision : in_halves) {
    exact.push_back(exact.front());
    exact.back().precision = precision;
  }
  for (const Signature& s : exact)
    for (const double gain : {0.9, 1.5}) settings.accuracy.push_back({s, gain});

  const std::vector<int> sizes = quick ? std::vector<int>{16, 64} : std::vector<int>{16, 32, 64, 128, 256, 512};
  const int lanes = device.info().card.multiprocessors > 0 ? device.info().card.multiprocessors : device.info().workers;
  for (const int n : sizes) {
    ThroughputCase shape{.n_hidden = n, .seconds = seconds};
    shape.n_nets = networks_at_once(device, shape.signature());
    settings.throughput.push_back(shape);
    for (const Precision precision : in_halves) {
      ThroughputCase faster = shape;
      faster.precision = precision;
      if (device.training_program(faster.signature()).starts_with("mma")) settings.throughput.push_back(faster);
    }
    shape.gemm = false;
    for (const int count : std::set<int>{1, 16, lanes}) {
      shape.n_nets = count;
      settings.latency.push_back(shape);
    }
  }
  if (cuda)
    for (int geometry = 0; geometry < n_geometries; ++geometry)
      settings.update.push_back(
          {.n = quick ? 1'000'000 : 10'000'000, .geometry = GeometryId(geometry), .seconds = seconds});
  return settings;
}

bool GpuBenchReport::conforms() const {
  return std::all_of(conformance.begin(), conformance.end(),
                     [](const auto& row) { return row.result && row.result->pass(); });
}

std::string GpuBenchReport::first_failure() const {
  for (const std::string& text : {first_failure_of(conformance), first_failure_of(accuracy),
                                  first_failure_of(throughput), first_failure_of(latency), first_failure_of(update)})
    if (!text.empty()) return text;
  return "";
}

GpuBenchReport run_gpu_bench(Device& device, const GpuBenchSettings& settings,
                             const std::function<void(const std::string& name)>& before,
                             const std::function<void(const GpuBenchReport& report)>& after) {
  GpuBenchReport report;
  ask(report.conformance, settings.conformance);
  ask(report.accuracy, settings.accuracy);
  ask(report.throughput, settings.throughput);
  ask(report.latency, settings.latency);
  ask(report.update, settings.update);
  after(report);

  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const auto measure = [&](auto& row, const std::string& name, const auto& work) {
    if (seconds() > settings.total_seconds) {
      row.problem = "left out: no time";
    } else {
      before(name);
      try {
        row.result = work(row.asked);
      } catch (const CudaError& e) {
        row.problem = e.what();
      } catch (const std::bad_alloc&) {
        row.problem = "out of memory";
      }
      row.failed = !row.problem.empty();
      device.release_scratch();
    }
    report.seconds = seconds();
    after(report);
  };

  const std::unique_ptr<Device> cpu = open_cpu_device(0);
  for (auto& row : report.conformance)
    measure(row,
            fmt::format("conformance, n = {}, {} layer(s), {} inputs", row.asked.n_hidden, row.asked.n_layers,
                        row.asked.n_in),
            [&](const Signature& s) { return compare_training(device, *cpu, s); });
  for (auto& row : report.accuracy)
    measure(row, fmt::format("gradients, n = {}, gain {}", row.asked.signature.n_hidden, row.asked.gain),
            [&](const GradientErrorCase& c) {
              GradientError error = measure_gradient_error(device, c);
              GradientErrorCase in_fp32 = c;
              in_fp32.signature.precision = Precision::fp32;
              error.on_cpu = measure_gradient_error(*cpu, in_fp32).largest();
              return error;
            });
  for (auto& row : report.throughput)
    measure(row, fmt::format("throughput, n = {}, {} networks", row.asked.n_hidden, row.asked.n_nets),
            [&](const ThroughputCase& c) { return measure_throughput(device, c); });
  for (auto& row : report.update)
    measure(row, fmt::format("update, {}", info(row.asked.geometry).name),
            [&](const UpdateBandwidthCase& c) { return device.update_bandwidth(c); });
  for (auto& row : report.latency)
    measure(row, fmt::format("latency, n = {}, {} network(s)", row.asked.n_hidden, row.asked.n_nets),
            [&](const ThroughputCase& c) { return measure_throughput(device, c); });
  report.complete = true;
  after(report);
  return report;
}

}  // namespace cohort::engine

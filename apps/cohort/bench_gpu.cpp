#include <fmt/format.h>

#include <chrono>

#include "commands.h"
#include "gpu_report.h"
#include "run/atomic_file.h"
#include "runner/gpu_bench.h"

namespace cohort::app {

using namespace cohort::engine;

int bench_gpu(const Common& options, const GpuBenchOptions& bench) {
  const std::unique_ptr<Device> device = open_device(options.device, options.threads);
  fmt::print("{}", device_text(device->info()));
  std::fflush(stdout);
  const auto start = std::chrono::steady_clock::now();
  const GpuBenchReport report = run_gpu_bench(
      *device, gpu_bench_settings(*device, bench.seconds, bench.quick),
      [&](const std::string& name) {
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        fmt::print(stderr, "{:4.0f} s  {}\n", elapsed.count(), name);
        std::fflush(stderr);
      },
      [&](const GpuBenchReport& so_far) {
        if (!bench.json.empty()) write_file_atomically(bench.json, report_json(so_far, device->info(), bench.quick));
      });
  fmt::print("{}", report_text(report, device->info()));
  std::fflush(stdout);
  if (const std::string failure = report.first_failure(); !failure.empty()) {
    fmt::print(stderr, "cohort: a case could not be measured: {}\n", failure);
    return device_failure;
  }
  if (!report.conforms()) {
    fmt::print(stderr, "cohort: the device does not train as the CPU does\n");
    return not_conforming;
  }
  return ok;
}

}  // namespace cohort::app

#include <fmt/format.h>

#include "commands.h"
#include "runner/throughput.h"

namespace cohort::app {

using namespace cohort::engine;

int bench_train(const Common& options, const BenchOptions& bench) {
  const std::unique_ptr<Device> device = open_device(options.device, options.threads);
  const Device::Info& info = device->info();
  if (!bench.json)
    fmt::print("{} ({}, {} workers), fp32, batch {}, {} steps\n{:>6}{:>18}{:>10}{:>14}{:>12}\n", info.name, info.isa,
               info.workers, bench.batch, bench.steps, "n", "net-steps/s", "TFLOP/s", "GEMM TFLOP/s", "efficiency");
  for (const int n : bench.n) {
    const Throughput t = measure_throughput(*device, {.n_hidden = n,
                                                      .batch = bench.batch,
                                                      .n_steps = bench.steps,
                                                      .n_nets = bench.networks,
                                                      .seconds = bench.seconds});
    if (bench.json)
      fmt::print(
          R"({{"n": {}, "batch": {}, "seq_len": {}, "backend": "{}", "device": "{}", "isa": "{}", "precision": "fp32", "threads": {}, )"
          R"("networks": {}, "net_steps_per_s": {:.6g}, "tflops": {:.6g}, "gemm_tflops": {:.6g}, "efficiency": {:.4f}}})"
          "\n",
          n, bench.batch, bench.steps, info.backend, info.name, info.isa, info.workers, t.shape.n_nets,
          t.net_steps_per_s, t.tflops, t.gemm_tflops, t.efficiency());
    else
      fmt::print("{:>6}{:>18.6g}{:>10.4g}{:>14.4g}{:>12.3f}\n", n, t.net_steps_per_s, t.tflops, t.gemm_tflops,
                 t.efficiency());
    std::fflush(stdout);
  }
  return ok;
}

}  // namespace cohort::app

#include <fmt/format.h>

#include "commands.h"
#include "runner/throughput.h"

namespace cohort::app {

using namespace cohort::engine;

int bench_train(const Common& options, const BenchOptions& bench) {
  const std::unique_ptr<Device> device = open_device(options.device, options.threads, options.emulate_precision);
  int precision = 0;
  while (bench.precision != info(Precision(precision)).name) ++precision;
  static_cast<void>(device->training_program(ThroughputCase{.precision = Precision(precision)}.signature()));
  const Device::Info& about = device->info();
  if (!bench.json)
    fmt::print("{} ({}, {} workers), {}, batch {}, {} steps\n{:>6}{:>18}{:>10}{:>14}{:>12}\n", about.name, about.isa,
               about.workers, bench.precision, bench.batch, bench.steps, "n", "net-steps/s", "TFLOP/s", "GEMM TFLOP/s",
               "efficiency");
  for (const int n : bench.n) {
    const Throughput t = measure_throughput(*device, {.n_hidden = n,
                                                      .batch = bench.batch,
                                                      .n_steps = bench.steps,
                                                      .n_nets = bench.networks,
                                                      .seconds = bench.seconds,
                                                      .precision = Precision(precision)});
    if (bench.json)
      fmt::print(
          R"({{"n": {}, "batch": {}, "seq_len": {}, "backend": "{}", "device": "{}", "isa": "{}", "precision": "{}", "threads": {}, )"
          R"("networks": {}, "net_steps_per_s": {:.6g}, "tflops": {:.6g}, "gemm_tflops": {:.6g}, "efficiency": {:.4f}}})"
          "\n",
          n, bench.batch, bench.steps, about.backend, about.name, about.isa, bench.precision, about.workers,
          t.shape.n_nets, t.net_steps_per_s, t.tflops, t.gemm_tflops, t.efficiency());
    else
      fmt::print("{:>6}{:>18.6g}{:>10.4g}{:>14.4g}{:>12.3f}\n", n, t.net_steps_per_s, t.tflops, t.gemm_tflops,
                 t.efficiency());
    std::fflush(stdout);
  }
  return ok;
}

}  // namespace cohort::app

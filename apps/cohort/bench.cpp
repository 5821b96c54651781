#include <fmt/format.h>

#include "bench_shape.h"
#include "cohort/error.h"

namespace cohort::app {

using namespace cohort::engine;

int bench_train(const Common& options, const BenchOptions& bench) {
  const std::unique_ptr<Device> device = open_device(options.device, options.threads, options.emulate_precision);
  int precision = 0;
  while (bench.precision != info(Precision(precision)).name) ++precision;
  std::vector<ThroughputCase> cases;
  for (const int n : bench.n) cases.push_back(throughput_case(bench.shape, n));
  if (cases.empty()) cases.push_back(throughput_case(bench.shape, {}));
  for (ThroughputCase& c : cases) {
    c.n_nets = bench.networks;
    c.seconds = bench.seconds;
    c.precision = Precision(precision);
    static_cast<void>(device->training_program(c.signature()));
  }
  const Device::Info& about = device->info();
  const int batch = cases.front().batch, steps = cases.front().n_steps;
  const std::string& task = bench.shape.task;
  if (!bench.json)
    fmt::print("{} ({}, {} workers), {}, {}batch {}, {} steps\n{:>6}{:>18}{:>10}{:>14}{:>12}\n", about.name, about.isa,
               about.workers, bench.precision, task == "decision" ? "" : task + ", ", batch, steps, "n", "net-steps/s",
               "TFLOP/s", "GEMM TFLOP/s", "efficiency");
  for (const ThroughputCase& c : cases) {
    const Throughput t = measure_throughput(*device, c);
    if (t.diverged)
      throw Error(fmt::format("{} of {} networks with {} hidden units diverged: no rate of training", t.diverged,
                              t.shape.n_nets, c.n_hidden));
    if (bench.json)
      fmt::print(
          R"({{"task": "{}", "n": {}, "batch": {}, "seq_len": {}, "backend": "{}", "device": "{}", "isa": "{}", "precision": "{}", "threads": {}, )"
          R"("networks": {}, "net_steps_per_s": {:.6g}, "tflops": {:.6g}, "gemm_tflops": {:.6g}, "efficiency": {:.4f}}})"
          "\n",
          task, c.n_hidden, batch, steps, about.backend, about.name, about.isa, bench.precision, about.workers,
          t.shape.n_nets, t.net_steps_per_s, t.tflops, t.gemm_tflops, t.efficiency());
    else
      fmt::print("{:>6}{:>18.6g}{:>10.4g}{:>14.4g}{:>12.3f}\n", c.n_hidden, t.net_steps_per_s, t.tflops, t.gemm_tflops,
                 t.efficiency());
    std::fflush(stdout);
  }
  return ok;
}

}  // namespace cohort::app

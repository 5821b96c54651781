#include <fmt/format.h>

#include "bench_shape.h"
#include "runner/trace.h"

namespace cohort::app {

using namespace cohort::engine;

int bench_trace(const Common& options, const TraceOptions& t) {
  const std::unique_ptr<Device> device = open_device(options.device, options.threads);
  ThroughputCase shape = throughput_case(t.shape, t.n);
  shape.n_nets = t.networks;
  const Trace trace = trace_training(*device, shape, t.updates);
  // %.9g tells every float from its neighbours. A loss that is not finite is null, as JSON has no word for it.
  const auto list = [](const std::vector<float>& values) {
    std::string text;
    for (const float v : values) text += (text.empty() ? "" : ",") + (v - v == 0 ? fmt::format("{:.9g}", v) : "null");
    return "[" + text + "]";
  };
  fmt::print(R"({{"task": "{}", "n": {}, "batch": {}, "seq_len": {}, "networks": {}, "updates": {},)"
             "\n"
             R"("start": {},)"
             "\n"
             R"("gradient": {},)"
             "\n"
             R"("end": {},)"
             "\n"
             R"("loss": {}}})"
             "\n",
             t.shape.task, shape.n_hidden, shape.batch, shape.n_steps, t.networks, t.updates, list(trace.start),
             list(trace.gradient), list(trace.end), list(trace.loss));
  return ok;
}

}  // namespace cohort::app

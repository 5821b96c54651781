#include <fmt/format.h>

#include "commands.h"
#include "runner/trace.h"

namespace cohort::app {

using namespace cohort::engine;

int bench_trace(const Common& options, const TraceOptions& t) {
  const std::unique_ptr<Device> device = open_device(options.device, options.threads);
  const Trace trace =
      trace_training(*device, {.n_hidden = t.n, .batch = t.batch, .n_steps = t.steps, .n_nets = t.networks}, t.updates);
  // %.9g tells every float from its neighbours. A loss that is not finite is null, as JSON has no word for it.
  const auto list = [](const std::vector<float>& values) {
    std::string text;
    for (const float v : values) text += (text.empty() ? "" : ",") + (v - v == 0 ? fmt::format("{:.9g}", v) : "null");
    return "[" + text + "]";
  };
  fmt::print(R"({{"n": {}, "batch": {}, "seq_len": {}, "networks": {}, "updates": {},)"
             "\n"
             R"("start": {},)"
             "\n"
             R"("gradient": {},)"
             "\n"
             R"("end": {},)"
             "\n"
             R"("loss": {}}})"
             "\n",
             t.n, t.batch, t.steps, t.networks, t.updates, list(trace.start), list(trace.gradient), list(trace.end),
             list(trace.loss));
  return ok;
}

}  // namespace cohort::app

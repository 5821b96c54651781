#include "runner/trace.h"

namespace cohort::engine {

Trace trace_training(Device& device, const ThroughputCase& shape, int steps) {
  const ThroughputNetworks traced(device, shape);
  const Networks& networks = traced.networks;
  const Cohort<float> all = networks.view();
  const size_t n_nets = size_t(networks.size());
  const auto download = [&](const float* from) {
    std::vector<float> values(n_nets * n_params(networks.signature()));
    device.download(values.data(), from, values.size() * sizeof(float));
    return values;
  };
  Trace trace;
  trace.start = download(all.theta);
  const auto train = [&](int count) {
    DeviceArray<float> loss(device, n_nets * size_t(count));
    device.run(TrainArgs<float>{all, count, loss.data()});
    return loss.download();
  };
  const std::vector<float> first = train(1);
  trace.gradient = download(all.momentum);  // momentum starts at 0
  const std::vector<float> rest = steps > 1 ? train(steps - 1) : std::vector<float>();
  trace.end = download(all.theta);
  for (size_t i = 0; i < n_nets; ++i) {
    trace.loss.push_back(first[i]);
    const auto from = rest.begin() + ptrdiff_t(i) * (steps - 1);
    trace.loss.insert(trace.loss.end(), from, from + (steps - 1));
  }
  return trace;
}

}  // namespace cohort::engine

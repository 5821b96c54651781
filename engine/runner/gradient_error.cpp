#include "runner/gradient_error.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <new>

#include "runner/decision_network.h"
#include "runner/measure.h"
#include "runner/networks.h"

namespace cohort::engine {

namespace {

std::vector<double> exact_gradient(const ResolvedNetwork& network, const std::vector<float>& start) {
  const Program<double>& program = *cpu_program<double>(CoreId::recurrent);
  std::vector<double> theta(start.begin(), start.end()), momentum(theta.size());
  double loss = 0;
  NetState state;
  const TrainArgs<double> args{{.signature = network.signature,
                                .n_nets = 1,
                                .nets = &network.spec,
                                .state = &state,
                                .theta = theta.data(),
                                .momentum = momentum.data(),
                                .second_moment = nullptr,
                                .mask = nullptr,
                                .data = {}},
                               1,
                               &loss};
  constexpr size_t alignment = 256;
  const size_t bytes = (program.train_workspace(args, 1) + alignment - 1) / alignment * alignment;
  const std::unique_ptr<void, decltype(&std::free)> workspace(std::aligned_alloc(alignment, bytes), std::free);
  if (!workspace) throw std::bad_alloc();
  program.train(args, {0, 1, workspace.get(), bytes, nullptr});
  return momentum;
}

}  // namespace

double GradientError::largest() const {
  double largest = 0;
  for (const auto& [name, error] : tensors)
    if (!(error <= largest)) largest = error;  // a NaN stays
  return largest;
}

GradientError measure_gradient_error(Device& device, const GradientErrorCase& shape) {
  ResolvedNetwork network = decision_network(shape.signature);
  network.spec.seed = 5;
  network.spec.task.param[1] = 0;  // no noise: inputs would differ by their own rounding
  network.spec.init.gain = shape.gain;
  const Networks one(device, std::span(&network, 1), Dataset{});
  std::vector<float> start(n_params(shape.signature)), got(start.size());
  device.download(start.data(), one.view().theta, start.size() * sizeof(float));
  DeviceArray<float> loss(device, 1);
  device.run(TrainArgs<float>{one.view(), 1, loss.data()});
  device.download(got.data(), one.view().momentum, got.size() * sizeof(float));
  const std::vector<double> expected = exact_gradient(network, start);

  GradientError result;
  result.program = device.training_program(shape.signature);
  for (int k = 0; k < n_tensors(shape.signature); ++k) {
    const Tensor t = tensor(shape.signature, k);
    if (t.size() == 0) continue;
    double difference = 0, norm = 0;
    for (size_t i = t.offset; i < t.end; ++i) {
      difference += std::pow(double(got[i]) - expected[i], 2);
      norm += expected[i] * expected[i];
    }
    result.tensors.emplace_back(tensor_name(shape.signature, k), std::sqrt(difference / norm));
  }
  return result;
}

}  // namespace cohort::engine

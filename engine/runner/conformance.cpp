#include "runner/conformance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "runner/decision_network.h"
#include "runner/networks.h"

namespace cohort::engine {

namespace {

constexpr int64_t n_steps = 5;

std::vector<ResolvedNetwork> variety(const Signature& signature) {
  std::vector<ResolvedNetwork> networks;
  for (int geometry = 0; geometry < n_geometries; ++geometry)
    for (int activation = 0; activation < n_activations; ++activation) {
      ResolvedNetwork network = decision_network(signature);
      NetSpec& spec = network.spec;
      spec.seed = networks.size();
      spec.activation = ActivationId(activation);
      spec.alpha = activation % 2 ? 0.5 : 1.0;
      spec.n_excitatory = signature.n_hidden - signature.n_hidden / 4;
      if (signature.n_inhibitory > 0) {
        spec.parameterisation = ParameterisationId::dann;
        spec.init.recurrent = spec.init.input = spec.init.readout = DistributionId::dann;
      } else if (networks.size() % 3 == 1) {
        spec.parameterisation = ParameterisationId::column_ei;
        spec.init.recurrent = DistributionId::column_ei_balanced;
      }
      for (RuleSpec& rule : spec.rule) {
        rule.geometry = GeometryId(geometry);
        rule.projection = spec.parameterisation == ParameterisationId::dense ? ProjectionId::none : ProjectionId::clamp;
        rule.p = 3;
        rule.beta = 0.5;
        rule.lr = 0.01;
        rule.clip = 1;
        rule.adam = activation == 1;
        rule.adam_epsilon = 0.01;  // else the sign of a gradient that is all rounding would count
      }
      networks.push_back(network);
    }
  return networks;
}

// Parameters, momentum and losses, one network after another in each.
struct Trained {
  std::vector<float> part[3];
  Trained(Device& device, const std::vector<ResolvedNetwork>& networks) {
    const Networks cohort(device, networks, Dataset{});
    const size_t size = size_t(cohort.size()) * n_params(cohort.signature());
    DeviceArray<float> loss(device, size_t(cohort.size()) * size_t(n_steps));
    device.run(TrainArgs<float>{cohort.view(), n_steps, loss.data()});
    const float* const arrays[] = {cohort.view().theta, cohort.view().momentum};
    for (int i = 0; i < 2; ++i) {
      part[i].resize(size);
      device.download(part[i].data(), arrays[i], size * sizeof(float));
    }
    part[2] = loss.download();
  }
};

// Relative to the largest number of a; infinite where only one of two numbers is finite.
double difference_of(const float* a, const float* b, size_t size) {
  double largest = 0, difference = 0;
  for (size_t i = 0; i < size; ++i) {
    if (std::isfinite(a[i]) != std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
    if (!std::isfinite(a[i])) continue;
    largest = std::max(largest, std::abs(double(a[i])));
    difference = std::max(difference, std::abs(double(a[i]) - double(b[i])));
  }
  return difference == 0 ? 0 : difference / largest;
}

}  // namespace

Conformance compare_training(Device& device, Device& reference, const Signature& signature) {
  Signature exact = signature;
  exact.precision = Precision::fp32;
  const std::vector<ResolvedNetwork> networks = variety(signature);
  const Trained expected(reference, variety(exact)), got(device, networks);
  Conformance result{signature, device.training_program(signature), int(networks.size())};
  for (int part = 0; part < 3; ++part) {
    const size_t each = expected.part[part].size() / networks.size();
    for (size_t i = 0; i < networks.size(); ++i)
      result.difference = std::max(result.difference, difference_of(expected.part[part].data() + i * each,
                                                                    got.part[part].data() + i * each, each));
  }
  return result;
}

}  // namespace cohort::engine

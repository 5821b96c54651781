// How exact a device's gradients are: one batch through time against the CPU's program in double precision.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "device/device.h"

namespace cohort::engine {

struct GradientErrorCase {
  Signature signature;  // see decision_network
  double gain = 0.9;    // of the recurrent weights
};
struct GradientError {
  std::string program;                                  // that made the gradients (Device::training_program)
  std::vector<std::pair<std::string, double>> tensors;  // norm of the difference over the norm, by tensor
  double on_cpu = 0;  // the largest of the CPU's program in single precision, where it was asked for
  double largest() const;
};

// In the device's own start, without noise; gradients are what the first step leaves in the momentum.
GradientError measure_gradient_error(Device& device, const GradientErrorCase& shape);

}  // namespace cohort::engine

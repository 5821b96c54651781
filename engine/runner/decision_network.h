// The networks that a device is measured with: the perceptual decision task in any shape.
#pragma once

#include "config/experiment.h"

namespace cohort::engine {

// A tanh network of these shapes that never stops training; 3 inputs and more, 3 outputs, 2 time steps and more.
ResolvedNetwork decision_network(const Signature& signature);

}  // namespace cohort::engine

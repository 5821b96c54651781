// The networks that a device is measured with: the perceptual decision task in any shape, and images row by row.
#pragma once

#include "config/experiment.h"

namespace cohort::engine {

// A tanh network of these shapes that never stops training; 3 inputs and more, 3 outputs, 2 time steps and more.
ResolvedNetwork decision_network(const Signature& signature);

// A ReLU network on row-sequential images (row_mnist) that never stops training, its start and rule as of the other: 28 inputs,
// 10 outputs, 28 time steps.
ResolvedNetwork row_image_network(const Signature& signature);

}  // namespace cohort::engine

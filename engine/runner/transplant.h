// Starts with the singular vectors of one model's start and the singular values of another's (TransplantSpec).
#pragma once

#include <span>

#include "device/device.h"

namespace cohort::engine {

// theta [specs][n_params] in host memory: dense starts, rank and radius set; those whose TransplantSpec names weights are changed.
// A donor is drawn from the network's own seed as its model starts: by its default distributions at gain 1, a column-E/I network
// with its radius and no zeroed diagonal. What a network becomes depends on nothing but its spec and start.
void transplant(Device& device, const Signature& signature, std::span<const NetSpec> specs, float* theta);

}  // namespace cohort::engine

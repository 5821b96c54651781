// How fast mirror_update moves weights through the current CUDA device.
#pragma once

#include "device/update_bandwidth.h"

namespace cohort::engine {

// Medians over alternating rounds, in a stream of its own. Allocates five arrays of n_nets x n and copies; throws CudaError.
UpdateBandwidth measure_update_bandwidth(const UpdateBandwidthCase& shape);

}  // namespace cohort::engine

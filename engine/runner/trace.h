// What the networks of `cohort bench train` do in their first training steps, number by number, for comparison with other
// programs.
#pragma once

#include <vector>

#include "runner/throughput.h"

namespace cohort::engine {

struct Trace {
  std::vector<float> start, gradient, end;  // [n_nets][n_params]: before, of the first step, and after the steps
  std::vector<float> loss;                  // [n_nets][steps], before each update
};

// The networks that measure_throughput trains in this case, seeds 0, 1, ...; steps >= 1.
Trace trace_training(Device& device, const ThroughputCase& shape, int steps);

}  // namespace cohort::engine

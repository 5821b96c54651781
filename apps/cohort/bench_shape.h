// What is measured by `bench train` and `bench trace`: a task and the shape of its networks, as asked for.
#pragma once

#include "commands.h"
#include "runner/throughput.h"

namespace cohort::app {

// Throws Error where the task has other time steps.
engine::ThroughputCase throughput_case(const BenchShape& shape, std::optional<int> n);

}  // namespace cohort::app

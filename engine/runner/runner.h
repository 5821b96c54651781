// Trains and measures networks.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "config/experiment.h"
#include "device/device.h"
#include "run/result.h"

namespace cohort::engine {

struct RunContext {
  Device& device;
  const Experiment& experiment;
  Dataset data;                             // host memory; empty where no task needs one
  const std::atomic<bool>* stop = nullptr;  // set: give up at the next boundary
  // Called with the work done since the last call; below 0 where work is done again.
  std::function<void(double flop)> progress = nullptr;
};

// The networks at these positions of the sweep, all of one signature; cut into as many launches as memory asks for, which
// changes nothing in the result: where a launch runs out of memory, it is done again with half as many networks. Nothing
// (no result) when stopped. Throws CudaError where one network alone is too large.
std::optional<UnitResult> run_networks(const RunContext& context, const std::vector<int64_t>& networks);

// Training work of a network in floating-point operations.
double training_flop(const ResolvedNetwork& network);

// Has one of these networks of the sweep second moments?
bool any_adam(const Experiment& experiment, const std::vector<int64_t>& networks);

// How many networks of a signature, with or without second moments, are launched together on a device.
int64_t networks_per_cohort(const Device& device, const Signature& signature, const RunSettings& settings, bool adam);

// Device memory that one network takes while it is trained and measured, without per-worker scratch.
size_t bytes_per_network(const Signature& signature, const RunSettings& settings, bool adam);

}  // namespace cohort::engine

// Trains and measures networks.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "config/experiment.h"
#include "device/device.h"
#include "run/result.h"
#include "runner/loaded_starts.h"

namespace cohort::engine {

struct RunContext {
  Device& device;
  const Experiment& experiment;
  Dataset data;                             // host memory; empty where no task needs one
  const std::atomic<bool>* stop = nullptr;  // set: give up at the next boundary
  // Called with the work done since the last call; below 0 where work is done again.
  std::function<void(double flop)> progress = nullptr;
  const LoadedStarts* starts = nullptr;  // of experiments that do not draw theirs
};

// The networks at these positions of the sweep, all of one signature; cut into as many launches as memory asks for, which
// changes nothing in the result: where a launch runs out of memory, it is done again with half as many networks. Nothing
// (no result) when stopped. Throws CudaError where one network alone is too large.
//
// With train.until_loss or train.until_accuracy, networks that have not learned their training trials, and have not
// diverged, are trained again for 2, 3, ... times as many steps; everything that is reported is of a network's last run.
std::optional<UnitResult> run_networks(const RunContext& context, const std::vector<int64_t>& networks);

// The same for several units of one signature that are trained together: a result each.
std::optional<std::vector<UnitResult>> run_units(const RunContext& context,
                                                 const std::vector<std::vector<int64_t>>& units);

// Training work of a network in floating-point operations.
double training_flop(const ResolvedNetwork& network);
// So many times that work is what the network costs at most.
double most_runs(const UntilSettings& until);

// Has one of these networks of the sweep second moments?
bool any_adam(const Experiment& experiment, const std::vector<int64_t>& networks);

// How many networks of a signature, with or without second moments, are launched together on a device.
int64_t networks_per_cohort(const Device& device, const Signature& signature, const RunSettings& settings, bool adam);

// Device memory that one network takes while it is trained and measured, without per-worker scratch.
size_t bytes_per_network(const Signature& signature, const RunSettings& settings, bool adam);

}  // namespace cohort::engine

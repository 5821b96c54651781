// What a run will take, before it is started.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "device/device.h"
#include "runner/time_estimate.h"

namespace cohort::engine {

struct Plan {
  int64_t n_networks = 0, n_units = 0, n_cohorts = 0;  // a cohort is one launch
  int n_signatures = 0;
  double training_flop = 0, evaluation_flop = 0;
  double most_runs = 1;     // so many times training_flop at most, where training is extended
  int64_t kernel_rows = 0;  // largest tangent kernel, 0 if none is made
  double kernel_flop =
      0;  // of one measurement's kernels of the network that takes most: all tensors, now and at the start
  size_t kernel_bytes = 0;  // scratch of one worker that makes them, 0 without a device
  std::set<TangentForm> kernel_forms;
  size_t memory_bytes = 0;  // of the largest cohort, scratch included
  size_t disk_bytes = 0;
  std::map<Precision, int64_t> precisions;  // of training, with their numbers of networks
  std::map<std::string, int64_t> programs;  // that train (Device::training_program), with their numbers of networks
  TimeEstimate time;                        // 0 = not tried
};

// Throws Error where the device does not train networks of one of the experiment's signatures.
void refuse_untrainable(const Experiment& experiment, const Device& device);

// Throws Error where a network needs a tangent kernel of more rows than analysis.max_kernel_rows. `device` may be nullptr:
// then cohorts, memory, kernel_bytes and time are left at 0. Trains nothing but short trials (about two seconds).
Plan make_plan(const Experiment& experiment, Device* device);

// Aligned lines for a terminal.
std::string plan_text(const Plan& plan, const Device::Info& device);

// "8.3 s", "12 min", "3 h 05 min".
std::string duration_text(double seconds);

}  // namespace cohort::engine

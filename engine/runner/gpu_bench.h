// What a card does, all of it in a few minutes: whether it trains as the CPU does, how exact its gradients are, how fast it
// trains, how fast it updates.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "device/device.h"
#include "runner/conformance.h"
#include "runner/gradient_error.h"
#include "runner/throughput.h"

namespace cohort::engine {

struct GpuBenchSettings {
  std::vector<Signature> conformance;
  std::vector<GradientErrorCase> accuracy;
  std::vector<ThroughputCase> throughput, latency;
  std::vector<UpdateBandwidthCase> update;
  double total_seconds = 420;  // after so long no case is begun any more
};
// The set for a device. seconds: of measuring in each case of throughput, latency and update. quick: a few small cases.
GpuBenchSettings gpu_bench_settings(const Device& device, double seconds, bool quick);

// One case: what was asked, and what was found or why nothing was.
template <class Case, class Result>
struct Measured {
  Case asked;
  std::optional<Result> result;
  std::string problem;  // empty: found, or not done yet
  bool failed = false;  // by an error, not for want of time
};

struct GpuBenchReport {
  std::vector<Measured<Signature, Conformance>> conformance;
  std::vector<Measured<GradientErrorCase, GradientError>> accuracy;
  std::vector<Measured<ThroughputCase, Throughput>> throughput, latency;
  std::vector<Measured<UpdateBandwidthCase, UpdateBandwidth>> update;
  double seconds = 0;
  bool complete = false;  // every case was begun or left out
  bool conforms() const;  // every case of conformance was measured and passed
  std::string first_failure() const;
};

// Measures all cases in order; a case that fails does not keep the others from being measured. before: called with the name
// of every case. after: called with the report after every case, and at the start and the end.
GpuBenchReport run_gpu_bench(Device& device, const GpuBenchSettings& settings,
                             const std::function<void(const std::string& name)>& before,
                             const std::function<void(const GpuBenchReport& report)>& after);

}  // namespace cohort::engine

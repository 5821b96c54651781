// How long an experiment takes on a device, from short trials of some of its networks.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "config/experiment.h"
#include "device/device.h"

namespace cohort::engine {

// Seconds.
struct TimeEstimate {
  double training = 0, evaluation = 0, analysis = 0;
  double total() const { return training + evaluation + analysis; }
};

// `together`: the networks that are trained together, each of one signature. Every network is taken to train to its end; those that diverge stop earlier. Tries networks of up to eight signatures, those
// with most work, for about two seconds in all and never longer than the experiment itself would take; other signatures have the
// rates of the one among them whose step is nearest in size. Image tasks are tried on random images. 0 where all networks that
// were tried diverged at once.
TimeEstimate estimate_time(const Experiment& experiment, const std::vector<std::vector<int64_t>>& together,
                           Device& device);

// Evaluations of a network and moments of analysis other than the start and the end, of a run that ends at `steps`.
int64_t n_evaluations(const EvalSettings& settings, int64_t steps);
int64_t n_snapshots(const AnalysisSettings& settings, int64_t steps);

// Floating-point operations of one evaluated trial.
double flop_per_trial(const Signature& signature);

}  // namespace cohort::engine

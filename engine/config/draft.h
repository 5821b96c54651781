// A network while its keys are being applied, before what depends on several of them is worked out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/experiment.h"

namespace cohort::engine {

struct Draft {
  NetSpec spec;
  Signature signature;
  double ei_ratio = 0;
  std::vector<int64_t> widths;          // network.widths
  int32_t rank = 0, n_inhibitory = 0;   // as given; 0 = full, 0 = the default
  bool inhibitory_by_ratio = false;     // network.inhibitory_from
  std::optional<int32_t> transplanted;  // init.transplant, as TransplantSpec::roles; empty: by donors
  bool pairing_recurrent = false;       // init.pairing
  bool fisher = true;                   // rule.fisher
  int32_t recurrent_biases = 1;         // network.recurrent_biases
  std::optional<DistributionId> recurrent, input, readout;  // empty: by parameterisation
  std::optional<ProjectionId> projection[n_roles];          // empty: by parameterisation
  std::optional<LossId> loss;                               // empty: the task's own
  std::optional<LossSteps> loss_steps;                      // empty: the task's own
};

// Keys that do not go together: the message, and whose position to show (the first of them that is given).
struct Conflict {
  std::string message;
  std::vector<std::string> keys;
};

// Fills in what follows from several keys: defaults by parameterisation and task, populations, shapes. Returns what is
// wrong with the combination, if anything; then the draft is not to be used.
std::optional<Conflict> complete(Draft& draft);

// The starts and projections that weights have unless told otherwise.
DistributionId default_distribution(CoreId core, ParameterisationId parameterisation, Role role);
ProjectionId default_projection(ParameterisationId parameterisation, Role role);

}  // namespace cohort::engine

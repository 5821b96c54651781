// What the programs of cohort/normality.h ask of their arguments, and what their samples are. Throws cohort::Error: operation,
// field, value, what is allowed.
#pragma once

#include "cohort/normality.h"
#include "team/call_arguments.h"

COHORT_BEGIN

inline constexpr int64_t most_values = int64_t(1) << 30;  // of a sample

// One sample per network and potential; of logarithms one per network.
COHORT_FN int32_t samples_per_network(const DualChangeArgs& a) { return a.n_potentials; }
COHORT_FN int32_t samples_per_network(const LogWeightsArgs&) { return 1; }
COHORT_FN Normality* fit_of(const DualChangeArgs& a, int64_t sample) { return &a.changes[sample].change; }
COHORT_FN Normality* fit_of(const LogWeightsArgs& a, int64_t sample) { return &a.fits[sample]; }

inline bool check_samples(const CallArguments& arguments, int32_t n_nets, int64_t n, const Launch& l) {
  const bool networks = arguments.range(n_nets, "n_nets", l);
  arguments.require(n >= 0 && n <= most_values, "n", n, "0 to " + std::to_string(most_values));
  return networks;
}
inline void check_workspace(const CallArguments& arguments, const Launch& l, size_t least) {
  if (!l.workspace || reinterpret_cast<uintptr_t>(l.workspace) % 256 != 0)
    arguments.fail("workspace", "is null or not aligned; allowed: memory of the backend, 256-byte aligned");
  arguments.require(l.workspace_bytes >= least, "workspace_bytes", int64_t(l.workspace_bytes),
                    std::to_string(least) + " or more");
}

// Throw for bad arguments; otherwise, is there anything to do? `least`: bytes that one sample takes.
inline bool check_normality(const DualChangeArgs& a, const Launch& l, size_t least) {
  const CallArguments arguments("dual_change");
  const bool networks = check_samples(arguments, a.n_nets, a.n, l);
  arguments.at_least_0(a.n_potentials, "n_potentials");
  arguments.require(a.stride >= a.n, "stride", a.stride, "n = " + std::to_string(a.n) + " or more");
  if (!networks || a.n_potentials == 0) return false;
  if (a.n > 0) {
    arguments.needed(a.before, "before");
    arguments.needed(a.after, "after");
  }
  arguments.needed(a.potentials, "potentials");
  arguments.needed(a.changes, "changes");
  check_workspace(arguments, l, least);
  return true;
}
inline bool check_normality(const LogWeightsArgs& a, const Launch& l, size_t least) {
  const CallArguments arguments("log_weights");
  if (!check_samples(arguments, a.n_nets, a.n, l)) return false;
  if (a.n > 0) arguments.needed(a.weights, "weights");
  arguments.needed(a.fits, "fits");
  check_workspace(arguments, l, least);
  return true;
}

COHORT_END

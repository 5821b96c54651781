// What the update programs of every backend ask of their arguments. Throws cohort::Error: operation, field, value, what
// is allowed.
#pragma once

#include "cohort/update.h"
#include "team/call_arguments.h"

COHORT_BEGIN

inline constexpr int64_t most_weights = int64_t(1) << 38;  // of a call: 1 TiB of float

// Is there anything to do?
inline bool check_shape(const CallArguments& arguments, int32_t n_nets, int64_t n, const Launch& l) {
  arguments.at_least_0(n, "n");
  const bool networks = arguments.range(n_nets, "n_nets", l);
  arguments.require(double(n) * double(n_nets) < double(most_weights), "n", n,
                    "n_nets x n below " + std::to_string(most_weights));
  return networks && n > 0;
}

// Throw for bad arguments; otherwise, is there anything to do?
template <class Real>
bool check_update(const MirrorUpdateArgs<Real>& a, const Launch& l) {
  const CallArguments arguments("mirror_update");
  if (!check_shape(arguments, a.n_nets, a.n, l)) return false;
  arguments.needed(a.weights, "weights");
  arguments.needed(a.gradient, "gradient");
  arguments.optional(a.momentum, "momentum");
  arguments.optional(a.second_moment, "second_moment");
  arguments.at_least_0(a.step, "step");
  arguments.needed(a.rules, "rules");
  arguments.needed(a.lr, "lr");
  arguments.optional(a.scale, "scale");
  return true;
}
template <class Real>
bool check_update(const SignProjectArgs<Real>& a, const Launch& l) {
  const CallArguments arguments("sign_project");
  if (!check_shape(arguments, a.n_nets, a.n, l)) return false;
  arguments.needed(a.weights, "weights");
  arguments.optional(a.reference, "reference");
  arguments.needed(a.projections, "projections");
  return true;
}

COHORT_END

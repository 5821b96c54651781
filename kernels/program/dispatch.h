// From run-time ids to the registered structs: one branch per tensor or batch, never per weight.
#pragma once

#include "registry_geometry.h"
#include "registry_init.h"
#include "registry_parameterisation.h"
#include "registry_task.h"

COHORT_BEGIN

#define COHORT_DISPATCH(function, Id, FOR_EACH, prefix) \
  template <class F>                                    \
  COHORT_TEAM_FN void function(Id id, F f) {            \
    switch (id) { FOR_EACH(prefix) }                    \
  }
#define COHORT_CASE(word)        \
  case ParameterisationId::word: \
    f(parameterisation::word{}); \
    break;
COHORT_DISPATCH(with_parameterisation, ParameterisationId, COHORT_FOR_EACH_PARAMETERISATION, COHORT_CASE)
#undef COHORT_CASE
#define COHORT_CASE(word) \
  case TaskId::word:      \
    f(word{});            \
    break;
COHORT_DISPATCH(with_task, TaskId, COHORT_FOR_EACH_TASK, COHORT_CASE)
#undef COHORT_CASE
#define COHORT_CASE(word)    \
  case DistributionId::word: \
    f(init::word{});         \
    break;
COHORT_DISPATCH(with_distribution, DistributionId, COHORT_FOR_EACH_DISTRIBUTION, COHORT_CASE)
#undef COHORT_CASE
#undef COHORT_DISPATCH

// What the task adds to every logit; 0 for most.
COHORT_TEAM_FN double logit_offset(const TaskSpec& spec) {
  double offset = 0;
  with_task(spec.id, [&](auto task) {
    if constexpr (requires { task.logit_offset(spec.param); }) offset = task.logit_offset(spec.param);
  });
  return offset;
}

// f(map) for a geometry with these parameters. A geometry whose formula depends on them may offer specialise(params, f).
template <class G, class F>
COHORT_TEAM_FN void with_map(G map, const geometry::Params& params, F f) {
  if constexpr (requires { G::specialise(params, f); })
    G::specialise(params, f);
  else
    f(map);
}
template <class F>
COHORT_TEAM_FN void with_geometry(GeometryId id, const geometry::Params& params, F f) {
  switch (id) {
#define COHORT_CASE(word)                  \
  case GeometryId::word:                   \
    with_map(geometry::word{}, params, f); \
    break;
    COHORT_FOR_EACH_GEOMETRY(COHORT_CASE)
#undef COHORT_CASE
  }
}

COHORT_END

// From run-time ids to the registered structs: one branch per tensor or batch, never per weight.
#pragma once

#include "registry_geometry.h"
#include "registry_init.h"
#include "registry_parameterisation.h"
#include "registry_task.h"

COHORT_BEGIN

#define COHORT_DISPATCH(function, Id, FOR_EACH, prefix)      \
  template <class F>                                         \
  COHORT_TEAM_FN void function(Id id, F f) {                 \
    switch (id) { FOR_EACH(prefix) }                         \
  }
#define COHORT_CASE(word) case GeometryId::word: f(geometry::word{}); break;
COHORT_DISPATCH(with_geometry, GeometryId, COHORT_FOR_EACH_GEOMETRY, COHORT_CASE)
#undef COHORT_CASE
#define COHORT_CASE(word) case ParameterisationId::word: f(parameterisation::word{}); break;
COHORT_DISPATCH(with_parameterisation, ParameterisationId, COHORT_FOR_EACH_PARAMETERISATION, COHORT_CASE)
#undef COHORT_CASE
#define COHORT_CASE(word) case TaskId::word: f(word{}); break;
COHORT_DISPATCH(with_task, TaskId, COHORT_FOR_EACH_TASK, COHORT_CASE)
#undef COHORT_CASE
#define COHORT_CASE(word) case DistributionId::word: f(init::word{}); break;
COHORT_DISPATCH(with_distribution, DistributionId, COHORT_FOR_EACH_DISTRIBUTION, COHORT_CASE)
#undef COHORT_CASE
#undef COHORT_DISPATCH

COHORT_END

// What is registered, for people and for the engine.
#include <iterator>

#include "core/activation.h"
#include "core/loss.h"
#include "core/precision.h"
#include "program/dispatch.h"
#include "program/projection.h"
#include "program/schedule.h"
#include "registry_cell.h"

namespace cohort {

namespace {

template <class Task>
constexpr TaskInfo describe(TaskId id, const char* name) {
  return {id,
          name,
          Task::doc,
          Task::params,
          int(std::size(Task::params)),
          Task::n_in,
          Task::n_out,
          Task::n_steps,
          Task::loss,
          Task::loss_steps,
          Task::classes,
          Task::needs_data};
}

}  // namespace

const TaskInfo& task_info(TaskId id) {
#define COHORT_ROW(word) describe<word>(TaskId::word, #word),
  static constexpr TaskInfo table[] = {COHORT_FOR_EACH_TASK(COHORT_ROW)};
#undef COHORT_ROW
  return table[int(id)];
}

const char* name_of(DataKind kind) {
  static constexpr const char* names[] = {"none", "images", "tokens"};
  return names[int(kind)];
}

#define COHORT_INFO(Id, FOR_EACH)                                    \
  const ComponentInfo& info(Id id) {                                 \
    static constexpr ComponentInfo table[] = {FOR_EACH(COHORT_ROW)}; \
    return table[int(id)];                                           \
  }
#define COHORT_ROW(word) {#word, word::doc},
COHORT_INFO(ActivationId, COHORT_FOR_EACH_ACTIVATION)
COHORT_INFO(LossId, COHORT_FOR_EACH_LOSS)
COHORT_INFO(ProjectionId, COHORT_FOR_EACH_PROJECTION)
COHORT_INFO(ScheduleId, COHORT_FOR_EACH_SCHEDULE)
COHORT_INFO(Precision, COHORT_FOR_EACH_PRECISION)
#undef COHORT_ROW
#define COHORT_ROW(word) {#word, geometry::word::doc},
COHORT_INFO(GeometryId, COHORT_FOR_EACH_GEOMETRY)
#undef COHORT_ROW
bool zeros_stay(GeometryId id) {
#define COHORT_ROW(word) geometry::word::zeros_stay,
  static constexpr bool table[] = {COHORT_FOR_EACH_GEOMETRY(COHORT_ROW)};
#undef COHORT_ROW
  return table[int(id)];
}
#define COHORT_ROW(word) {#word, parameterisation::word::doc},
COHORT_INFO(ParameterisationId, COHORT_FOR_EACH_PARAMETERISATION)
#undef COHORT_ROW
#define COHORT_ROW(word) {#word, cell::word::doc},
COHORT_INFO(CellId, COHORT_FOR_EACH_CELL)
#undef COHORT_ROW
#define COHORT_ROW(word) {#word, init::word::doc},
COHORT_INFO(DistributionId, COHORT_FOR_EACH_DISTRIBUTION)
#undef COHORT_ROW
#undef COHORT_INFO

ParameterisationId parameterisation_of(CellId id) {
#define COHORT_ROW(word) cell::word::parameterisation,
  static constexpr ParameterisationId table[] = {COHORT_FOR_EACH_CELL(COHORT_ROW)};
#undef COHORT_ROW
  return table[int(id)];
}

const ComponentInfo& info(CoreId id) {
  static constexpr ComponentInfo table[] = {
      {"recurrent", "h_t = f((1-a) h + a (W h + U x + b)), trained through time"},
      {"feedforward", "layer after layer, every layer a cell; every step of a sequence by itself"}};
  return table[int(id)];
}

}  // namespace cohort

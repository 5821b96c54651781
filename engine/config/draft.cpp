#include "config/draft.h"

#include <algorithm>
#include <cmath>

namespace cohort::engine {
namespace {

struct Start {
  const char* key;
  Role role;
  std::optional<DistributionId> given;
  DistributionId* result;
};

}  // namespace

DistributionId default_distribution(ParameterisationId parameterisation, Role role) {
  if (parameterisation == ParameterisationId::column_ei) return DistributionId::column_ei_balanced;
  if (parameterisation == ParameterisationId::dann) return DistributionId::dann;
  return role == Role::recurrent ? DistributionId::normal : DistributionId::uniform_fan_in;
}

ProjectionId default_projection(ParameterisationId parameterisation, Role role) {
  const bool magnitudes =
      parameterisation == ParameterisationId::column_ei || parameterisation == ParameterisationId::dann;
  return magnitudes && role != Role::bias && role != Role::alpha ? ProjectionId::clamp : ProjectionId::none;
}

std::optional<Conflict> complete(Draft& d) {
  NetSpec& spec = d.spec;
  Signature& shape = d.signature;
  const int n = shape.n_hidden;
  const ParameterisationId parameterisation = spec.parameterisation;
  const bool column_ei = parameterisation == ParameterisationId::column_ei,
             dann = parameterisation == ParameterisationId::dann;

  // Populations. The epsilon keeps ratios such as 0.1, which have no exact binary form, from adding a unit.
  const int inhibitory = int(std::ceil(n / (d.ei_ratio + 1) - 1e-9));
  spec.n_excitatory = n - inhibitory;
  if (column_ei && spec.n_excitatory == 0)
    return Conflict{"no excitatory unit is left of network.n_hidden = " + std::to_string(n) +
                        " at network.ei_ratio = " + to_toml(d.ei_ratio) +
                        "; at least 1 is needed by parameterisation = \"column_ei\"",
                    {"network.ei_ratio", "network.n_hidden", "network.parameterisation"}};
  shape.n_inhibitory = dann ? (d.n_inhibitory > 0 ? d.n_inhibitory : std::max(n / 10, 1)) : 0;

  // Starts.
  const Start starts[] = {{"init.distribution", Role::recurrent, d.recurrent, &spec.init.recurrent},
                          {"init.input", Role::input, d.input, &spec.init.input},
                          {"init.readout", Role::readout, d.readout, &spec.init.readout}};
  for (const Start& start : starts) {
    const DistributionId id = start.given.value_or(default_distribution(parameterisation, start.role));
    *start.result = id;
    const auto conflict = [&](const std::string& why) {
      return Conflict{std::string(start.key) + " = \"" + info(id).name +
                          "\" does not go with network.parameterisation = \"" + info(parameterisation).name +
                          "\": " + why,
                      {start.key, "network.parameterisation"}};
    };
    if (dann && id != DistributionId::dann) return conflict("allowed: dann");
    if (!dann && id == DistributionId::dann)
      return conflict("it starts excitatory and inhibitory parts, which only \"dann\" has");
    if (column_ei && id == DistributionId::orthogonal)
      return conflict("magnitudes of an orthogonal matrix are not orthogonal");
    if (!column_ei && id == DistributionId::column_ei_balanced)
      return conflict("it draws magnitudes, whose signs only \"column_ei\" adds");
  }

  // Rank.
  const auto rank_conflict = [&](const std::string& why, const char* other) {
    return Conflict{"init.rank = " + std::to_string(d.rank) + why, {"init.rank", other}};
  };
  if (d.rank > n)
    return rank_conflict(
        " is above network.n_hidden = " + std::to_string(n) + "; allowed: \"full\" or 1 to " + std::to_string(n),
        "network.n_hidden");
  spec.init.rank = d.rank == n ? 0 : d.rank;
  if (spec.init.rank > 0 && (column_ei || dann))
    return rank_conflict(std::string(" does not go with network.parameterisation = \"") + info(parameterisation).name +
                             "\": truncation breaks signs; allowed: \"full\"",
                         "network.parameterisation");
  if (spec.init.rank > 0 && spec.init.density < 1)
    return rank_conflict(" does not go with init.density = " + to_toml(spec.init.density) +
                             ": truncation fills in absent weights; allowed: \"full\"",
                         "init.density");

  // Rule. Of the two clip norms only the one that is used is set.
  for (int role = 0; role < n_roles; ++role) {
    RuleSpec& rule = spec.rule[role];
    rule.projection = d.projection[role].value_or(default_projection(parameterisation, Role(role)));
    if (rule.schedule == ScheduleId::step_decay && rule.decay_every == 0) {
      static constexpr const char* tables[n_roles] = {"rule.input", "rule.recurrent", "rule.readout",
                                                      "rule.bias",  "rule.gain",      "rule.alpha"};
      const std::string table = tables[role];
      return Conflict{"rule.schedule = \"step_decay\" needs rule.decay_every, at least 1",
                      {table + ".schedule", "rule.schedule"}};
    }
  }
  const bool global = spec.clip_scope == ClipScope::global;
  spec.clip = global ? spec.rule[0].clip : 0;
  for (RuleSpec& rule : spec.rule)
    if (global) rule.clip = 0;

  // Task.
  const TaskInfo& task = task_info(spec.task.id);
  spec.task.loss = d.loss.value_or(task.loss);
  spec.task.loss_steps = d.loss_steps.value_or(task.loss_steps);
  const auto loss = [&] { return std::string("task.loss = \"") + info(spec.task.loss).name + "\""; };
  if (!task.classes && spec.task.loss == LossId::cross_entropy)
    return Conflict{loss() + " does not go with task.name = \"" + task.name +
                        "\", whose targets are numbers, not classes; allowed: mse, bce",
                    {"task.loss", "task.name"}};
  if (spec.task.label_smoothing > 0 && spec.task.loss != LossId::cross_entropy)
    return Conflict{"task.label_smoothing = " + to_toml(spec.task.label_smoothing) + " does not go with " + loss() +
                        "; allowed: 0.0",
                    {"task.label_smoothing", "task.loss", "task.name"}};
  shape.n_in = task.n_in(spec.task.param);
  shape.n_out = task.n_out(spec.task.param);
  shape.n_steps = task.n_steps(spec.task.param);
  return std::nullopt;
}

}  // namespace cohort::engine

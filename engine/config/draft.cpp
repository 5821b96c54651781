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

// The E:I ratio has to leave units of both kinds. Of n units n / (r + 1) are asked to be inhibitory; that is rounded up, but
// less than half a unit is none.
std::optional<Conflict> refuse_ratio(const Draft& d, const std::string& needed_by, const char* key) {
  const int n = d.signature.n_hidden;
  const bool excitatory = d.spec.n_excitatory > 0, inhibitory = n / (d.ei_ratio + 1) >= 0.5;
  if (excitatory && inhibitory) return std::nullopt;
  return Conflict{std::string(excitatory ? "no inhibitory" : "no excitatory") +
                      " unit is left of network.n_hidden = " + std::to_string(n) +
                      " at network.ei_ratio = " + to_toml(d.ei_ratio) + "; at least 1 is needed by " + needed_by,
                  {"network.ei_ratio", "network.n_hidden", key}};
}

// Interneurons of a DANN per tensor.
int interneurons(const Draft& d) {
  const int n = d.signature.n_hidden;
  return d.n_inhibitory > 0 ? d.n_inhibitory : d.inhibitory_by_ratio ? n - d.spec.n_excitatory : std::max(n / 10, 1);
}

std::optional<Conflict> complete_populations(Draft& d) {
  NetSpec& spec = d.spec;
  Signature& shape = d.signature;
  const int n = shape.n_hidden;
  const bool column_ei = spec.parameterisation == ParameterisationId::column_ei,
             dann = spec.parameterisation == ParameterisationId::dann;
  // The epsilon keeps ratios such as 0.1, which have no exact binary form, from adding a unit.
  spec.n_excitatory = n - int(std::ceil(n / (d.ei_ratio + 1) - 1e-9));
  if (column_ei) {
    if (auto conflict = refuse_ratio(d, "parameterisation = \"column_ei\"", "network.parameterisation"))
      return conflict;
    if (d.n_inhibitory > 0)
      return Conflict{"network.n_inhibitory = " + std::to_string(d.n_inhibitory) +
                          " does not go with network.parameterisation = \"column_ei\", whose inhibitory units "
                          "network.ei_ratio counts; allowed: 0",
                      {"network.n_inhibitory", "network.parameterisation"}};
  }
  if (dann && d.inhibitory_by_ratio) {
    if (d.n_inhibitory > 0)
      return Conflict{"network.n_inhibitory = " + std::to_string(d.n_inhibitory) +
                          " does not go with network.inhibitory_from = \"ratio\"; allowed: 0, or \"tenth\"",
                      {"network.n_inhibitory", "network.inhibitory_from"}};
    if (n / (d.ei_ratio + 1) < 0.5)
      return refuse_ratio(d, "network.inhibitory_from = \"ratio\"", "network.inhibitory_from");
  }
  shape.n_inhibitory = dann ? interneurons(d) : 0;
  for (int32_t* of_tensor : {&shape.n_inhibitory_recurrent, &shape.n_inhibitory_readout})
    if (!dann || *of_tensor == shape.n_inhibitory) *of_tensor = 0;  // equal shapes have equal signatures
  return std::nullopt;
}

std::optional<Conflict> complete_transplant(Draft& d) {
  NetSpec& spec = d.spec;
  TransplantSpec& t = spec.init.transplant;
  static constexpr const char* names[] = {"own", "dense", "column_ei", "dann"};
  const bool donors = t.vectors_of != Donor::own || t.values_of != Donor::own;
  constexpr int32_t all = 1 << int(Role::input) | 1 << int(Role::recurrent) | 1 << int(Role::readout);
  t.roles = d.transplanted.value_or(donors ? all : 0);
  t.n_inhibitory = interneurons(d);
  if (!donors && !t.roles) return std::nullopt;
  const char* const key = t.vectors_of != Donor::own  ? "init.vectors_of"
                          : t.values_of != Donor::own ? "init.values_of"
                                                      : "init.transplant";
  const std::string what =
      !donors ? std::string("init.transplant")
              : std::string(key) + " = \"" + names[int(t.vectors_of != Donor::own ? t.vectors_of : t.values_of)] + "\"";
  const auto conflict = [&](const std::string& why, const char* other) { return Conflict{what + why, {key, other}}; };
  if (!t.roles) return conflict(" changes no weights at init.transplant = []", "init.transplant");
  if (d.signature.core != CoreId::recurrent)
    return conflict(
        std::string(" does not go with network.core = \"") + info(d.signature.core).name + "\"; allowed: recurrent",
        "network.core");
  if (spec.parameterisation != ParameterisationId::dense)
    return conflict(std::string(" does not go with network.parameterisation = \"") + info(spec.parameterisation).name +
                        "\": the result has weights of both signs; allowed: dense",
                    "network.parameterisation");
  if (spec.init.rank > 0)
    return conflict(" does not go with init.rank = " + std::to_string(spec.init.rank) +
                        ": singular vectors beyond the rank are arbitrary; allowed: \"full\"",
                    "init.rank");
  if (spec.init.density < 1)
    return conflict(" does not go with init.density = " + to_toml(spec.init.density) +
                        ": a transplant fills in absent weights; allowed: 1.0",
                    "init.density");
  if (t.vectors_of == Donor::column_ei || t.values_of == Donor::column_ei)
    return refuse_ratio(d, "the donor \"column_ei\"", key);
  return std::nullopt;
}

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

  if (auto conflict = complete_populations(d)) return conflict;

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
  if (auto conflict = complete_transplant(d)) return conflict;

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

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

// Interneurons of n excitatory units (Li et al. 2023; 50 for 500 and 1 for 10 in Cornford et al. 2021).
int default_inhibitory(int n) { return std::max(n / 10, 1); }

// Feedforward networks: widths and parameterisation; what only recurrent ones have is refused.
std::optional<Conflict> complete_layers(Draft& d) {
  Signature& shape = d.signature;
  const auto recurrent_only = [](const char* key, const std::string& value, const char* allowed) {
    return Conflict{std::string(key) + " = " + value +
                        " does not go with network.core = \"feedforward\", which has no "
                        "recurrent weights; allowed: " +
                        allowed,
                    {key, "network.core"}};
  };
  if (d.spec.parameterisation != ParameterisationId::dense)
    return recurrent_only("network.parameterisation", std::string("\"") + info(d.spec.parameterisation).name + "\"",
                          "dense; network.cell says what its layers are");
  if (d.spec.alpha != 1) return recurrent_only("network.alpha", to_toml(d.spec.alpha), "1.0");
  if (d.spec.noise != 0) return recurrent_only("network.noise", to_toml(d.spec.noise), "0.0");
  if (d.rank != 0) return recurrent_only("init.rank", std::to_string(d.rank), "\"full\"");
  if (d.spec.init.spectral_radius != 0)
    return recurrent_only("init.spectral_radius", to_toml(d.spec.init.spectral_radius), "0.0");
  if (d.spec.init.density != 1) return recurrent_only("init.density", to_toml(d.spec.init.density), "1.0");
  if (shape.n_dense != 0) return recurrent_only("network.n_dense_layers", std::to_string(shape.n_dense), "0");
  if (shape.normalised_readout && !is_norm(shape.cell))
    return Conflict{std::string("network.normalised_readout = true does not go with network.cell = \"") +
                        info(shape.cell).name + "\"; allowed: false",
                    {"network.normalised_readout", "network.cell"}};
  d.spec.parameterisation = parameterisation_of(shape.cell);
  if (d.widths.empty()) return std::nullopt;
  if (d.widths.size() > size_t(max_layers))
    return Conflict{"network.widths names " + std::to_string(d.widths.size()) + " layers; allowed: up to " +
                        std::to_string(max_layers),
                    {"network.widths"}};
  shape.n_layers = int32_t(d.widths.size());
  shape.n_hidden = int32_t(*std::max_element(d.widths.begin(), d.widths.end()));
  for (int l = 0; l < shape.n_layers; ++l) {
    const int32_t width = int32_t(d.widths[size_t(l)]);
    shape.widths[l] = width == shape.n_hidden ? 0 : width;
  }
  return std::nullopt;
}

// Recurrent networks: counts the dense layers in; what only feedforward ones have is refused.
std::optional<Conflict> complete_recurrent(Draft& d) {
  const auto feedforward_only = [](const char* key, const std::string& value, const std::string& allowed) {
    return Conflict{
        std::string(key) + " = " + value + " needs network.core = \"feedforward\"; allowed here: " + allowed,
        {key, "network.core"}};
  };
  Signature& shape = d.signature;
  if (shape.cell != CellId::dense)
    return feedforward_only("network.cell", std::string("\"") + info(shape.cell).name + "\"",
                            "dense; network.parameterisation says what recurrent weights are made of");
  if (!d.widths.empty()) return feedforward_only("network.widths", to_toml(d.widths), "[]");
  if (shape.normalised_readout) return feedforward_only("network.normalised_readout", "true", "false");
  constexpr int most = 8;
  if (shape.n_layers < 1 || shape.n_layers > most)
    return feedforward_only("network.n_layers", std::to_string(shape.n_layers), "1 to " + std::to_string(most));
  if (shape.n_layers + shape.n_dense > most)
    return Conflict{"network.n_dense_layers = " + std::to_string(shape.n_dense) +
                        " and network.n_layers = " + std::to_string(shape.n_layers) +
                        " are more than 8 layers together; allowed here: 0 to " + std::to_string(most - shape.n_layers),
                    {"network.n_dense_layers", "network.n_layers"}};
  shape.n_layers += shape.n_dense;
  return std::nullopt;
}

// Positions in the arrays of a batch, and in a weight matrix, have 32 bits.
std::optional<Conflict> refuse_too_large(const Signature& shape) {
  const int64_t most = (int64_t(1) << 31) - 1, padded = (int64_t(shape.n_hidden) + 15) / 16 * 16,
                widest = std::max({int64_t(shape.n_in), padded, int64_t(shape.n_out)}),
                per_trial = widest * (int64_t(shape.n_steps) + 1);
  if (per_trial * shape.batch > most)
    return Conflict{"task.batch = " + std::to_string(shape.batch) + " trials of " + std::to_string(shape.n_steps) +
                        " steps with up to " + std::to_string(widest) +
                        " inputs, units or outputs are beyond 2^31 numbers; allowed here: " +
                        (per_trial > most ? "none" : "1 to " + std::to_string(most / per_trial)),
                    {"task.batch", "task.vocabulary", "task.steps", "network.n_hidden", "task.name"}};
  constexpr int64_t most_weights = int64_t(1) << 29;
  const int64_t largest = int64_t(std::max(shape.n_in, shape.n_out)) * shape.n_hidden;
  if (largest > most_weights)
    return Conflict{"network.n_hidden = " + std::to_string(shape.n_hidden) + " units with " +
                        std::to_string(std::max(shape.n_in, shape.n_out)) +
                        " inputs or outputs have a matrix of more than 2^29 weights; allowed here: 1 to " +
                        std::to_string(most_weights / std::max(shape.n_in, shape.n_out)),
                    {"network.n_hidden", "task.vocabulary", "task.dimension", "task.name"}};
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
  const bool feedforward = shape.core == CoreId::feedforward;
  if (feedforward) {
    if (auto conflict = complete_layers(d)) return conflict;
  } else if (auto conflict = complete_recurrent(d)) {
    return conflict;
  }
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
  shape.n_inhibitory = dann ? (d.n_inhibitory > 0 ? d.n_inhibitory : default_inhibitory(n)) : 0;

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
  if (auto conflict = refuse_too_large(shape)) return conflict;
  if (feedforward && dann && default_inhibitory(shape.n_out) != shape.n_inhibitory)
    shape.n_inhibitory_readout = default_inhibitory(shape.n_out);
  return std::nullopt;
}

}  // namespace cohort::engine

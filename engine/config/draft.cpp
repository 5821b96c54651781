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

constexpr const char* tables[n_roles] = {"rule.input", "rule.recurrent", "rule.readout",
                                         "rule.bias",  "rule.gain",      "rule.alpha"};

// `what` needs plain steps of these tensors: gradient times rate, and nothing else.
std::optional<Conflict> refuse_all_but_plain_steps(const NetSpec& spec, Role role, const std::string& what,
                                                   const char* key) {
  const RuleSpec& rule = spec.rule[int(role)];
  const auto needs = [&](const char* name, const std::string& value, const char* allowed) {
    const std::string own = std::string(tables[int(role)]) + "." + name, all = std::string("rule.") + name;
    return Conflict{what + " does not go with " + all + " = " + value + "; allowed: " + allowed, {own, all, key}};
  };
  if (rule.geometry != GeometryId::euclidean)
    return needs("geometry", std::string("\"") + info(rule.geometry).name + "\"", "euclidean");
  if (rule.adam) return needs("adam", "true", "false");
  if (rule.momentum != 0) return needs("momentum", to_toml(rule.momentum), "0.0");
  if (rule.weight_decay != 0) return needs("weight_decay", to_toml(rule.weight_decay), "0.0");
  return std::nullopt;
}

// What Adam does not read is at its default, and its decay does not turn weights round.
std::optional<Conflict> refuse_adam(const NetSpec& spec) {
  const RuleSpec usual;
  for (int role = 0; role < n_roles; ++role) {
    const RuleSpec& rule = spec.rule[role];
    if (!rule.adam) continue;
    const std::string table = tables[role];
    const auto unread = [&](const std::string& name, const std::string& value, const std::string& allowed) {
      return Conflict{"rule." + name + " = " + value + " does not go with rule.adam = true, which does not read it" +
                          (name == "momentum" ? " but rule.adam_beta1" : "") + "; allowed: " + allowed +
                          ", the default",
                      {table + "." + name, "rule." + name, table + ".adam", "rule.adam"}};
    };
    if (rule.momentum != usual.momentum) return unread("momentum", to_toml(rule.momentum), to_toml(usual.momentum));
    if (rule.dampening != usual.dampening)
      return unread("dampening", to_toml(rule.dampening), to_toml(usual.dampening));
    if (rule.nesterov != usual.nesterov) return unread("nesterov", "true", "false");
    if (rule.lr * rule.weight_decay >= 1)
      return Conflict{"rule.weight_decay = " + to_toml(rule.weight_decay) + " times rule.lr = " + to_toml(rule.lr) +
                          " is 1 or more, and rule.adam takes that part of a weight in a step; allowed: products "
                          "below 1",
                      {table + ".weight_decay", "rule.weight_decay", table + ".lr", "rule.lr"}};
  }
  return std::nullopt;
}

// The search for a rate that minds the clamp.
std::optional<Conflict> refuse_search(const Draft& d) {
  const NetSpec& spec = d.spec;
  const int candidates = spec.search.candidates;
  if (candidates == 0) return std::nullopt;
  const std::string what = "rule.lr_search = " + std::to_string(candidates);
  if (candidates == 1)
    return Conflict{what + ": one rate leaves no choice; allowed: 0 or 2 to 1000", {"rule.lr_search"}};
  bool clamped = false;
  for (int role = 0; role < n_roles; ++role) {
    const RuleSpec& rule = spec.rule[role];
    if (rule.lr_min > rule.lr)
      return Conflict{"rule.lr_min = " + to_toml(rule.lr_min) + " is above rule.lr = " + to_toml(rule.lr) +
                          "; allowed: 0.0 to " + to_toml(rule.lr),
                      {std::string(tables[role]) + ".lr_min", "rule.lr_min", std::string(tables[role]) + ".lr",
                       "rule.lr", "rule.lr_search"}};
    if (!is_weights(Role(role)) || rule.projection != ProjectionId::clamp) continue;
    clamped = true;
    if (auto conflict = refuse_all_but_plain_steps(spec, Role(role), what, "rule.lr_search")) return conflict;
  }
  if (clamped) return std::nullopt;
  return Conflict{what + " needs weights with rule.projection = \"clamp\", whose loss it limits",
                  {"rule.lr_search", "rule.projection"}};
}

// The diagonal natural gradient.
std::optional<Conflict> refuse_natural(const Draft& d) {
  const NetSpec& spec = d.spec;
  if (!spec.natural.on) return std::nullopt;
  const std::string what = "rule.natural = true";
  const auto needs = [&](const std::string& need, const char* key) {
    return Conflict{what + " needs " + need, {key, "rule.natural"}};
  };
  if (d.signature.core != CoreId::feedforward) return needs("network.core = \"feedforward\"", "network.core");
  if (spec.task.loss != LossId::cross_entropy)
    return needs("task.loss = \"cross_entropy\": it samples classes from the softmax", "task.loss");
  if (spec.task.label_smoothing != 0) return needs("task.label_smoothing = 0.0", "task.label_smoothing");
  if (spec.task.loss_steps == LossSteps::masked)
    return needs("task.loss_steps of \"all\" or \"last\"", "task.loss_steps");
  if (spec.search.candidates > 0) return needs("rule.lr_search = 0", "rule.lr_search");
  if (d.fisher && d.signature.n_inhibitory > 0)
    return needs("rule.fisher = false: it takes the place of these corrections", "rule.fisher");
  for (int role = 0; role < n_roles; ++role)
    if (Role(role) != Role::recurrent)
      if (auto conflict = refuse_all_but_plain_steps(spec, Role(role), what, "rule.natural")) return conflict;
  return std::nullopt;
}

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
  return d.n_inhibitory > 0 ? d.n_inhibitory : d.inhibitory_by_ratio ? n - d.spec.n_excitatory : default_inhibitory(n);
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

// Biases: their parts, and whether they can leave their start.
std::optional<Conflict> complete_biases(Draft& d) {
  Signature& shape = d.signature;
  const InitSpec& init = d.spec.init;
  static constexpr const char* starts[] = {"zero", "uniform", "split"};
  const std::string start = std::string("init.bias = \"") + starts[int(init.bias)] + "\"",
                    pair = "network.recurrent_biases = 2";
  if (!shape.bias) {
    if (init.bias != BiasStart::zero)
      return Conflict{start + " needs network.bias = true", {"init.bias", "network.bias"}};
    if (d.recurrent_biases > 1)
      return Conflict{pair + " needs network.bias = true", {"network.recurrent_biases", "network.bias"}};
    return std::nullopt;
  }
  if (init.bias != BiasStart::zero && init.input_mean != 0 && d.spec.parameterisation == ParameterisationId::column_ei)
    return Conflict{start + " does not go with init.input_mean = " + to_toml(init.input_mean) +
                        ", which has a start of its own; allowed: zero",
                    {"init.bias", "init.input_mean"}};
  if (d.recurrent_biases > 1 && shape.core == CoreId::feedforward)
    return Conflict{pair + " does not go with network.core = \"feedforward\"; allowed: 1",
                    {"network.recurrent_biases", "network.core"}};
  const RuleSpec& rule = d.spec.rule[int(Role::bias)];
  if (init.bias == BiasStart::zero && zeros_stay(rule.geometry))
    return Conflict{std::string("rule.bias.geometry = \"") + info(rule.geometry).name +
                        "\" never leaves the biases' start at 0; needs init.bias of \"split\" or \"uniform\"",
                    {"rule.bias.geometry", "init.bias"}};
  if (init.bias == BiasStart::split) shape.bias = 2;
  shape.bias_recurrent = d.recurrent_biases > 1 ? 2 * shape.bias : 0;
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

DistributionId default_distribution(CoreId core, ParameterisationId parameterisation, Role role) {
  const bool feedforward = core == CoreId::feedforward;
  if (parameterisation == ParameterisationId::column_ei) return DistributionId::column_ei_balanced;
  if (parameterisation == ParameterisationId::dann)
    return feedforward ? DistributionId::dann_feedforward : DistributionId::dann;
  if (feedforward) return DistributionId::he_normal;
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

  if (auto conflict = complete_populations(d)) return conflict;

  // Starts.
  const Start starts[] = {{"init.distribution", Role::recurrent, d.recurrent, &spec.init.recurrent},
                          {"init.input", Role::input, d.input, &spec.init.input},
                          {"init.readout", Role::readout, d.readout, &spec.init.readout}};
  for (const Start& start : starts) {
    const DistributionId id = start.given.value_or(default_distribution(shape.core, parameterisation, start.role));
    *start.result = id;
    const bool parts = id == DistributionId::dann || id == DistributionId::dann_feedforward;
    const auto conflict = [&](const std::string& why) {
      const bool by_cell = feedforward;
      return Conflict{std::string(start.key) + " = \"" + info(id).name + "\" does not go with network." +
                          (by_cell ? "cell = \"" : "parameterisation = \"") +
                          (by_cell ? info(shape.cell).name : info(parameterisation).name) + "\": " + why,
                      {start.key, by_cell ? "network.cell" : "network.parameterisation"}};
    };
    if (dann && !parts) return conflict("allowed: dann, dann_feedforward");
    if (!dann && parts) return conflict("it starts excitatory and inhibitory parts, which only a DANN has");
    if (column_ei && id == DistributionId::orthogonal)
      return conflict("magnitudes of an orthogonal matrix are not orthogonal");
    if (!column_ei && id == DistributionId::column_ei_balanced)
      return conflict("it draws magnitudes, whose signs only \"column_ei\" adds");
  }

  const auto first = shape.n_layers > 0 ? spec.init.input : spec.init.readout;
  if (column_ei && spec.init.input_mean != 0) {
    const std::string start = "init.input_mean = " + to_toml(spec.init.input_mean) + " needs ";
    if (!shape.bias) return Conflict{start + "network.bias = true", {"init.input_mean", "network.bias"}};
    if (first != DistributionId::column_ei_balanced)
      return Conflict{start + "weights of the first layer whose mean it cancels; allowed: column_ei_balanced",
                      {"init.input_mean", "init.input", "init.readout"}};
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
      const std::string table = tables[role];
      return Conflict{"rule.schedule = \"step_decay\" needs rule.decay_every, at least 1",
                      {table + ".schedule", "rule.schedule"}};
    }
  }
  const bool tensor = spec.clip_scope == ClipScope::tensor;
  spec.clip = tensor ? 0 : spec.rule[0].clip;
  for (RuleSpec& rule : spec.rule)
    if (!tensor) rule.clip = 0;
  if (!d.fisher) spec.fisher = {0, 0, 0, 0};
  if (auto conflict = complete_biases(d)) return conflict;
  if (auto conflict = refuse_adam(spec)) return conflict;
  if (auto conflict = refuse_search(d)) return conflict;

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
  if (auto conflict = refuse_natural(d)) return conflict;
  for (int i = 0; i < task.n_params; ++i) {
    const ParamInfo& param = task.params[i];
    const double most = param.at_most >= 0 ? spec.task.param[param.at_most] : param.max;
    if (spec.task.param[i] <= most) continue;
    const std::string key = std::string("task.") + param.name,
                      other = std::string("task.") + task.params[param.at_most].name;
    return Conflict{key + " = " + std::to_string(int64_t(spec.task.param[i])) + " is above " + other + " = " +
                        std::to_string(int64_t(most)) + "; allowed here: up to " + std::to_string(int64_t(most)),
                    {key, other}};
  }
  shape.n_in = task.n_in(spec.task.param);
  shape.n_out = task.n_out(spec.task.param);
  shape.n_steps = task.n_steps(spec.task.param);
  if (spec.task.samples > 0 && task.needs_data != DataKind::none)
    return Conflict{"task.samples = " + std::to_string(spec.task.samples) + " does not go with task.name = \"" +
                        task.name + "\", which reads a data set; allowed: 0",
                    {"task.samples", "task.name"}};
  if (auto conflict = refuse_too_large(shape)) return conflict;
  if (feedforward && dann && shape.n_inhibitory_readout == 0 && default_inhibitory(shape.n_out) != shape.n_inhibitory)
    shape.n_inhibitory_readout = default_inhibitory(shape.n_out);
  return std::nullopt;
}

}  // namespace cohort::engine

#include "config/schema.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/analysis.h"
#include "cohort/error.h"
#include "config/potential.h"
#include "data/idx.h"

namespace cohort::engine {
namespace {

#define COHORT_TEXT(word) #word,
const std::vector<std::string> cores = {COHORT_FOR_EACH_CORE(COHORT_TEXT)};
const std::vector<std::string> cells = {COHORT_FOR_EACH_CELL(COHORT_TEXT)};
const std::vector<std::string> geometries = {COHORT_FOR_EACH_GEOMETRY(COHORT_TEXT)};
const std::vector<std::string> parameterisations = {COHORT_FOR_EACH_PARAMETERISATION(COHORT_TEXT)};
const std::vector<std::string> tasks = {COHORT_FOR_EACH_TASK(COHORT_TEXT)};
const std::vector<std::string> distributions = {COHORT_FOR_EACH_DISTRIBUTION(COHORT_TEXT)};
const std::vector<std::string> activations = {COHORT_FOR_EACH_ACTIVATION(COHORT_TEXT)};
const std::vector<std::string> losses = {COHORT_FOR_EACH_LOSS(COHORT_TEXT)};
const std::vector<std::string> projections = {COHORT_FOR_EACH_PROJECTION(COHORT_TEXT)};
const std::vector<std::string> schedules = {COHORT_FOR_EACH_SCHEDULE(COHORT_TEXT)};
const std::vector<std::string> precisions = {COHORT_FOR_EACH_PRECISION(COHORT_TEXT)};
#undef COHORT_TEXT
const std::vector<std::string> roles = {"input", "recurrent", "readout", "bias", "gain", "alpha"};

constexpr Range fraction{0, 1};
constexpr Range not_negative{0};
constexpr Range positive{0, std::numeric_limits<double>::infinity(), true};
constexpr Range exponents{0, 8};
constexpr Range steps{0, 4e9};  // step numbers have 32 bits

Value text(const char* word) { return std::string(word); }
Value whole(int64_t v) { return v; }

// Kinds of rows of the table.
Key boolean(const char* path, bool fallback, const char* doc) {
  return {.path = path, .kind = Kind::boolean, .fallback = fallback, .doc = doc};
}
Key integer(const char* path, int64_t fallback, Range range, const char* doc) {
  return {.path = path, .kind = Kind::integer, .fallback = whole(fallback), .range = range, .doc = doc};
}
Key number(const char* path, double fallback, Range range, const char* doc) {
  return {.path = path, .kind = Kind::number, .fallback = fallback, .range = range, .doc = doc};
}
Key word(const char* path, const char* fallback, std::vector<std::string> choices, const char* doc) {
  return {.path = path, .kind = Kind::word, .fallback = text(fallback), .choices = std::move(choices), .doc = doc};
}
Key derived_word(const char* path, const char* from, std::vector<std::string> choices, const char* doc) {
  return {.path = path, .kind = Kind::word, .derived = from, .choices = std::move(choices), .doc = doc};
}

using Set = std::function<void(Draft&, const Setting&)>;
using SetRun = std::function<void(RunSettings&, const Setting&)>;
using SetRule = void (*)(Draft&, int role, const Setting&);

// The table under construction.
class Builder {
 public:
  std::vector<Key> take() { return std::move(keys_); }

  // A key that a sweep may vary; `single` = no rule about several keys reads it.
  void network(Key key, Set set) {
    key.swept = true;
    key.set = std::move(set);
    keys_.push_back(std::move(key));
  }
  void single(Key key, Set set) {
    key.alone = true;
    network(std::move(key), std::move(set));
  }
  void run(Key key, SetRun set) {
    key.set_run = std::move(set);
    keys_.push_back(std::move(key));
  }
  void plain(Key key) { keys_.push_back(std::move(key)); }

  // A key of [rule] for all tensors, and of [rule.input] ... for one. Biases start at 0, which maps that keep signs
  // never leave, so `for_others` is the own default of what is not weights, where it is not empty.
  void rule(Key key, bool single, SetRule set, std::optional<Value> for_others = {}) {
    const std::string name = key.path;
    key.path = "rule." + name;
    key.alone = single;
    key.swept = true;
    const bool weights_only = for_others.has_value();
    key.set = [set, weights_only](Draft& d, const Setting& s) {
      for (int role = 0; role < n_roles; ++role)
        if (!weights_only || is_weights(Role(role))) set(d, role, s);
    };
    Key of_one = key;
    keys_.push_back(std::move(key));
    of_one.doc += " (this kind of tensor only)";
    const bool by_others = !of_one.derived.empty();
    for (int role = 0; role < n_roles; ++role) {
      const bool follows = by_others && role == int(Role::gain);  // as that of weights does
      const bool own = !is_weights(Role(role)) && for_others && !follows;
      of_one.path = "rule." + roles[size_t(role)] + "." + name;
      of_one.fallback = own ? for_others : std::nullopt;
      of_one.derived = own ? "" : "as rule." + name;
      of_one.set = [set, role](Draft& d, const Setting& s) { set(d, role, s); };
      of_one_.push_back(of_one);
    }
  }
  // After the last rule(): keys of one tensor follow all keys of [rule], which they override.
  void end_of_rules() { std::move(of_one_.begin(), of_one_.end(), std::back_inserter(keys_)); }

 private:
  std::vector<Key> keys_, of_one_;
};

template <class Id>
Id id(const Setting& s) {
  return Id(s.code);
}

void network_keys(Builder& b) {
  b.single(integer("seed", 0, {0, 9007199254740991.0}, "seed of every random stream of a network"),
           [](Draft& d, const Setting& s) { d.spec.seed = uint64_t(s.code); });

  Key core =
      word("network.core", "recurrent", cores,
           "recurrent: h_t = f((1 - alpha) h_{t-1} + alpha (W h_{t-1} + U x_t + b)), y_t = V h_t + d; feedforward: "
           "layers of cells, every time step by itself");
  b.network(core, [](Draft& d, const Setting& s) { d.signature.core = id<CoreId>(s); });
  b.network(integer("network.n_hidden", 64, {1, 16384}, "units per hidden layer"),
            [](Draft& d, const Setting& s) { d.signature.n_hidden = int32_t(s.code); });
  b.network(integer("network.n_layers", 1, {0, max_layers},
                    "hidden layers: 1 to 8 recurrent ones, each over the whole sequence of the one before, or 0 to 16 "
                    "feedforward ones"),
            [](Draft& d, const Setting& s) { d.signature.n_layers = int32_t(s.code); });
  b.network(
      integer("network.n_dense_layers", 0, {0, 7},
              "recurrent: dense layers of n_hidden units between the last recurrent one and the outputs, on top of "
              "network.n_layers; no signs, leak or noise (Li et al. 2023, language modelling)"),
      [](Draft& d, const Setting& s) { d.signature.n_dense = int32_t(s.code); });
  b.network(word("network.cell", "dense", cells, "feedforward: what every layer is (Cornford et al. 2021)"),
            [](Draft& d, const Setting& s) { d.signature.cell = id<CellId>(s); });
  Key widths{.path = "network.widths",
             .kind = Kind::integers,
             .fallback = std::vector<int64_t>{},
             .range = {1, 16384},
             .doc = "feedforward: units of each hidden layer, instead of network.n_hidden and network.n_layers"};
  b.network(widths, [](Draft& d, const Setting& s) { d.widths = std::get<std::vector<int64_t>>(s.value); });
  b.single(
      word("network.norm", "standard", {"standard", "published"},
           "layer_norm, batch_norm: as in textbooks, or as in the code of Cornford et al. (2021): unbiased deviation, "
           "no epsilon, the bias inside as well"),
      [](Draft& d, const Setting& s) { d.spec.norm = id<NormForm>(s); });
  b.network(boolean("network.normalised_readout", false,
                    "layer_norm, batch_norm: normalise the outputs too (as Cornford et al. 2021 do)"),
            [](Draft& d, const Setting& s) { d.signature.normalised_readout = int32_t(s.code); });
  b.single(word("network.activation", "relu", activations, "f, of the hidden units"),
           [](Draft& d, const Setting& s) { d.spec.activation = id<ActivationId>(s); });
  b.network(number("network.alpha", 1, {0, 1, true}, "leak per step, dt / tau"),
            [](Draft& d, const Setting& s) { d.spec.alpha = s.number; });
  b.network(number("network.noise", 0, not_negative, "standard deviation added to every pre-activation while training"),
            [](Draft& d, const Setting& s) { d.spec.noise = s.number; });
  b.network(boolean("network.bias", false, "trained biases of hidden and output units, at the start as init.bias says"),
            [](Draft& d, const Setting& s) { d.signature.bias = int32_t(s.code); });
  b.network(integer("network.recurrent_biases", 1, {1, 2},
                    "network.bias: biases of a recurrent unit, 1, or 2 that are added: one of its inputs and one of "
                    "the layer (Cornford et al. 2024)"),
            [](Draft& d, const Setting& s) { d.recurrent_biases = int32_t(s.code); });
  b.network(
      word("network.parameterisation", "dense", parameterisations, "how effective weights are made of parameters"),
      [](Draft& d, const Setting& s) { d.spec.parameterisation = id<ParameterisationId>(s); });
  b.network(number("network.ei_ratio", 9, {0, 1e6, true},
                   "excitatory per inhibitory unit r: ceil(n / (r + 1)) units are inhibitory (Li et al. 2023)"),
            [](Draft& d, const Setting& s) { d.ei_ratio = s.number; });
  b.network(integer("network.n_inhibitory", 0, {0, 16384},
                    "interneurons per tensor of a DANN; 0 = by network.inhibitory_from (Li et al. 2023)"),
            [](Draft& d, const Setting& s) { d.n_inhibitory = int32_t(s.code); });
  b.network(integer("network.n_inhibitory_recurrent", 0, {0, 16384},
                    "interneurons of a DANN's recurrent weights; 0 = as its other tensors"),
            [](Draft& d, const Setting& s) { d.signature.n_inhibitory_recurrent = int32_t(s.code); });
  b.network(integer("network.n_inhibitory_readout", 0, {0, 16384},
                    "interneurons of a DANN's readout; 0 = as its other tensors"),
            [](Draft& d, const Setting& s) { d.signature.n_inhibitory_readout = int32_t(s.code); });
  b.network(
      word("network.inhibitory_from", "tenth", {"tenth", "ratio"},
           "interneurons of a DANN where network.n_inhibitory is 0: max(n_hidden div 10, 1), or by network.ei_ratio, "
           "as many as a column-E/I network has inhibitory units"),
      [](Draft& d, const Setting& s) { d.inhibitory_by_ratio = s.code == 1; });

  constexpr const char* by_parameterisation = "by network.parameterisation";
  b.network(
      derived_word(
          "init.distribution", by_parameterisation, distributions,
          "recurrent weights at the start; default normal, column_ei_balanced or dann by network.parameterisation"),
      [](Draft& d, const Setting& s) { d.recurrent = id<DistributionId>(s); });
  b.network(derived_word("init.input", by_parameterisation, distributions,
                         "input weights at the start; default uniform_fan_in, column_ei_balanced or dann by "
                         "network.parameterisation; of "
                         "feedforward networks he_normal, column_ei_balanced or dann_feedforward by network.cell"),
            [](Draft& d, const Setting& s) { d.input = id<DistributionId>(s); });
  b.network(derived_word("init.readout", by_parameterisation, distributions,
                         "output weights at the start; default as those of init.input"),
            [](Draft& d, const Setting& s) { d.readout = id<DistributionId>(s); });
  b.single(number("init.gain", 1.25, not_negative, "factor on the recurrent weights, g (Liu et al. 2024)"),
           [](Draft& d, const Setting& s) { d.spec.init.gain = s.number; });
  b.single(number("init.input_gain", 1, not_negative, "factor on the input weights"),
           [](Draft& d, const Setting& s) { d.spec.init.input_gain = s.number; });
  b.single(number("init.readout_gain", 1, not_negative, "factor on the output weights"),
           [](Draft& d, const Setting& s) { d.spec.init.readout_gain = s.number; });
  b.single(number("init.mean_over_sd", 1.5, positive,
                  "log_normal: mean over standard deviation of a magnitude, r (Cornford et al. 2024)"),
           [](Draft& d, const Setting& s) { d.spec.init.mean_over_sd = s.number; });
  Key rank{.path = "init.rank",
           .kind = Kind::integer_or_word,
           .fallback = text("full"),
           .range = {1, 16384},
           .choices = {"full"},
           .doc = "rank to which the recurrent weights are truncated, at most n_hidden (Liu et al. 2024)"};
  b.network(rank, [](Draft& d, const Setting& s) { d.rank = int32_t(s.code); });
  b.single(word("init.rank_rescale", "frobenius", {"frobenius", "sigma1", "spectral_radius"},
                "norm that truncation to a rank leaves as it was"),
           [](Draft& d, const Setting& s) { d.spec.init.rank_rescale = id<RankRescale>(s); });
  b.single(
      word("init.rank_method", "svd", {"svd", "range_finder"},
           "how the matrix is cut to its rank: best approximation, or a randomised one, cheaper (Halko et al. 2011)"),
      [](Draft& d, const Setting& s) { d.spec.init.rank_method = id<LowRankMethod>(s); });
  b.network(number("init.spectral_radius", 0, not_negative,
                   "largest eigenvalue modulus that the recurrent weights are scaled to; 0 = left as drawn"),
            [](Draft& d, const Setting& s) { d.spec.init.spectral_radius = s.number; });
  b.network(number("init.density", 1, {0, 1, true}, "fraction of recurrent weights present; the others are 0 for good"),
            [](Draft& d, const Setting& s) { d.spec.init.density = s.number; });
  b.single(
      word("init.inhibition", "column_mean", {"column_mean", "iid"},
           "dann, dann_feedforward: inhibition that centres, or drawn independently (Li et al. 2023; Cornford et al. "
           "2021)"),
      [](Draft& d, const Setting& s) { d.spec.init.iid_inhibition = int32_t(s.code); });
  b.network(word("init.bias", "zero", {"zero", "uniform", "split"},
                 "biases at the start: 0, uniform to +- B, or split into a part from 0 to sqrt(2) B and one from "
                 "-sqrt(2) B to 0, whose signs exponentiated gradient keeps; B = 1 / sqrt(inputs), of recurrent layers "
                 "1 / sqrt(n_hidden) (Cornford et al. 2024)"),
            [](Draft& d, const Setting& s) { d.spec.init.bias = id<BiasStart>(s); });
  b.single(boolean("init.zero_diagonal", true, "column_ei_balanced: recurrent weights start without self-connections"),
           [](Draft& d, const Setting& s) { d.spec.init.zero_diagonal = int32_t(s.code); });
  b.network(number("init.input_mean", 0, {-1e6, 1e6},
                   "column_ei: mean of the inputs, which the first layer's biases start by cancelling (Cornford et al. "
                   "2021)"),
            [](Draft& d, const Setting& s) { d.spec.init.input_mean = s.number; });
  const std::vector<std::string> donors = {"own", "dense", "column_ei", "dann"};
  b.network(word("init.vectors_of", "own", donors,
                 "dense: model from whose start the singular vectors are, drawn from the same seed by its default "
                 "distributions at gain 1; own: the start that the other keys make (Li et al. 2023)"),
            [](Draft& d, const Setting& s) { d.spec.init.transplant.vectors_of = id<Donor>(s); });
  b.network(word("init.values_of", "own", donors,
                 "dense: model from whose start the singular values are, matched by rank (Li et al. 2023)"),
            [](Draft& d, const Setting& s) { d.spec.init.transplant.values_of = id<Donor>(s); });
  b.network(
      {.path = "init.transplant",
       .kind = Kind::words,
       .derived = "all where init.vectors_of or init.values_of is not own",
       .choices = {"input", "recurrent", "readout"},
       .doc = "weights that take singular vectors and values from init.vectors_of and init.values_of; default all "
              "three where one of these is not own, else none"},
      [](Draft& d, const Setting& s) {
        d.transplanted = 0;
        for (const std::string& name : std::get<std::vector<std::string>>(s.value))
          *d.transplanted |= 1 << (std::find(roles.begin(), roles.end(), name) - roles.begin());
      });
  b.single(number("init.donor_radius", 1.5, positive,
                  "spectral radius of the recurrent weights of a donor that is column_ei (Li et al. 2023)"),
           [](Draft& d, const Setting& s) { d.spec.init.transplant.spectral_radius = s.number; });
  b.single(word("init.pairing", "all", {"all", "recurrent"},
                "what networks of equal seed share: all weights and data, or only recurrent weights and data (Liu et "
                "al. 2024)"),
           [](Draft& d, const Setting& s) { d.pairing_recurrent = s.code == 1; });
}

void rule_keys(Builder& b) {
  b.rule(
      word("geometry", "euclidean", geometries,
           "mirror map in which weights move; biases, gains, alphas: euclidean unless [rule.bias] ... says otherwise"),
      false, [](Draft& d, int r, const Setting& s) { d.spec.rule[r].geometry = id<GeometryId>(s); }, text("euclidean"));
  b.rule(number("p", 2, {1, 1e3, true}, "p_norm: exponent of the potential |w|^p / p (Pogodin et al. 2024)"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].p = s.number; });
  b.rule(number("beta", 1, positive,
                "hypentropy: scale between gradient descent (large) and exponentiated gradient (small)"),
         true, [](Draft& d, int r, const Setting& s) { d.spec.rule[r].beta = s.number; });
  b.rule(number("lr", 0.003, not_negative, "learning rate"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].lr = s.number; });
  b.rule(number("lr_min", 0, not_negative, "lowest rate of rule.lr_search"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].lr_min = s.number; });
  b.rule(number("momentum", 0.9, {0, 1, false, true}, "momentum"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].momentum = s.number; });
  b.rule(number("dampening", 0, fraction, "part of the gradient that momentum leaves out"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].dampening = s.number; });
  b.rule(boolean("nesterov", false, "Nesterov's form of momentum"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].nesterov = int32_t(s.code); });
  b.rule(
      number("weight_decay", 0, not_negative,
             "decay in the form of the geometry, as part of the gradient (Cornford et al. 2024); of Adam, decoupled"),
      true, [](Draft& d, int r, const Setting& s) { d.spec.rule[r].weight_decay = s.number; });
  b.rule(boolean("adam", false,
                 "AdamW in the geometry, instead of momentum (AdamW-EG: Cornford et al. 2024; usual are lr = 0.001, "
                 "weight_decay = 0.01)"),
         false, [](Draft& d, int r, const Setting& s) { d.spec.rule[r].adam = int32_t(s.code); });
  b.rule(number("adam_beta1", 0.9, {0, 1, false, true}, "rule.adam: decay of the mean of gradients"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].adam_beta1 = s.number; });
  b.rule(number("adam_beta2", 0.999, {0, 1, false, true}, "rule.adam: decay of the mean of their squares"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].adam_beta2 = s.number; });
  b.rule(number("adam_epsilon", 1e-8, positive, "rule.adam: added to the root of that mean"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].adam_epsilon = s.number; });
  b.rule(number("clip", 0, not_negative, "largest norm of a gradient; 0 = off"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].clip = s.number; });
  b.single(word("rule.clip_scope", "global", {"global", "tensor", "cell"},
                "whose norm rule.clip limits: of all gradients together, of each tensor's, or of each layer's and the "
                "readout's"),
           [](Draft& d, const Setting& s) { d.spec.clip_scope = id<ClipScope>(s); });
  b.network(boolean("rule.fisher", true,
                    "DANN: correct the gradients of inhibitory parts by Fisher information (Cornford et al. 2021)"),
            [](Draft& d, const Setting& s) { d.fisher = s.code != 0; });
  b.single(number("rule.fisher_ix", 0.5, exponents, "rule.fisher: W_ix by (excitatory outputs)^-x"),
           [](Draft& d, const Setting& s) { d.spec.fisher.ix_rows = s.number; });
  b.single(number("rule.fisher_ei", 1, exponents, "rule.fisher: W_ei by (inputs)^-x"),
           [](Draft& d, const Setting& s) { d.spec.fisher.ei_cols = s.number; });
  b.single(number("rule.fisher_alpha_rows", 0.5, exponents, "rule.fisher: alpha by (excitatory outputs)^-x"),
           [](Draft& d, const Setting& s) { d.spec.fisher.alpha_rows = s.number; });
  b.single(number("rule.fisher_alpha_cols", 1, exponents, "rule.fisher: alpha by (inputs)^-x"),
           [](Draft& d, const Setting& s) { d.spec.fisher.alpha_cols = s.number; });
  b.network(integer("rule.lr_search", 0, {0, 1000},
                    "rates from rule.lr to rule.lr_min, the first of which that keeps the norm of clamped weights is "
                    "taken; 0 = always rule.lr (Cornford et al. 2021)"),
            [](Draft& d, const Setting& s) { d.spec.search.candidates = int32_t(s.code); });
  b.single(number("rule.lr_tolerance", 0.01, fraction,
                  "rule.lr_search: part of the norm of clamped weights that a step may push below 0"),
           [](Draft& d, const Setting& s) { d.spec.search.tolerance = s.number; });
  b.network(boolean("rule.natural", false,
                    "feedforward: precondition by a running diagonal of the Fisher information (Cornford et al. 2021)"),
            [](Draft& d, const Setting& s) { d.spec.natural.on = int32_t(s.code); });
  b.single(number("rule.natural_decay", 0.02, {0, 1, true}, "rule.natural: share of the newest estimate, c"),
           [](Draft& d, const Setting& s) { d.spec.natural.decay = s.number; });
  b.single(number("rule.natural_scale", 2.5e-5, positive, "rule.natural: factor of the estimates, lambda"),
           [](Draft& d, const Setting& s) { d.spec.natural.scale = s.number; });
  Key projection = derived_word(
      "projection", "by network.parameterisation", projections,
      "what happens to a weight after its step; default none, but clamp for column_ei and dann; biases, alphas: none "
      "unless [rule.bias] ... says otherwise");
  b.rule(
      projection, true, [](Draft& d, int r, const Setting& s) { d.projection[r] = id<ProjectionId>(s); }, text("none"));
  b.rule(word("schedule", "constant", schedules, "factor on the learning rate over training"), false,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].schedule = id<ScheduleId>(s); });
  b.rule(integer("warmup", 0, steps, "training steps of linear warm-up from 0"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].warmup = s.code; });
  b.rule(integer("cooldown", 0, steps, "training steps of linear cool-down to 0 at the end"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].cooldown = s.code; });
  b.rule(integer("decay_every", 0, steps, "step_decay: training steps between reductions of the rate"), false,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].decay_every = s.code; });
  b.rule(number("decay_factor", 1, {0, 1, true}, "step_decay: factor on the rate at each reduction"), true,
         [](Draft& d, int r, const Setting& s) { d.spec.rule[r].decay_factor = s.number; });
  b.end_of_rules();
}

void task_and_train_keys(Builder& b) {
  Key name{
      .path = "task.name", .kind = Kind::word, .choices = tasks, .doc = "what the networks learn", .required = true};
  b.network(name, [](Draft& d, const Setting& s) {
    d.spec.task.id = id<TaskId>(s);
    const TaskInfo& info = task_info(d.spec.task.id);
    for (int i = 0; i < info.n_params; ++i) d.spec.task.param[i] = info.params[i].value;
  });
  b.network(integer("task.batch", 32, {1, 65536}, "trials per training step"),
            [](Draft& d, const Setting& s) { d.signature.batch = int32_t(s.code); });
  b.network(derived_word("task.loss", "by task.name", losses, "training loss; default the task's own"),
            [](Draft& d, const Setting& s) { d.loss = id<LossId>(s); });
  b.network(derived_word("task.loss_steps", "by task.name", {"all", "last", "masked"},
                         "time steps that enter the loss (masked: the task says); default the task's own"),
            [](Draft& d, const Setting& s) { d.loss_steps = id<LossSteps>(s); });
  b.network(number("task.label_smoothing", 0, {0, 1, false, true},
                   "cross_entropy: part of the target that is spread over all classes"),
            [](Draft& d, const Setting& s) { d.spec.task.label_smoothing = s.number; });
  b.network(
      integer("task.samples", 0, {0, 1e8},
              "generated tasks: training draws from so many trials of the seed, in shuffled epochs; 0 = a fresh trial "
              "every time"),
      [](Draft& d, const Setting& s) { d.spec.task.samples = int32_t(s.code); });
  b.single(integer("train.steps", 2000, steps, "training steps"),
           [](Draft& d, const Setting& s) { d.spec.steps = s.code; });
  Key precision = word("train.precision", "fp32", precisions,
                       "numbers that the matrix products of training take at least; all else is fp32");
  precision.later = {"fp64", "tf32", "bf16", "fp8"};
  b.single(precision, [](Draft& d, const Setting& s) { d.signature.precision = id<Precision>(s); });
}

void run_keys(Builder& b) {
  Key validation{.path = "task.validation",
                 .kind = Kind::integer,
                 .derived = "a twelfth of the training images",
                 .range = {0, max_images - 1},
                 .doc =
                     "images of the training set that are kept for validation; default a twelfth of it: 5,000 of "
                     "60,000"};
  b.run(validation, [](RunSettings& r, const Setting& s) { r.data.validation = int32_t(s.code); });
  b.run(integer("task.subset", 0, {0, max_images},
                "images: train on so many only, drawn by task.subset_seed, the same for all networks; 0 = on all"),
        [](RunSettings& r, const Setting& s) { r.data.subset = int32_t(s.code); });
  b.run(word("task.subset_of", "train", {"train", "test"},
             "images from which task.subset is drawn; those of test are then no test images (Pogodin et al. 2024)"),
        [](RunSettings& r, const Setting& s) { r.data.subset_of = s.code ? Split::test : Split::train; });
  b.run(integer("task.subset_seed", 0, {0, 4294967295.0}, "which images task.subset draws"),
        [](RunSettings& r, const Setting& s) { r.data.subset_seed = uint64_t(s.code); });
  b.run({.path = "init.from",
         .kind = Kind::text,
         .derived = "drawn starts",
         .doc = "directory of a run with output.parameters = true: networks start where that network ended that has "
                "equal values of the keys that both sweeps vary"},
        [](RunSettings& r, const Setting& s) { r.source.run = std::get<std::string>(s.value); });
  b.run({.path = "init.from_where",
         .kind = Kind::text,
         .derived = "no further condition",
         .doc = "init.from: values of keys that its sweep varies, KEY=VALUE,KEY=VALUE, whatever this sweep says; * is "
                "any value"},
        [](RunSettings& r, const Setting& s) { r.source.where = std::get<std::string>(s.value); });
  b.run({.path = "init.from_seed",
         .kind = Kind::integer,
         .derived = "each network's own seed",
         .range = {0, 9007199254740991.0},
         .doc = "init.from: seed of the network whose end all start from; default each network's own"},
        [](RunSettings& r, const Setting& s) { r.source.seed = s.code; });
  b.run(number("train.until_loss", 0, not_negative,
               "train again from the start, for 2, 3, ... times train.steps, until the loss on the training trials is "
               "below this; 0 = off (Pogodin et al. 2024)"),
        [](RunSettings& r, const Setting& s) { r.until.loss = s.number; });
  b.run(number("train.until_accuracy", 0, fraction,
               "the same until the fraction of right decisions on the training trials is at least this; 0 = off"),
        [](RunSettings& r, const Setting& s) { r.until.accuracy = s.number; });
  b.run(integer("train.extensions", 4, {1, 1000},
                "how often training is extended at most by train.until_loss and train.until_accuracy"),
        [](RunSettings& r, const Setting& s) { r.until.extensions = int32_t(s.code); });
  Key trials{.path = "eval.trials",
             .kind = Kind::integer_or_word,
             .derived = "by task.name",
             .range = {1, 1e7},
             .choices = {"all"},
             .doc =
                 "trials of final.loss and final.accuracy, or all of a data set's split; default 1024, and all where "
                 "the task reads a data set"};
  b.run(trials, [](RunSettings& r, const Setting& s) { r.eval.trials = s.code ? int32_t(s.code) : all_trials; });
  b.run(integer("eval.every", 0, steps, "training steps between evaluations; 0 = at the end only"),
        [](RunSettings& r, const Setting& s) { r.eval.every = s.code; });
  b.run(word("eval.split", "test", {"train", "validation", "test"},
             "part of the data set that is evaluated; generated tasks draw fresh trials"),
        [](RunSettings& r, const Setting& s) { r.eval.split = id<Split>(s); });
  Key also{.path = "eval.also",
           .kind = Kind::words,
           .fallback = std::vector<std::string>{},
           .choices = {"train", "validation"},
           .doc =
               "further parts that are evaluated at the same moments, each on as many trials as eval.split is, or on "
               "all it has where it has fewer"};
  b.run(also, [](RunSettings& r, const Setting& s) {
    r.eval.also.clear();
    for (const std::string& name : std::get<std::vector<std::string>>(s.value))
      r.eval.also.push_back(name == "train" ? Split::train : Split::validation);
  });
  b.run(integer("eval.mean_of", 0, {0, 1e6},
                "record also the mean over so many evaluations, the last of a training; 0 = off (5 in Cornford et al. "
                "2021)"),
        [](RunSettings& r, const Setting& s) { r.eval.mean_of = int32_t(s.code); });

  Key names{.path = "analysis.names",
            .kind = Kind::words,
            .fallback = std::vector<std::string>{"weight_change", "representation_alignment", "kernel_alignment",
                                                 "svd_entropy", "effective_rank"},
            .doc = "what is measured before and after training"};
  for (const Analysis& analysis : analyses()) names.choices.emplace_back(analysis.name);
  b.run(names,
        [](RunSettings& r, const Setting& s) { r.analysis.names = std::get<std::vector<std::string>>(s.value); });
  b.run(integer("analysis.probe_trials", 320, {1, 1e6}, "trials whose hidden states are compared (Liu et al. 2024)"),
        [](RunSettings& r, const Setting& s) { r.analysis.probe_trials = int32_t(s.code); });
  b.run(integer("analysis.kernel_trials", 32, {1, 1e6}, "trials whose tangent kernel is taken (Liu et al. 2024)"),
        [](RunSettings& r, const Setting& s) { r.analysis.kernel_trials = int32_t(s.code); });
  b.run(word("analysis.at", "ends", {"ends", "log"},
             "moments of analysis: start and end, or also training steps 1, 2, 4, 8, ..."),
        [](RunSettings& r, const Setting& s) { r.analysis.at = id<AnalysisSchedule>(s); });
  b.run(integer("analysis.every", 0, steps, "analyse also every so many training steps; 0 = off"),
        [](RunSettings& r, const Setting& s) { r.analysis.every = s.code; });
  Key tensors{.path = "analysis.tensors",
              .kind = Kind::words,
              .derived = "by network.core",
              .choices = {"input", "recurrent", "readout"},
              .doc = "weights that are analysed, of every layer; default recurrent, and input of feedforward networks"};
  b.run(tensors, [](RunSettings& r, const Setting& s) {
    r.analysis.tensors.clear();
    for (const std::string& name : std::get<std::vector<std::string>>(s.value))
      r.analysis.tensors.push_back(Role(std::find(roles.begin(), roles.end(), name) - roles.begin()));
  });
  Key candidates{
      .path = "analysis.candidates",
      .kind = Kind::words,
      .fallback = std::vector<std::string>{"neg_entropy", "p_norm:1.5", "euclidean", "p_norm:2.5", "p_norm:3"},
      .choices = potential_words(),
      .read = [](const std::string& word) { read_potential(word); },
      .doc = "dual_change: potentials in whose dual spaces changes are measured (Pogodin et al. 2024)"};
  b.run(candidates, [](RunSettings& r, const Setting& s) {
    r.analysis.candidates.clear();
    for (const std::string& word : std::get<std::vector<std::string>>(s.value))
      r.analysis.candidates.push_back(read_potential(word));
  });
  b.run(integer("analysis.max_kernel_rows", 2048, {1, 1e6},
                "largest tangent kernel, rows (trials x steps x outputs), that is planned"),
        [](RunSettings& r, const Setting& s) { r.analysis.max_kernel_rows = s.code; });

  b.run(word("output.weights", "none", {"none", "final", "all"},
             "weights that are kept: none, after training, or also at the start"),
        [](RunSettings& r, const Setting& s) { r.output.weights = id<KeptWeights>(s); });
  b.run(boolean("output.parameters", false, "keep the parameters after training, for init.from of another experiment"),
        [](RunSettings& r, const Setting& s) { r.output.parameters = s.code != 0; });
  b.run(integer("output.history_every", 10, steps, "training steps between recorded losses; 0 = none"),
        [](RunSettings& r, const Setting& s) { r.output.history_every = s.code; });
}

std::vector<Key> build() {
  Builder b;
  b.plain({.path = "name", .kind = Kind::text, .doc = "name of the experiment", .required = true});
  network_keys(b);
  rule_keys(b);
  task_and_train_keys(b);
  run_keys(b);
  return b.take();
}

std::string join(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

const char* wanted_type(Kind kind) {
  static constexpr const char* names[] = {
      "true or false",          "an integer", "a number",          "a string",
      "an integer or a string", "a string",   "a list of strings", "a list of integers"};
  return names[int(kind)];
}

[[noreturn]] void wrong_type(const Key& key, const Node& node) {
  const bool several = key.swept && std::holds_alternative<Node::Array>(node.value);
  fail(node.at, key.path + " = " + shown(node) + ": wanted " + wanted_type(key.kind) + ", got " + type_name(node) +
                    "; allowed: " + allowed(key) + (several ? "; an axis is sweep." + key.path : ""));
}

int64_t choice(const Key& key, const Node& node) {
  const std::string& word = std::get<std::string>(node.value);
  const auto found = std::find(key.choices.begin(), key.choices.end(), word);
  if (found != key.choices.end()) return found - key.choices.begin();
  const std::string start = key.path + " = " + shown(node);
  if (std::find(key.later.begin(), key.later.end(), word) != key.later.end())
    fail(node.at, start + ": is not available in this version; allowed: " + allowed(key));
  const std::string meant = nearest(word, key.choices);
  fail(node.at, start + ": unknown word" + (meant.empty() ? "" : "; did you mean \"" + meant + "\"?") +
                    "; allowed: " + allowed(key));
}

// One of a list of words.
void check_word(const Key& key, const Node& node) {
  if (!key.read) {
    choice(key, node);
    return;
  }
  try {
    key.read(std::get<std::string>(node.value));
  } catch (const Error& e) {
    fail(node.at, key.path + " = " + shown(node) + ": " + e.what() + "; allowed: " + allowed(key));
  }
}

// Insertions, deletions, replacements and exchanges of neighbours that turn a into b.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

// A parameter that changes the shape of a task counts steps or channels, so it is a whole number; so are those that say it.
bool is_count(const TaskInfo& task, int param) {
  double a[max_task_params] = {}, b[max_task_params] = {};
  for (int i = 0; i < task.n_params; ++i) a[i] = b[i] = task.params[i].value;
  b[param] += a[param] + 1 <= task.params[param].max ? 1 : -1;
  return task.params[param].whole || task.n_in(a) != task.n_in(b) || task.n_out(a) != task.n_out(b) ||
         task.n_steps(a) != task.n_steps(b);
}

std::string_view table_of(std::string_view path) {
  return path.substr(0, path.rfind('.') == path.npos ? 0 : path.rfind('.'));
}
const std::string& nearest_of(const std::string& word, std::span<const std::string> words) {
  return *std::min_element(words.begin(), words.end(), [&](const auto& a, const auto& b) {
    return edit_distance(word, a) < edit_distance(word, b);
  });
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('.') + 1); }

}  // namespace

const std::vector<Key>& schema() {
  static const std::vector<Key> keys = build();
  return keys;
}

const Key* find_key(std::string_view path) {
  for (const Key& key : schema())
    if (key.path == path) return &key;
  return nullptr;
}

std::vector<Key> task_keys(std::span<const TaskId> of) {
  std::vector<Key> keys;
  if (of.empty()) return keys;
  const TaskInfo& first = task_info(of[0]);
  for (int i = 0; i < first.n_params; ++i) {
    const ParamInfo& param = first.params[i];
    Range range{param.min, param.max};
    std::array<int, n_tasks> index{};  // where each task keeps it
    bool common = true;
    for (const TaskId task : of) {
      const TaskInfo& info = task_info(task);
      const auto* found = std::find_if(info.params, info.params + info.n_params,
                                       [&](const ParamInfo& p) { return std::string_view(p.name) == param.name; });
      common = common && found != info.params + info.n_params;
      if (!common) break;
      index[size_t(task)] = int(found - info.params);
      range.min = std::max(range.min, found->min);
      range.max = std::min(range.max, found->max);
    }
    if (!common) continue;
    const std::string path = std::string("task.") + param.name;
    Key key = is_count(first, i) ? integer(path.c_str(), int64_t(param.value), range, param.doc)
                                 : number(path.c_str(), param.value, range, param.doc);
    if (of.size() > 1) {
      key.fallback.reset();
      key.derived = "by task.name";
    }
    key.swept = true;
    key.set = [index](Draft& d, const Setting& s) { d.spec.task.param[index[size_t(d.spec.task.id)]] = s.number; };
    keys.push_back(std::move(key));
  }
  return keys;
}

bool is_task_parameter(std::string_view path) {
  if (table_of(path) != "task") return false;
  for (int task = 0; task < n_tasks; ++task) {
    const TaskInfo& info = task_info(TaskId(task));
    for (int i = 0; i < info.n_params; ++i)
      if (name_of(path) == info.params[i].name) return true;
  }
  return false;
}

bool is_reserved(std::string_view path) { return path == "select" || path.substr(0, 7) == "select."; }

bool is_table(std::string_view path) {
  return std::any_of(schema().begin(), schema().end(), [&](const Key& key) {
    return key.path.size() > path.size() && key.path[path.size()] == '.' && key.path.compare(0, path.size(), path) == 0;
  });
}

std::string allowed(const Key& key) {
  const auto bound = [&](double v) { return key.kind == Kind::number ? to_toml(v) : to_toml(int64_t(v)); };
  const auto numbers = [&]() -> std::string {
    const Range& r = key.range;
    const bool any = std::isinf(r.max);
    if (key.kind != Kind::number) return "an integer from " + bound(r.min) + " to " + bound(r.max);
    if (any) return (r.without_min ? "a number above " : "a number, at least ") + bound(r.min);
    if (!r.without_min && !r.without_max) return "a number from " + bound(r.min) + " to " + bound(r.max);
    return std::string("a number ") + (r.without_min ? "above " : "from ") + bound(r.min) +
           (r.without_max ? " to below " : " to ") + bound(r.max);
  };
  switch (key.kind) {
    case Kind::boolean:
      return "true, false";
    case Kind::integer:
    case Kind::number:
      return numbers();
    case Kind::integer_or_word:
      return quoted(key.choices[0]) + " or " + numbers();
    case Kind::word:
      return join(key.choices);
    case Kind::text:
      return "1 to 200 characters";
    case Kind::words:
      return "a list of " + join(key.choices);
    case Kind::integers:
      return "a list of integers from " + bound(key.range.min) + " to " + bound(key.range.max);
  }
  return "";
}

std::optional<Setting> check(const Key& key, double value) {
  const bool is_number = key.kind == Kind::number;
  const double v = is_number ? value : std::nearbyint(value);
  if (!key.range.holds(v)) return std::nullopt;
  if (is_number) return Setting{v, 0, v};
  return Setting{int64_t(v), int64_t(v), v};
}

std::optional<Setting> fallback_setting(const Key& key) {
  if (!key.fallback) return std::nullopt;
  Setting setting{*key.fallback};
  if (const auto* flag = std::get_if<bool>(&setting.value)) setting.code = *flag;
  if (const auto* whole_number = std::get_if<int64_t>(&setting.value))
    setting.number = double(setting.code = *whole_number);
  if (const auto* real = std::get_if<double>(&setting.value)) setting.number = *real;
  if (const auto* chosen = std::get_if<std::string>(&setting.value))
    setting.code = std::find(key.choices.begin(), key.choices.end(), *chosen) - key.choices.begin();
  return setting;
}

Setting check(const Key& key, const Node& node) {
  const auto* integer_value = std::get_if<int64_t>(&node.value);
  const auto* string_value = std::get_if<std::string>(&node.value);
  const auto in_range = [&](double v) {
    if (const auto setting = check(key, v)) return *setting;
    fail(node.at, key.path + " = " + shown(node) + ": out of range; allowed: " + allowed(key));
  };
  switch (key.kind) {
    case Kind::boolean:
      if (const auto* v = std::get_if<bool>(&node.value)) return {*v, *v, double(*v)};
      break;
    case Kind::number:
      if (const auto* v = std::get_if<double>(&node.value)) return in_range(*v);
      if (integer_value) return in_range(double(*integer_value));
      break;
    case Kind::integer:
      if (integer_value) return in_range(double(*integer_value));
      break;
    case Kind::integer_or_word:
      if (integer_value) return in_range(double(*integer_value));
      if (string_value) {
        choice(key, node);
        return {*string_value};
      }
      break;
    case Kind::word:
      if (string_value) return {*string_value, choice(key, node)};
      break;
    case Kind::text:
      if (!string_value) break;
      if (string_value->empty() || string_value->size() > 200)
        fail(node.at, key.path + " = " + shown(node) + ": allowed: " + allowed(key));
      return {*string_value};
    case Kind::words: {
      if (!node.array()) break;
      std::vector<std::string> words;
      for (const Node& item : node.array()->items) {
        if (!std::holds_alternative<std::string>(item.value)) wrong_type(key, item);
        check_word(key, item);
        words.push_back(std::get<std::string>(item.value));
        if (std::count(words.begin(), words.end(), words.back()) > 1)
          fail(item.at, key.path + ": " + shown(item) + " is there twice");
      }
      return {words};
    }
    case Kind::integers: {
      if (!node.array()) break;
      std::vector<int64_t> numbers;
      for (const Node& item : node.array()->items) {
        const auto* v = std::get_if<int64_t>(&item.value);
        if (!v) wrong_type(key, item);
        if (!key.range.holds(double(*v)))
          fail(item.at, key.path + ": " + shown(item) + ": out of range; allowed: " + allowed(key));
        numbers.push_back(*v);
      }
      return {numbers};
    }
  }
  wrong_type(key, node);
}

std::string nearest(const std::string& word, std::span<const std::string> words) {
  if (word.size() > 100 || words.empty()) return "";
  const std::string best = nearest_of(word, words);
  const size_t distance = edit_distance(word, best);
  return distance <= std::max<size_t>(2, word.size() / 4) && distance < best.size() ? best : "";
}

std::string unknown_key(const std::string& path, std::span<const Key> more) {
  std::string message = "unknown key " + quoted(path, 60);
  std::vector<std::string> all, there, same_name;
  const auto add = [&](const Key& key) {
    all.push_back(key.path);
    if (table_of(key.path) == table_of(path)) there.emplace_back(name_of(key.path));
    if (name_of(key.path) == name_of(path)) same_name.push_back(key.path);
  };
  for (const Key& key : schema()) add(key);
  for (const Key& key : more) add(key);
  // The right name in the wrong table is likelier than a typo.
  std::string meant = same_name.empty() ? nearest(path, all) : nearest_of(path, same_name);
  if (!meant.empty()) return message + "; did you mean '" + meant + "'?";
  if (there.empty())
    return message + "; allowed tables: network, init, rule, task, train, eval, analysis, output, sweep";
  const std::string_view table = table_of(path);
  return message + "; allowed" + (table.empty() ? "" : " in [" + std::string(table) + "]") + ": " + join(there);
}

}  // namespace cohort::engine

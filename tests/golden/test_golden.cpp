// The program in double precision against golden files: losses, gradients, updates and tangent kernels that generate.py
// computed with automatic differentiation from the published formulas, without this code.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "alignment/tangent.h"
#include "program/feedforward.h"
#include "team/serial.h"

namespace cohort {
namespace {

using Numbers = std::vector<double>;

// ---- a file
// -----------------------------------------------------------------------------------------------------------
struct Case {
  struct Update {
    double loss;
    Numbers theta;
  };
  struct TangentKernel {  // rows in the order (trial, step, output)
    int tensor;
    Numbers start, now;  // at the first and at the last parameters
  };

  Signature signature;
  NetSpec net;
  bool classes;
  Numbers x;                        // [t][b][i]
  std::vector<int> labels;          // [t][b], or empty
  std::vector<int> sampled_labels;  // [update][t][b], of natural gradients
  Numbers targets;                  // [t][b][o], or empty
  Numbers weights;                  // [t][b]
  Numbers theta, gradient;
  Numbers corrected;  // gradient as the update moves by it, or empty: the same
  double loss;
  std::vector<Update> updates;
  std::vector<TangentKernel> tangent_kernels;

  explicit Case(const std::filesystem::path& file) {
    std::ifstream in(file);
    const nlohmann::json j = nlohmann::json::parse(in);
    const auto& s = j.at("signature");
    signature = {.core = word<CoreId>(s.at("core"), n_cores),
                 .n_in = s.at("n_in"),
                 .n_hidden = s.at("n_hidden"),
                 .n_layers = s.at("n_layers"),
                 .n_out = s.at("n_out"),
                 .n_inhibitory = s.at("n_inhibitory"),
                 .batch = s.at("batch"),
                 .n_steps = s.at("n_steps"),
                 .bias = s.at("bias"),
                 .bias_recurrent = s.value("bias_recurrent", 0)};
    if (signature.core == CoreId::feedforward) {
      signature.cell = word<CellId>(s.at("cell"), n_cells);
      signature.normalised_readout = s.at("normalised_readout");
      signature.n_inhibitory_readout = s.at("n_inhibitory_readout");
      for (size_t l = 0; l < s.at("widths").size(); ++l)
        if (s["widths"][l] != s["n_hidden"]) signature.widths[l] = s["widths"][l];
    }
    const auto& n = j.at("net");
    net.parameterisation = word<ParameterisationId>(n.at("parameterisation"), n_parameterisations);
    net.activation = word<ActivationId>(n.at("activation"), n_activations);
    net.n_excitatory = n.at("n_excitatory");
    net.alpha = n.value("alpha", 1.0);
    if (n.contains("norm")) net.norm = NormForm(index(n["norm"], {"standard", "published"}));
    net.task.loss = word<LossId>(n.at("task").at("loss"), n_losses);
    net.task.loss_steps = LossSteps(index(n.at("task").at("loss_steps"), {"all", "last", "masked"}));
    net.task.label_smoothing = n.at("task").at("label_smoothing");
    for (const auto& [role, r] : n.at("rule").items())
      net.rule[index(role, {"input", "recurrent", "readout", "bias", "gain", "alpha"})] = rule(r);
    net.clip_scope = ClipScope(index(n.at("clip_scope"), {"global", "tensor", "cell"}));
    net.clip = n.at("clip");
    if (n.contains("fisher"))
      net.fisher = {n["fisher"].at("ix_rows"), n["fisher"].at("ei_cols"), n["fisher"].at("alpha_rows"),
                    n["fisher"].at("alpha_cols")};
    if (n.contains("natural")) net.natural = {1, n["natural"].at("decay"), n["natural"].at("scale")};
    if (n.contains("search")) net.search = {n["search"].at("candidates"), n["search"].at("tolerance")};
    net.steps = n.at("steps");
    classes = j.contains("labels");
    if (classes) append(j.at("labels"), labels);
    if (!classes) append(j.at("targets"), targets);
    if (j.contains("sampled_labels")) append(j.at("sampled_labels"), sampled_labels);
    append(j.at("x"), x);
    append(j.at("weights"), weights);
    append(j.at("theta"), theta);
    append(j.at("gradient"), gradient);
    if (j.contains("corrected_gradient")) append(j.at("corrected_gradient"), corrected);
    loss = j.at("loss");
    for (const auto& u : j.at("updates")) {
      updates.push_back({u.at("loss"), {}});
      append(u.at("theta"), updates.back().theta);
    }
    if (j.contains("tangent_kernels"))
      for (const auto& k : j.at("tangent_kernels")) {
        tangent_kernels.push_back({k.at("tensor"), {}, {}});
        append(k.at("start"), tangent_kernels.back().start);
        append(k.at("now"), tangent_kernels.back().now);
      }
    const size_t positions = size_t(signature.n_steps) * size_t(signature.batch), params = n_params(signature);
    if (x.size() != positions * size_t(signature.n_in) || weights.size() != positions || theta.size() != params ||
        gradient.size() != params ||
        (classes ? labels.size() != positions : targets.size() != positions * size_t(signature.n_out)) ||
        updates.empty())
      throw std::runtime_error(file.string() + ": sizes do not fit the signature");
  }

 private:
  static int index(const std::string& name, std::initializer_list<const char*> names) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) throw std::runtime_error("golden file: what is '" + name + "'?");
    return int(found - names.begin());
  }
  template <class Id>
  static Id word(const std::string& name, int count) {
    for (int i = 0; i < count; ++i)
      if (name == info(Id(i)).name) return Id(i);
    throw std::runtime_error("golden file: nothing registered is called '" + name + "'");
  }
  static RuleSpec rule(const nlohmann::json& r) {
    return {.geometry = word<GeometryId>(r.at("geometry"), n_geometries),
            .projection = word<ProjectionId>(r.at("projection"), n_projections),
            .schedule = word<ScheduleId>(r.at("schedule"), n_schedules),
            .nesterov = r.at("nesterov"),
            .p = r.at("p"),
            .beta = r.at("beta"),
            .lr = r.at("lr"),
            .lr_min = r.value("lr_min", 0.0),
            .momentum = r.at("momentum"),
            .dampening = r.at("dampening"),
            .weight_decay = r.at("weight_decay"),
            .clip = r.at("clip"),
            .warmup = r.at("warmup"),
            .cooldown = r.at("cooldown"),
            .decay_every = r.at("decay_every"),
            .decay_factor = r.at("decay_factor"),
            .adam = r.value("adam", 0),
            .adam_beta1 = r.value("beta1", 0.9),
            .adam_beta2 = r.value("beta2", 0.999),
            .adam_epsilon = r.value("epsilon", 1e-8)};
  }
  template <class T>
  static void append(const nlohmann::json& nested, std::vector<T>& flat) {
    if (nested.is_array())
      for (const auto& part : nested) append(part, flat);
    else
      flat.push_back(nested.get<T>());
  }
};

// ---- the program
// ------------------------------------------------------------------------------------------------------
struct Outcome {
  Numbers gradient, corrected;      // before the first update
  Numbers losses;                   // before the first and after every update
  std::vector<Numbers> thetas;      // after every update
  std::vector<Numbers> start, now;  // tangent kernels
};

struct Free {
  void operator()(unsigned char* p) const { std::free(p); }
};
using Memory = std::unique_ptr<unsigned char, Free>;

template <class Carve>
auto carve(Memory& memory, Carve carved) {
  Arena measure(nullptr);
  carved(measure);
  memory.reset(static_cast<unsigned char*>(std::aligned_alloc(Arena::alignment, measure.used())));
  std::fill_n(memory.get(), measure.used(), (unsigned char)(0x7f));  // what the program forgets to write will be seen
  Arena arena(memory.get());
  return carved(arena);
}

void fill(const Case& c, const Batch<double>& batch) {
  const size_t positions = c.weights.size(), n_out = size_t(c.signature.n_out);
  std::copy(c.x.begin(), c.x.end(), batch.x);
  std::copy(c.labels.begin(), c.labels.end(), batch.label);
  for (size_t p = 0; p < positions; ++p) {
    batch.weight[p] = uint8_t(c.weights[p]);
    for (size_t o = 0; o < n_out && !c.classes; ++o) batch.target[o * positions + p] = c.targets[p * n_out + o];
  }
}

// The whole kernel with respect to effective weights, from the blocks of pairs of trials.
Numbers factored_kernel(const Case& c, Numbers theta, int k) {
  const SerialTeam team;
  const Signature& g = c.signature;
  const Tensor t = tensor(g, k);
  const TangentRows rows(g, c.net.task.loss_steps, t);
  Memory memory;
  const auto w =
      carve(memory, [&](Arena& a) { return FactoredTangent<double>::carve<SerialTeam>(a, g, g.batch, t, rows); });
  const auto& side = w.side[0];
  clear_weights(team, w.passes.forward);
  list_pairs(team, rows, w);
  fill(c, w.passes.forward.batch);
  tangent_factors(team, g, c.net, theta.data(), t, rows, g.batch, w, side);
  const int n = rows.n_rows(), all = n * g.batch;
  Numbers kernel(size_t(all) * size_t(all));
  for (int b = 0; b < g.batch; ++b)
    for (int b2 = 0; b2 < g.batch; ++b2) {
      tangent_block(team, b, b2, w, side);
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) kernel[size_t((b * n + i) * all + b2 * n + j)] = side.kernel[i * n + j];
    }
  return kernel;
}

// The same from the columns of J, `units` postsynaptic units at a time.
Numbers columns_kernel(const Case& c, Numbers theta, int k, int units) {
  const SerialTeam team;
  const Signature& g = c.signature;
  const Tensor t = tensor(g, k);
  const TangentRows rows(g, c.net.task.loss_steps, t);
  Memory memory;
  auto w = carve(memory, [&](Arena& a) { return ColumnsTangent<double>::carve<SerialTeam>(a, g, g.batch, t, rows); });
  w.units = std::min(units, w.units);
  clear_weights(team, w.passes.forward);
  fill(c, w.passes.forward.batch);
  tangent_kernel(team, g, c.net, theta.data(), t, rows, g.batch, w, w.kernel[0]);
  constexpr int tile = ColumnsTangent<double>::tile;
  const int all = w.n_all;
  Numbers kernel(size_t(all) * size_t(all));
  for (int row = 0; row < all; ++row)
    for (int col = 0; col < all; ++col) {
      const int r = std::max(row, col), q = std::min(row, col);
      kernel[size_t(row * all + col)] =
          w.kernel[0][ColumnsTangent<double>::tile_at(r / tile, q / tile) + r % tile * tile + q % tile];
    }
  return kernel;
}

void expect_sums(const Numbers& values, const Numbers& golden, const auto& name);

// Both forms, with the leak: the same but for rounding.
Numbers tangent_kernel_of(const Case& c, const Numbers& theta, int k) {
  const auto entry = [](size_t i) { return "entry " + std::to_string(i); };
  Numbers kernel = factored_kernel(c, theta, k);
  for (const int units : {1, 2, 1000}) {
    SCOPED_TRACE(std::to_string(units) + " units at a time");
    expect_sums(columns_kernel(c, theta, k, units), kernel, entry);
  }
  const double leak = tensor(c.signature, k).role == Role::readout ? 1 : c.net.alpha;
  for (double& value : kernel) value *= leak * leak;
  return kernel;
}

// One update from the gradient of the batch's labels in w.gradient.
template <class W>
void move(const Case& c, const Network<double>& net, int64_t step, const W& w) {
  const SerialTeam team;
  const Signature& g = c.signature;
  if (!c.net.natural.on) {
    EXPECT_TRUE(update(team, g, net, step, w.gradient));
    return;
  }
  const Numbers gradient(w.gradient, w.gradient + n_params(g));
  const size_t positions = c.labels.size();
  std::copy_n(c.sampled_labels.begin() + ptrdiff_t(size_t(step) * positions), positions, w.batch.label);
  loss_and_gradient(team, g, net, true, g.batch, w, false, uint64_t(step));
  EXPECT_TRUE(estimate_fisher(team, g, net, step, w.gradient));
  EXPECT_TRUE(natural_update(team, g, net, step, gradient.data()));
  std::copy(gradient.begin(), gradient.end(), w.gradient);
}

template <template <class> class W>
Outcome run_case(const Case& c) {
  const SerialTeam team;
  const Signature& g = c.signature;
  Numbers theta = c.theta, momentum(theta.size(), std::nan("")), second_moment = momentum;
  NetState state;
  const Cohort<double> cohort{.signature = g,
                              .n_nets = 1,
                              .nets = &c.net,
                              .state = &state,
                              .theta = theta.data(),
                              .momentum = momentum.data(),
                              .second_moment = second_moment.data(),
                              .mask = nullptr,
                              .data = {}};
  const Network<double> net(cohort, 0);
  Memory memory;
  const auto w =
      carve(memory, [&](Arena& a) { return W<double>::template carve<SerialTeam>(a, g, g.batch, Purpose::learning); });
  clear_weights(team, w);
  Outcome out;
  for (size_t k = 0; k <= c.updates.size(); ++k) {
    fill(c, w.batch);
    out.losses.push_back(loss_and_gradient(team, g, net, c.classes, g.batch, w, false, k));
    if (k == 0) out.gradient.assign(w.gradient, w.gradient + theta.size());
    if (k == c.updates.size()) break;
    move(c, net, int64_t(k), w);
    if (k == 0) out.corrected.assign(w.gradient, w.gradient + theta.size());
    out.thetas.push_back(theta);
  }
  for (const auto& kernel : c.tangent_kernels) {
    out.start.push_back(tangent_kernel_of(c, c.theta, kernel.tensor));
    out.now.push_back(tangent_kernel_of(c, c.updates.back().theta, kernel.tensor));
  }
  return out;
}

// ---- comparison
// -------------------------------------------------------------------------------------------------------
std::string place(const Signature& g, size_t i) {
  static const char* const roles[] = {"input", "recurrent", "readout", "bias", "gain", "alpha"};
  int k = 0;
  while (tensor(g, k).end <= i) ++k;
  const Tensor t = tensor(g, k);
  const bool ei = i >= t.offset_ei && i < t.offset_ix, ix = i >= t.offset_ix;
  const size_t at = i - (ix ? t.offset_ix : ei ? t.offset_ei : t.offset), cols = size_t(ei ? t.n_inhibitory : t.cols);
  return std::string(roles[int(t.role)]) + " of layer " + std::to_string(t.layer) +
         (ix   ? ", ix"
          : ei ? ", ei"
               : "") +
         " (" + std::to_string(at / cols) + ", " + std::to_string(at % cols) + ")";
}

// Rounding only. Zeros, and weights that a projection has put beside zero, are met exactly.
bool agree(double value, double golden) {
  const double size = std::abs(golden);
  return size < 2e-9 ? std::abs(value - golden) <= 1e-6 * size : std::abs(value - golden) <= 1e-10 * size + 1e-12;
}

void expect_theta(const Signature& g, const Numbers& values, const Numbers& golden) {
  for (size_t i = 0; i < golden.size(); ++i)
    EXPECT_TRUE(agree(values[i], golden[i])) << place(g, i) << ": " << values[i] << ", golden " << golden[i];
}

// Sums with cancellation: rounding relative to the largest.
void expect_sums(const Numbers& values, const Numbers& golden, const auto& name) {
  ASSERT_EQ(values.size(), golden.size());
  double largest = 0;
  for (const double v : golden) largest = std::max(largest, std::abs(v));
  for (size_t i = 0; i < golden.size(); ++i) EXPECT_NEAR(values[i], golden[i], 1e-12 * largest) << name(i);
}

const std::filesystem::path folder = COHORT_SOURCE_DIR "/tests/golden/data";

// Paths below the folder, without extension.
std::vector<std::string> files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".json")
      names.push_back(entry.path().lexically_relative(folder).replace_extension().string());
  std::sort(names.begin(), names.end());
  return names;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, LossGradientUpdatesAndKernels) {
  const Case c(folder / (GetParam() + ".json"));
  const bool feedforward = c.signature.core == CoreId::feedforward;
  const Outcome out = feedforward ? run_case<FeedforwardWorkspace>(c) : run_case<Workspace>(c);
  EXPECT_NEAR(out.losses[0], c.loss, 1e-12 * (1 + c.loss));
  expect_sums(out.gradient, c.gradient, [&](size_t i) { return "gradient of " + place(c.signature, i); });
  if (!has_adam(c.net))  // which leaves directions
    expect_sums(out.corrected, c.corrected.empty() ? c.gradient : c.corrected,
                [&](size_t i) { return "corrected gradient of " + place(c.signature, i); });
  for (size_t k = 0; k < c.updates.size() && !HasFailure(); ++k) {
    SCOPED_TRACE("after update " + std::to_string(k + 1));
    expect_theta(c.signature, out.thetas[k], c.updates[k].theta);
    EXPECT_NEAR(out.losses[k + 1], c.updates[k].loss, 1e-10 * (1 + c.updates[k].loss));
  }
  for (size_t k = 0; k < c.tangent_kernels.size(); ++k) {
    SCOPED_TRACE("tangent kernel of tensor " + std::to_string(c.tangent_kernels[k].tensor));
    const auto entry = [](size_t i) { return "entry " + std::to_string(i); };
    expect_sums(out.start[k], c.tangent_kernels[k].start, entry);
    expect_sums(out.now[k], c.tangent_kernels[k].now, entry);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Golden, testing::ValuesIn(files()), [](const auto& file) {
  std::string name = file.param;
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
});

}  // namespace
}  // namespace cohort

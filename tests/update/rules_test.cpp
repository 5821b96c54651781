// Every rule against its formula as the papers write it, in double, with schedules, momentum, dampening, Nesterov's form, decay and
// Adam; in dual space where the program works in primal space.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "program/update.h"
#include "team/serial.h"

namespace cohort {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr int n_weights = 60, n_steps = 12;

struct Named {
  std::string name;
  RuleSpec rule;
};

std::vector<Named> rules() {
  std::vector<Named> all;
  const auto add = [&](const std::string& name, GeometryId geometry, double p, double beta, ProjectionId projection) {
    RuleSpec rule;
    rule.geometry = geometry;
    rule.p = p;
    rule.beta = beta;
    rule.projection = projection;
    all.push_back({name, rule});
  };
  const ProjectionId free = ProjectionId::none;
  add("gradient descent", GeometryId::euclidean, 2, 1, free);
  add("cSGD", GeometryId::euclidean, 2, 1, ProjectionId::csgd);
  add("EG", GeometryId::neg_entropy, 2, 1, free);
  add("unsigned EG", GeometryId::unsigned_eg, 2, 1, free);
  for (const double p : {1.5, 2.0, 2.5, 3.0}) add("p = " + std::to_string(p), GeometryId::p_norm, p, 1, free);
  for (const double beta : {0.01, 1.0}) add("beta = " + std::to_string(beta), GeometryId::hypentropy, 2, beta, free);
  return all;
}

// ---- the formulas
double sign(double w) { return w > 0 ? 1 : w < 0 ? -1 : 0; }

double mirrored(const RuleSpec& r, double w, double change) {  // grad phi(w) + change, back
  switch (r.geometry) {
    case GeometryId::neg_entropy:  // s exp(s y - 1) with y = (ln |w| + 1) s + change
      return w == 0 ? 0 : sign(w) * std::exp(sign(w) * ((std::log(std::abs(w)) + 1) * sign(w) + change) - 1);
    case GeometryId::unsigned_eg:
      return w * std::exp(change);
    case GeometryId::p_norm: {
      const double y = sign(w) * std::pow(std::abs(w), r.p - 1) + change;
      return sign(y) * std::pow(std::abs(y), 1 / (r.p - 1));
    }
    case GeometryId::hypentropy:
      return r.beta * std::sinh(std::asinh(w / r.beta) + change);
    default:
      return w + change;
  }
}

double decay_of(const RuleSpec& r, double w) {
  if (r.geometry == GeometryId::neg_entropy) return sign(w);
  if (r.geometry == GeometryId::unsigned_eg) return std::abs(sign(w));
  return w;
}

double rate(const RuleSpec& r, int t, int steps) {
  double lr = r.lr;
  if (t < r.warmup) lr *= double(t) / double(r.warmup);
  if (steps - t < r.cooldown) lr *= double(steps - t) / double(r.cooldown);
  if (r.schedule == ScheduleId::cosine) lr *= (1 + std::cos(pi * t / steps)) / 2;
  if (r.schedule == ScheduleId::step_decay)
    for (int k = 0; k < t / int(r.decay_every); ++k) lr *= r.decay_factor;
  return lr;
}

struct Weight {
  double w, m = 0, v = 0;

  void step(const RuleSpec& r, double g, int t, int steps) {
    const double lr = rate(r, t, steps), before = w;
    if (r.adam) {
      m = r.adam_beta1 * m + (1 - r.adam_beta1) * g;
      v = r.adam_beta2 * v + (1 - r.adam_beta2) * g * g;
      const double c1 = 1 - std::pow(r.adam_beta1, t + 1), c2 = 1 - std::pow(r.adam_beta2, t + 1);
      w = mirrored(r, w - lr * r.weight_decay * w, -lr * (m / c1) / (std::sqrt(v / c2) + r.adam_epsilon));
    } else {
      const double d = g + r.weight_decay * decay_of(r, w);
      m = t == 0 ? d : r.momentum * m + (1 - r.dampening) * d;
      w = mirrored(r, w, -lr * (r.nesterov ? d + r.momentum * m : m));
    }
    if (r.projection == ProjectionId::csgd && sign(before) * w < 0) w = 1e-18 * sign(before);
  }
};

Cohort<double> one_network(const Signature& g, const NetSpec& spec, NetState& state, std::vector<double>& theta,
                           std::vector<double>& momentum, std::vector<double>& second) {
  return {.signature = g,
          .n_nets = 1,
          .nets = &spec,
          .state = &state,
          .theta = theta.data(),
          .momentum = momentum.data(),
          .second_moment = second.data(),
          .mask = nullptr,
          .data = {}};
}

// ---- the program: a linear model whose weights are the only parameters
double gradient(int t, int i) { return 0.3 * std::sin(1.3 * i + 0.7 * t) + 0.1 * std::cos(0.37 * i * t); }

void expect_formula(const Named& named) {
  const RuleSpec& rule = named.rule;
  SCOPED_TRACE(named.name + (rule.adam ? " Adam" : "") + " schedule " + std::to_string(int(rule.schedule)) +
               (rule.nesterov ? " Nesterov" : "") + " dampening " + std::to_string(rule.dampening) + " decay " +
               std::to_string(rule.weight_decay));
  const Signature g{.core = CoreId::feedforward,
                    .n_in = n_weights,
                    .n_hidden = 1,
                    .n_layers = 0,
                    .n_out = 1,
                    .batch = 1,
                    .n_steps = 1};
  ASSERT_EQ(n_params(g), size_t(n_weights));
  NetSpec spec;
  for (RuleSpec& r : spec.rule) r = rule;
  spec.steps = n_steps;
  NetState state;
  std::vector<double> theta(n_weights), momentum(n_weights, std::nan("")), second = momentum, d(n_weights);
  std::vector<Weight> expected;
  for (int i = 0; i < n_weights; ++i) {
    theta[size_t(i)] = i % 10 == 9 ? 0 : 0.5 * std::sin(2.1 * i + 1);
    expected.push_back({theta[size_t(i)]});
  }
  const Cohort<double> cohort = one_network(g, spec, state, theta, momentum, second);
  int moved = 0;
  for (int t = 0; t < n_steps; ++t) {
    for (int i = 0; i < n_weights; ++i) d[size_t(i)] = gradient(t, i);
    ASSERT_TRUE(update(SerialTeam{}, g, Network<double>(cohort, 0), t, d.data()));
    for (int i = 0; i < n_weights; ++i) {
      Weight& w = expected[size_t(i)];
      const double before = w.w;
      w.step(rule, gradient(t, i), t, n_steps);
      moved += w.w != before;
      // A dozen roundings a step, in the coordinate in which rounding is even: a root of a difference loses half its digits
      // near 0.
      const double even = rule.geometry == GeometryId::p_norm ? rule.p - 1 : 1;
      EXPECT_NEAR(std::copysign(std::pow(std::abs(theta[size_t(i)]), even), theta[size_t(i)]),
                  std::copysign(std::pow(std::abs(w.w), even), w.w), 1e-13)
          << "step " << t << " weight " << i;
    }
  }
  EXPECT_GT(moved, n_weights * n_steps / 2);
}

TEST(Rules, AreTheirFormulasWithMomentumAndDecay) {
  for (Named named : rules())
    for (int i = 0; i < 16; ++i) {
      named.rule.lr = 0.1;
      named.rule.momentum = i & 1 ? 0.9 : 0;
      named.rule.dampening = i & 2 ? 0.2 : 0;
      named.rule.nesterov = i & 4 ? 1 : 0;
      named.rule.weight_decay = i & 8 ? 0.05 : 0;
      expect_formula(named);
    }
}
TEST(Rules, AreTheirFormulasWithAdam) {
  for (Named named : rules())
    for (const double decay : {0.0, 0.5}) {
      named.rule.adam = 1;
      named.rule.lr = 0.02;
      named.rule.adam_beta2 = 0.95;
      named.rule.weight_decay = decay;
      expect_formula(named);
    }
}
TEST(Rules, AreTheirFormulasOnEverySchedule) {
  for (Named named : rules())
    for (int schedule = 0; schedule < n_schedules; ++schedule)
      for (const bool ramps : {false, true})
        for (const bool adam : {false, true}) {
          named.rule.lr = 0.05;
          named.rule.schedule = ScheduleId(schedule);
          named.rule.decay_every = 3;
          named.rule.decay_factor = 0.5;
          named.rule.warmup = ramps ? 4 : 0;
          named.rule.cooldown = ramps ? 5 : 0;
          named.rule.adam = adam;
          expect_formula(named);
        }
}

// A network of a recurrent layer, each kind of tensor in its own geometry: all move as they would alone.
TEST(Rules, TensorsOfOneNetworkHaveGeometriesOfTheirOwn) {
  const Signature g{.n_in = 4, .n_hidden = 5, .n_out = 3, .batch = 1, .n_steps = 1, .bias = 2};
  NetSpec spec;
  const Named own[] = {{"", {.geometry = GeometryId::neg_entropy}},
                       {"", {.geometry = GeometryId::p_norm, .p = 3}},
                       {"", {.geometry = GeometryId::hypentropy, .beta = 0.1}},
                       {"", {.geometry = GeometryId::neg_entropy, .adam = 1}}};
  for (int role = 0; role < 4; ++role) {
    spec.rule[role] = own[role].rule;
    spec.rule[role].lr = 0.01 * (1 + role);
  }
  NetState state;
  const size_t n = n_params(g);
  std::vector<double> theta(n), momentum(n), second(n), d(n);
  std::vector<Weight> expected;
  for (size_t i = 0; i < n; ++i) {
    theta[i] = std::sin(double(i) + 0.5);
    expected.push_back({theta[i]});
  }
  const Cohort<double> cohort = one_network(g, spec, state, theta, momentum, second);
  for (int t = 0; t < 5; ++t) {
    for (size_t i = 0; i < n; ++i) d[i] = gradient(t, int(i));
    ASSERT_TRUE(update(SerialTeam{}, g, Network<double>(cohort, 0), t, d.data()));
    for (int k = 0; k < n_tensors(g); ++k) {
      const Tensor tensor_k = tensor(g, k);
      for (size_t i = tensor_k.offset; i < tensor_k.end; ++i) {
        expected[i].step(spec.rule[int(tensor_k.role)], gradient(t, int(i)), t, 100);
        EXPECT_NEAR(theta[i], expected[i].w, 1e-13) << "tensor " << k << " step " << t;
      }
    }
  }
}

}  // namespace
}  // namespace cohort

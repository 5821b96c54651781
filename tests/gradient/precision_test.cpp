// Training with rounded operands: gradients against double precision and against plain loops that round by the C library,
// what happens to a network that leaves the range of fp16, and on what its bits do not depend.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "program/initialise.h"
#include "program/rounded.h"

namespace cohort {
namespace {

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Memory = std::unique_ptr<void, Free>;
Memory aligned(size_t bytes) { return Memory(std::aligned_alloc(256, (bytes + 255) / 256 * 256)); }

// Perceptual decisions without noise, so that inputs are the same numbers in single and double precision.
NetSpec decision(const Signature& g, ActivationId activation, double gain, uint64_t seed = 5) {
  NetSpec spec;
  spec.seed = seed;
  spec.activation = activation;
  spec.init.gain = gain;
  spec.steps = 1000;
  const TaskInfo& task = task_info(spec.task.id);
  for (int p = 0; p < task.n_params; ++p) spec.task.param[p] = task.params[p].value;
  spec.task.param[0] = g.n_steps - 1;  // stimulus steps
  spec.task.param[1] = 0;              // noise
  spec.task.param[3] = g.n_in - 3;     // irrelevant channels
  return spec;
}

// Networks in memory, trained by a row of the table of programs.
template <class Real>
struct Nets {
  Signature g;
  std::vector<NetSpec> specs;
  std::vector<NetState> states;
  std::vector<Real> theta, momentum;
  std::vector<std::vector<Real>> losses;  // of each network

  Nets(const Signature& signature, std::vector<NetSpec> list)
      : g(signature),
        specs(std::move(list)),
        states(specs.size()),
        theta(specs.size() * n_params(g)),
        momentum(theta.size()),
        losses(specs.size()) {
    cpu_program<Real>(CoreId::recurrent)->init({view()}, {0, int32_t(specs.size()), nullptr, 0, nullptr});
  }
  Cohort<Real> view() {
    return {.signature = g,
            .n_nets = int32_t(specs.size()),
            .nets = specs.data(),
            .state = states.data(),
            .theta = theta.data(),
            .momentum = momentum.data(),
            .mask = nullptr,
            .data = {}};
  }
  void train(const Program<Real>& program, int64_t steps) {
    std::vector<Real> loss(specs.size() * size_t(steps));
    const TrainArgs<Real> args{view(), steps, loss.data()};
    const size_t bytes = program.train_workspace(args, 1);
    const Memory memory = aligned(bytes);
    program.train(args, {0, int32_t(specs.size()), memory.get(), bytes, nullptr});
    for (size_t i = 0; i < specs.size(); ++i)
      losses[i].insert(losses[i].end(), loss.begin() + ptrdiff_t(i) * steps, loss.begin() + ptrdiff_t(i + 1) * steps);
  }
};

const Program<float>& rounding() { return *cpu_rounding_program(CoreId::recurrent); }

bool same_network(const Nets<float>& a, size_t i, const Nets<float>& b, size_t j) {
  const size_t n = n_params(a.g), bytes = n * sizeof(float);
  return std::memcmp(&a.theta[i * n], &b.theta[j * n], bytes) == 0 &&
         std::memcmp(&a.momentum[i * n], &b.momentum[j * n], bytes) == 0 && a.losses[i].size() == b.losses[j].size() &&
         std::memcmp(a.losses[i].data(), b.losses[j].data(), a.losses[i].size() * sizeof(float)) == 0 &&
         a.states[i].step == b.states[j].step && a.states[i].diverged_at == b.states[j].diverged_at &&
         a.states[i].overflowed_at == b.states[j].overflowed_at;
}

// ---- against double precision
enum class Kind { fp32, fp32x3, fp16, bf16x3 };
const char* name(Kind kind) {
  constexpr const char* names[] = {"fp32", "fp32x3", "fp16", "bf16x3"};
  return names[int(kind)];
}

struct Case {
  ActivationId activation;
  double gain;
  int layers;
  bool chaotic;  // gradients grow on their way back through time, and with them any rounding, that of fp32 too
};

// Starts of one kind of network, and their gradients in double precision.
class Starts {
 public:
  Starts(const Case& c, int count)
      : g_{.n_in = 3, .n_hidden = 64, .n_layers = c.layers, .n_out = 3, .batch = 32, .n_steps = 100, .bias = 1} {
    for (int i = 0; i < count; ++i) specs_.push_back(decision(g_, c.activation, c.gain, uint64_t(i)));
    const Nets<float> start(g_, specs_);
    Nets<double> exact(g_, specs_);
    exact.theta.assign(start.theta.begin(), start.theta.end());
    exact.train(*cpu_program<double>(CoreId::recurrent), 1);
    exact_ = exact.momentum;  // after the first step it is the gradient
  }

  // Largest error of an entry of the gradient over the largest entry, of each start, ascending.
  std::vector<double> errors(Kind kind) const {
    const Nets<float> got = after_one_step(kind);
    const size_t n = n_params(g_);
    std::vector<double> errors;
    for (size_t i = 0; i < specs_.size(); ++i) {
      EXPECT_EQ(got.states[i].overflowed_at, kind == Kind::bf16x3 ? 0 : -1);
      double error = 0, largest = 0;
      for (size_t k = i * n; k < (i + 1) * n; ++k) {
        largest = std::max(largest, std::abs(exact_[k]));
        error = std::max(error, std::abs(double(got.momentum[k]) - exact_[k]));
      }
      errors.push_back(error / largest);
    }
    std::sort(errors.begin(), errors.end());
    return errors;
  }

 private:
  Nets<float> after_one_step(Kind kind) const {
    Signature g = g_;
    g.precision = kind == Kind::fp32 ? Precision::fp32 : kind == Kind::fp32x3 ? Precision::fp32x3 : Precision::fp16;
    Nets<float> nets(g, specs_);
    if (kind == Kind::bf16x3)
      for (NetState& state : nets.states) state.overflowed_at = 0;
    nets.train(rounding(), 1);
    return nets;
  }

  Signature g_;
  std::vector<NetSpec> specs_;
  std::vector<double> exact_;
};

TEST(RoundedGradients, AreThoseOfDouble) {
  const Case cases[] = {{ActivationId::tanh, 0.9, 1, false},
                        {ActivationId::tanh, 0.9, 2, false},
                        {ActivationId::softplus, 0.9, 1, false},
                        {ActivationId::relu, 1.25, 1, false},
                        {ActivationId::tanh, 1.5, 1, true}};
  constexpr int n_starts = 10;
  for (const Case& c : cases) {
    const Starts starts(c, n_starts);
    const auto median = [](const std::vector<double>& errors) { return errors[errors.size() / 2]; };
    const double single = median(starts.errors(Kind::fp32));
    for (const Kind kind : {Kind::fp32, Kind::fp32x3, Kind::bf16x3, Kind::fp16}) {
      const std::vector<double> errors = starts.errors(kind);
      const std::string what = std::string(info(c.activation).name) + " gain " + std::to_string(c.gain).substr(0, 4) +
                               " layers " + std::to_string(c.layers) + " " + name(kind);
      std::printf("%-35s median %.1e worst %.1e\n", what.c_str(), median(errors), errors.back());
      EXPECT_GE(errors.front(), kind == Kind::fp16 ? 1e-5 : 0) << what << ": nothing was rounded";
      if (c.chaotic) {  // no more than its last place is larger than that of fp32
        const double last_place = kind == Kind::fp16 ? 0x1p13 : kind == Kind::bf16x3 ? 0x1p8 : 0x1p2;
        EXPECT_LE(median(errors), last_place * single) << what;
      } else {
        EXPECT_LE(errors.back(), kind == Kind::fp16 ? 5e-3 : kind == Kind::bf16x3 ? 2e-5 : 5e-6) << what;
      }
    }
  }
}

// ---- against plain loops
// x to `digits` binary digits, multiples of 2^lowest at least, ties to even.
double nearest(double x, int digits, int lowest) {
  if (x == 0) return 0;
  int exponent = 0;
  std::frexp(x, &exponent);
  const int unit = std::max(exponent - digits, lowest);
  return std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit);
}
double as_half(double x) { return nearest(x, 11, -24); }
double as_two_bfloat16s(double x) {
  const double hi = nearest(x, 8, -133);
  return hi + nearest(x - hi, 8, -133);
}
double as_two_halves(double x) {
  const double hi = as_half(x);
  return hi + as_half(x - hi);
}
// The power of two that brings the largest of them below 2^exponent.
double power(const std::vector<double>& numbers, int exponent) {
  double largest = 0;
  for (const double x : numbers) largest = std::max(largest, std::abs(x));
  int own = 0;
  std::frexp(largest, &own);
  return std::ldexp(1.0, exponent - own);
}

// One step of a dense tanh network with one layer and bias on a batch of labels at all steps, in double precision but for
// what `round` does to operands.
std::vector<double> plain_gradient(const Signature& g, const std::vector<float>& theta, const Batch<float>& batch,
                                   double (*round)(double)) {
  const int n = g.n_hidden, n_in = g.n_in, n_out = g.n_out, rows = g.batch, steps = g.n_steps;
  const auto part = [&](int k) {
    const Tensor t = tensor(g, k);
    return std::vector<double>(theta.begin() + ptrdiff_t(t.offset), theta.begin() + ptrdiff_t(t.end));
  };
  std::vector<double> u = part(0), w = part(1), b = part(2), v = part(3);
  const std::vector<double> d = part(4);
  std::vector<double> all = u;
  for (const auto* more : {&w, &b, &v}) all.insert(all.end(), more->begin(), more->end());
  const double weight_scale = power(all, 8);
  for (auto* weights : {&u, &w, &b, &v})
    for (double& x : *weights) x = round(x * weight_scale) / weight_scale;

  const auto x = [&](int t, int r, int i) { return round(double(batch.x[(t * rows + r) * n_in + i])); };
  std::vector<double> h(size_t((steps + 1) * rows * n)), e(size_t(steps * rows * n_out)), delta(h.size());
  const auto at = [&](int t, int r, int j) { return size_t((t * rows + r) * n + j); };  // t = 0: before the first step
  const auto out = [&](int t, int r, int o) { return size_t((t * rows + r) * n_out + o); };
  for (int t = 0; t < steps; ++t)
    for (int r = 0; r < rows; ++r) {
      for (int j = 0; j < n; ++j) {
        double z = b[size_t(j)];
        for (int i = 0; i < n; ++i) z += w[size_t(j * n + i)] * h[at(t, r, i)];
        for (int i = 0; i < n_in; ++i) z += u[size_t(j * n_in + i)] * x(t, r, i);
        h[at(t + 1, r, j)] = round(std::tanh(z));
      }
      double total = 0;
      for (int o = 0; o < n_out; ++o) {
        double y = d[size_t(o)];
        for (int j = 0; j < n; ++j) y += v[size_t(o * n + j)] * h[at(t + 1, r, j)];
        total += e[out(t, r, o)] = std::exp(y);
      }
      for (int o = 0; o < n_out; ++o)
        e[out(t, r, o)] = (e[out(t, r, o)] / total - (batch.label[t * rows + r] == o)) / (steps * rows);
    }
  const double error_scale = power(e, 12);
  for (double& error : e) error = round(error * error_scale) / error_scale;
  std::vector<double> du(u.size()), dw(w.size()), db(b.size()), dv(v.size()), dd(d.size());
  for (int t = steps - 1; t >= 0; --t)
    for (int r = 0; r < rows; ++r) {
      for (int j = 0; j < n; ++j) {
        double back = 0;
        if (t + 1 < steps)
          for (int i = 0; i < n; ++i) back += delta[at(t + 2, r, i)] * w[size_t(i * n + j)];
        for (int o = 0; o < n_out; ++o) back += e[out(t, r, o)] * v[size_t(o * n + j)];
        const double state = h[at(t + 1, r, j)];
        delta[at(t + 1, r, j)] = round(back * (1 - state * state) * error_scale) / error_scale;
      }
      for (int j = 0; j < n; ++j) {
        const double own = delta[at(t + 1, r, j)];
        for (int i = 0; i < n; ++i) dw[size_t(j * n + i)] += own * h[at(t, r, i)];
        for (int i = 0; i < n_in; ++i) du[size_t(j * n_in + i)] += own * x(t, r, i);
        db[size_t(j)] += own;
      }
      for (int o = 0; o < n_out; ++o) {
        for (int j = 0; j < n; ++j) dv[size_t(o * n + j)] += e[out(t, r, o)] * h[at(t + 1, r, j)];
        dd[size_t(o)] += e[out(t, r, o)];
      }
    }
  std::vector<double> gradient = du;
  for (const auto* more : {&dw, &db, &dv, &dd}) gradient.insert(gradient.end(), more->begin(), more->end());
  return gradient;
}

TEST(RoundedGradients, AreThoseOfPlainLoopsThatRoundTheSameOperands) {
  Signature g{.n_in = 3, .n_hidden = 7, .n_out = 3, .batch = 5, .n_steps = 6, .bias = 1};
  g.precision = Precision::fp16;
  NetSpec spec = decision(g, ActivationId::tanh, 1.5);
  spec.task.param[1] = 0.3;  // noise: inputs that rounding changes
  Nets<float> nets(g, {spec});
  for (int k = 0; k < n_tensors(g); ++k)  // biases start at 0
    if (const Tensor t = tensor(g, k); t.role == Role::bias)
      for (size_t i = t.offset; i < t.end; ++i) nets.theta[i] = float(0.1 * std::sin(double(i)));
  Arena measure(nullptr);
  Workspace<float>::carve<RoundingTeam>(measure, g, g.batch, Purpose::learning);
  const Memory memory = aligned(measure.used());
  Arena arena(memory.get());
  const Workspace<float> w = Workspace<float>::carve<RoundingTeam>(arena, g, g.batch, Purpose::learning);
  std::vector<float> inputs(size_t(g.n_steps * g.batch * g.n_in));
  RoundingTeam team;
  team.inputs = inputs.data();
  clear_weights(team, w);
  for (const Kind kind : {Kind::fp16, Kind::bf16x3}) {
    nets.states[0].overflowed_at = kind == Kind::fp16 ? -1 : 0;
    fill_batch(team, g, spec, Dataset{}, Split::train, {rng::phase_train, 0, 0}, g.batch, w.batch);
    std::vector<float> copy(w.batch.x, w.batch.x + inputs.size());
    loss_and_gradient(team, g, Network<float>(nets.view(), 0), true, g.batch, w, false, 0);
    Batch<float> batch = w.batch;
    batch.x = copy.data();
    const auto difference = [&](double (*round)(double)) {
      const std::vector<double> expected = plain_gradient(g, nets.theta, batch, round);
      double largest = 0, worst = 0;
      for (size_t i = 0; i < expected.size(); ++i) {
        largest = std::max(largest, std::abs(expected[i]));
        worst = std::max(worst, std::abs(expected[i] - double(w.gradient[i])));
      }
      return worst / largest;
    };
    // Sums of fp32: some 2^-24, and where one lies next to a tie, a unit of the last place of an operand, 2^-10 or 2^-16.
    EXPECT_LE(difference(kind == Kind::fp16 ? as_half : as_two_bfloat16s), kind == Kind::fp16 ? 1e-6 : 4e-6);
    EXPECT_GE(difference([](double x) { return x; }), kind == Kind::fp16 ? 1e-4 : 0);
  }
}

TEST(Rounding, IsThatOfTheFormatAndScale) {
  std::vector<float> x;
  for (int i = 1; i < 5000; ++i) x.push_back(float(std::sin(i) * std::exp2(i % 24 - 12)));
  struct Kept {
    Operands operands;
    double (*round)(double);
  };
  for (const Kept& c : {Kept{Operands::half, as_half}, Kept{Operands::two_halves, as_two_halves},
                        Kept{Operands::two_bfloat16s, as_two_bfloat16s}})
    for (const float scale : {1.0f, 8.0f, 0x1p-10f}) {
      RoundingTeam team;
      team.operands = c.operands;
      std::vector<float> got = x;
      team.scaled(scale).round_operands(got.data(), int(got.size()));
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(double(got[i]), c.round(double(x[i]) * double(scale)) / double(scale)) << x[i] << " scale " << scale;
    }
}

// ---- beyond the range
Signature short_shape() {
  Signature g{.n_in = 3, .n_hidden = 24, .n_out = 3, .batch = 8, .n_steps = 20};
  g.precision = Precision::fp16;
  return g;
}
NetSpec learner(const Signature& g, double gain, uint64_t seed) {
  NetSpec spec = decision(g, ActivationId::relu, gain, seed);
  spec.clip = 1;
  for (RuleSpec& rule : spec.rule) rule.lr = 0.01;
  return spec;
}
std::vector<NetSpec> company(const Signature& g) { return {learner(g, 0.9, 1), learner(g, 6, 2), learner(g, 1.2, 3)}; }

TEST(Overflow, TheNetworkGoesOnInBfloat16AndItsNeighboursDoNotNotice) {
  for (const Precision precision : {Precision::fp16, Precision::fp32x3}) {
    Signature g = short_shape();
    g.precision = precision;
    const std::vector<NetSpec> specs = company(g);
    Nets<float> together(g, specs);
    together.train(rounding(), 6);
    EXPECT_EQ(together.states[0].overflowed_at, -1);
    EXPECT_EQ(together.states[1].overflowed_at, 0);
    EXPECT_EQ(together.states[2].overflowed_at, -1);
    for (size_t i = 0; i < specs.size(); ++i) {
      EXPECT_EQ(together.states[i].step, 6);
      EXPECT_EQ(together.states[i].diverged_at, -1);
      for (const float loss : together.losses[i]) EXPECT_TRUE(std::isfinite(loss)) << i;
      Nets<float> alone(g, {specs[i]});
      alone.train(rounding(), 6);
      EXPECT_TRUE(same_network(together, i, alone, 0)) << i;
      Nets<float> in_parts(g, {specs[i]});
      for (const int64_t steps : {1, 3, 2}) in_parts.train(rounding(), steps);
      EXPECT_TRUE(same_network(together, i, in_parts, 0)) << i;
    }
    Nets<float> from_the_start(g, {specs[1]});  // the step that overflowed was done again
    from_the_start.states[0].overflowed_at = 0;
    from_the_start.train(rounding(), 6);
    EXPECT_TRUE(same_network(together, 1, from_the_start, 0));
  }
}

TEST(Overflow, InTheMiddleOfTraining) {
  const Signature g = short_shape();
  NetSpec spec = learner(g, 2.5, 2);
  for (RuleSpec& rule : spec.rule) rule.lr = 0.05;
  Nets<float> nets(g, {spec});
  nets.train(rounding(), 12);
  const int64_t at = nets.states[0].overflowed_at;
  ASSERT_GT(at, 0);
  ASSERT_LT(at, 12);
  EXPECT_EQ(nets.states[0].diverged_at, -1);
  Nets<float> before(g, {spec}), after(g, {spec});
  before.train(rounding(), at);  // in halves
  EXPECT_EQ(before.states[0].overflowed_at, -1);
  after.theta = before.theta;
  after.momentum = before.momentum;
  after.states = before.states;
  after.losses = before.losses;
  after.states[0].overflowed_at = at;
  after.train(rounding(), 12 - at);  // in bf16x3
  EXPECT_TRUE(same_network(nets, 0, after, 0));
}

TEST(Overflow, OfInputsAndNotOfNumbersThatWereNotFinite) {
  float numbers[] = {1.0f, 65519.9f, -HUGE_VALF, NAN};
  bool overflowed = false;
  RoundingTeam team;
  team.overflowed = &overflowed;
  team.round_operands(numbers, 4);
  EXPECT_FALSE(overflowed);
  float large[] = {0.0f, 65520.0f};
  team.round_operands(large, 2);
  EXPECT_TRUE(overflowed);
  overflowed = false;
  float scaled[] = {16.0f};
  team.scaled(4096).round_operands(scaled, 1);
  EXPECT_TRUE(overflowed);
}

TEST(Rounding, LeavesFp32Alone) {
  Signature g = short_shape();
  g.precision = Precision::fp32;
  Nets<float> a(g, company(g)), b(g, company(g));
  a.train(rounding(), 5);
  b.train(*cpu_program<float>(CoreId::recurrent), 5);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(same_network(a, i, b, i));
}

TEST(Rounding, ThePowerOfTwoBringsTheLargestBelowTheBound) {
  for (const float largest : {1e-30f, 0.001f, 0.5f, 1.0f, 1.5f, 255.9f, 256.0f, 1e30f})
    for (const int exponent : {weight_exponent, error_exponent}) {
      const float scale = scale_to(largest, exponent);
      int own = 0;
      EXPECT_EQ(std::frexp(scale, &own), 0.5f);
      EXPECT_LT(scale * largest, std::ldexp(1.0f, exponent));
      EXPECT_GE(scale * largest, std::ldexp(1.0f, exponent - 1));
    }
  for (const float none : {0.0f, HUGE_VALF, NAN, 1e-40f}) EXPECT_EQ(scale_to(none, weight_exponent), 1.0f);
}

}  // namespace
}  // namespace cohort

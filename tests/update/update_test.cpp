// What one update does to a whole network, by loops over named parameters: corrections, clip scopes, the search for a rate,
// natural gradients and the labels that they sample. Trajectories are tests/golden's.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "program/feedforward.h"
#include "program/initialise.h"
#include "program/train.h"
#include "team/serial.h"

namespace cohort {
namespace {

using Numbers = std::vector<double>;

// Two hidden layers of 5 and 3 units on 7 inputs, 2 outputs.
Signature layers(CellId cell) {
  Signature g{.core = CoreId::feedforward,
              .n_in = 7,
              .n_hidden = 5,
              .n_layers = 2,
              .n_out = 2,
              .n_inhibitory = has_inhibition(cell) ? 2 : 0,
              .batch = 4,
              .n_steps = 3,
              .bias = 1};
  g.cell = cell;
  g.widths[1] = 3;
  return g;
}

struct Net {
  Signature g;
  NetSpec spec;
  NetState state;
  Numbers theta, momentum, second_moment, gradient;
  std::vector<uint8_t> mask;

  explicit Net(const Signature& signature)
      : g(signature),
        theta(n_params(g)),
        momentum(n_params(g), std::nan("")),
        second_moment(momentum),
        gradient(n_params(g)) {
    spec.parameterisation = parameterisation_of(g.cell);
    for (RuleSpec& rule : spec.rule) {
      rule.lr = 1;
      rule.momentum = 0;
    }
    for (size_t i = 0; i < theta.size(); ++i) {
      theta[i] = 1 + 0.5 * std::sin(double(i));
      gradient[i] = std::cos(1.7 * double(i)) + 0.1;
    }
  }
  Network<double> view() {
    return {Cohort<double>{.signature = g,
                           .n_nets = 1,
                           .nets = &spec,
                           .state = &state,
                           .theta = theta.data(),
                           .momentum = momentum.data(),
                           .second_moment = second_moment.empty() ? nullptr : second_moment.data(),
                           .mask = mask.empty() ? nullptr : mask.data(),
                           .data = {}},
            0};
  }
  bool update(int64_t step = 0) {
    Numbers copy = gradient;
    return cohort::update(SerialTeam{}, g, view(), step, copy.data());
  }
  // f(tensor, part, i) for every parameter; parts are 0: main, 1: ei, 2: ix.
  template <class F>
  void each(F f) const {
    for (int k = 0; k < n_tensors(g); ++k) {
      const Tensor t = tensor(g, k);
      for (size_t i = t.offset; i < t.end; ++i) f(t, i < t.offset_ei ? 0 : i < t.offset_ix ? 1 : 2, i);
    }
  }
};

// ---- corrections
double corrected_by(const Signature& g, const FisherSpec& f, const Tensor& t, int part) {
  const int d = layer_inputs(g, t.layer), ne = layer_width(g, t.layer);
  if (part == 1) return std::pow(d, -f.ei_cols);
  if (part == 2) return std::pow(ne, -f.ix_rows);
  return t.role == Role::alpha ? std::pow(ne, -f.alpha_rows) * std::pow(d, -f.alpha_cols) : 1;
}

TEST(Corrections, ScaleInhibitoryPartsByTheSizesOfTheirLayer) {
  for (const FisherSpec& fisher : {FisherSpec{}, FisherSpec{0, 0, 0, 0}, FisherSpec{0.25, 0.75, 2, 0.1}})
    for (const CellId cell : {CellId::dann, CellId::dann_subtractive}) {
      Net net(layers(cell));
      net.spec.fisher = fisher;
      const Numbers before = net.theta;
      ASSERT_TRUE(net.update());
      int parts[3] = {}, alphas = 0;
      net.each([&](const Tensor& t, int part, size_t i) {
        ++parts[part];
        alphas += t.role == Role::alpha;
        const double step = corrected_by(net.g, fisher, t, part) * net.gradient[i];
        EXPECT_NEAR(before[i] - net.theta[i], step, 1e-14 * (1 + std::abs(step)))
            << "layer " << t.layer << " part " << part;
      });
      EXPECT_EQ(alphas, cell == CellId::dann ? 2 + 1 + 2 : 0);  // interneurons of the layers and the readout
      EXPECT_GT(parts[1], 0);
      EXPECT_GT(parts[2], 0);
    }
}
TEST(Corrections, ExponentsOfZeroChangeNoBit) {
  Net net(layers(CellId::dann));
  Numbers gradient = net.gradient;
  correct_gradient(SerialTeam{}, net.g, FisherSpec{0, 0, 0, 0}, gradient.data());
  EXPECT_EQ(gradient, net.gradient);
}

// ---- clip scopes
TEST(ClipScopes, ACellIsALayerOrTheReadout) {
  for (const CellId cell : {CellId::dann, CellId::layer_norm}) {
    Net net(layers(cell));
    net.spec.fisher = {0, 0, 0, 0};
    net.spec.clip_scope = ClipScope::cell;
    double norm[3] = {};
    net.each([&](const Tensor& t, int, size_t i) { norm[t.layer] += net.gradient[i] * net.gradient[i]; });
    for (double& n : norm) n = std::sqrt(n);
    net.spec.clip = (norm[1] + norm[2]) / 2;
    ASSERT_TRUE(norm[0] > net.spec.clip && (norm[1] > net.spec.clip) != (norm[2] > net.spec.clip));
    const Numbers before = net.theta;
    ASSERT_TRUE(net.update());
    net.each([&](const Tensor& t, int, size_t i) {
      const double scale = std::min(1.0, net.spec.clip / norm[t.layer]);
      EXPECT_NEAR(before[i] - net.theta[i], scale * net.gradient[i], 1e-14) << "layer " << t.layer;
    });
  }
}

// ---- Adam
TEST(Adam, WithoutRoomForSecondMomentsTheNetworkDoesNotMove) {
  Net net(layers(CellId::dense));
  net.second_moment.clear();
  ASSERT_TRUE(net.update());
  net.spec.rule[int(Role::readout)].adam = 1;
  const Numbers before = net.theta;
  EXPECT_FALSE(net.update(1));
  EXPECT_EQ(net.theta, before);
}
TEST(Adam, MomentsOfFixedWeightsMoveAndTheyDoNot) {
  Net net(layers(CellId::dense));
  for (RuleSpec& rule : net.spec.rule) rule.adam = 1;
  net.mask.assign(net.theta.size(), 1);
  net.mask[3] = 0;
  const Numbers before = net.theta;
  for (int step = 0; step < 2; ++step) ASSERT_TRUE(net.update(step));
  for (size_t i = 0; i < net.theta.size(); ++i) {
    EXPECT_EQ(net.theta[i] == before[i], i == 3);
    EXPECT_NEAR(net.momentum[i], (1 - 0.9 * 0.9) * net.gradient[i], 1e-15);
    EXPECT_NEAR(net.second_moment[i], (1 - 0.999 * 0.999) * net.gradient[i] * net.gradient[i], 1e-15);
  }
}
// For a constant gradient both moments are unbiased at once: every step has the length lr in the dual space, whatever the
// gradient's size, until epsilon counts.
TEST(Adam, OfAConstantGradientItsStepsAreOfEqualLengthInTheDual) {
  Net net(layers(CellId::dense));
  for (RuleSpec& rule : net.spec.rule) {
    rule.adam = 1;
    rule.lr = 0.01;
    rule.geometry = GeometryId::neg_entropy;
  }
  const Numbers before = net.theta;
  for (int step = 0; step < 5; ++step) ASSERT_TRUE(net.update(step));
  for (size_t i = 0; i < net.theta.size(); ++i)
    EXPECT_NEAR(std::log(net.theta[i] / before[i]), std::copysign(0.05, -net.gradient[i]),
                0.05 * 1e-8 / std::abs(net.gradient[i]) + 1e-14);
}

// ---- the search for a rate
// All weights 1, gradients that push one weight of W_ex of layer 0 far below 0.
Net pushed(double far) {
  Net net(layers(CellId::dann));
  net.spec.fisher = {0, 0, 0, 0};
  std::fill(net.theta.begin(), net.theta.end(), 1.0);
  std::fill(net.gradient.begin(), net.gradient.end(), 0.0);
  net.gradient[3] = far;
  for (const Role role : {Role::input, Role::readout, Role::gain})
    net.spec.rule[int(role)].projection = ProjectionId::clamp;
  for (RuleSpec& rule : net.spec.rule) rule.lr_min = 0.2;
  net.spec.search = {5, 0.1};  // rates 1, .8, .6, .4, .2
  return net;
}
double counted(const Net& net) {  // parameters whose norm is kept
  double n = 0;
  net.each([&](const Tensor& t, int, size_t) { n += t.role != Role::bias && t.role != Role::alpha; });
  return n;
}
// The pushed weight is 1 - rate far; the others of n are 1: the norm that is kept over the norm.
double kept(double n, double rate, double far) {
  const double moved = 1 - rate * far;
  return std::sqrt((n - 1 + std::pow(std::max(0.0, moved), 2)) / (n - 1 + moved * moved));
}

TEST(RateSearch, TakesTheFirstRateThatKeepsTheNorm) {
  for (const double far : {0.5, 4.0, 8.0, 12.0, 20.0, 100.0}) {
    Net net = pushed(far);
    const double n = counted(net);
    double rate = 1;
    for (int i = 0; i < 4 && kept(n, rate, far) < 0.9; ++i) rate = 1 - 0.2 * (i + 1);
    const size_t bias = tensor(net.g, layer_bias_tensor(1)).offset;
    net.gradient[bias] = 2;  // a bias, which is not counted, moves by the same factor
    ASSERT_TRUE(net.update());
    EXPECT_DOUBLE_EQ(net.theta[3], std::max(0.0, 1 - rate * far)) << far;
    EXPECT_NEAR(net.theta[bias], 1 - 2 * rate, 1e-15) << far << ", rate " << rate;
  }
}
TEST(RateSearch, EveryRateIsReached) {  // or the test above would not see which one is taken
  const double n = counted(pushed(1));
  std::vector<bool> reached(5);
  for (const double far : {0.5, 4.0, 8.0, 12.0, 20.0, 100.0}) {
    int i = 0;
    while (i < 4 && kept(n, 1 - 0.2 * i, far) < 0.9) ++i;
    reached[size_t(i)] = true;
  }
  EXPECT_TRUE(reached[0] && reached[1] + reached[2] + reached[3] >= 2 && reached[4]);
}
TEST(RateSearch, BiasesAlphasAndFreeWeightsDoNotCount) {
  for (const Role role : {Role::bias, Role::alpha, Role::readout}) {
    Net net = pushed(0);
    if (role == Role::readout) net.spec.rule[int(role)].projection = ProjectionId::none;
    if (role == Role::bias)
      net.spec.rule[int(role)].projection = ProjectionId::clamp;  // a clamp of biases is another matter
    const int k = role == Role::readout ? readout_tensor(net.g) : role == Role::bias ? 1 : layer_alpha_tensor(0);
    const size_t i = tensor(net.g, k).offset;
    net.gradient[i] = 1000;
    ASSERT_TRUE(net.update());
    EXPECT_EQ(net.theta[i], role == Role::bias ? 0 : 1 - 1000.0);
  }
}
TEST(RateSearch, SeesClippedGradientsAndFixedWeightsAsTheyWillBe) {
  Net net = pushed(100);
  net.spec.clip = 0.5;  // no weight goes below 0
  ASSERT_TRUE(net.update());
  EXPECT_DOUBLE_EQ(net.theta[3], 0.5);
  Net fixed = pushed(100);
  fixed.mask.assign(fixed.theta.size(), 1);
  fixed.mask[3] = 0;
  fixed.gradient[4] = 0.25;
  ASSERT_TRUE(fixed.update());
  EXPECT_EQ(fixed.theta[3], 1);
  EXPECT_EQ(fixed.theta[4], 0.75);
}

// ---- natural gradients
TEST(NaturalGradient, IsThatOfTheRunningDiagonal) {
  Net net(layers(CellId::dann));
  net.spec.task.loss_steps = LossSteps::all;
  net.spec.natural = {1, 0.25, 3e-3};
  for (RuleSpec& rule : net.spec.rule) rule.lr = 0.3;
  for (const Role role : {Role::input, Role::readout}) net.spec.rule[int(role)].projection = ProjectionId::clamp;
  net.mask.assign(net.theta.size(), 1);
  net.mask[2] = 0;
  const double positions = net.g.batch * net.g.n_steps;
  Numbers fisher(net.theta.size());
  for (int step = 0; step < 4; ++step) {
    Numbers sampled(net.theta.size()), expected = net.theta;
    for (size_t i = 0; i < sampled.size(); ++i) {
      sampled[i] = i % 11 == 0 ? 0 : 0.2 * std::sin(double(i) + step);
      const double estimate = 3e-3 * std::pow(positions * sampled[i], 2);
      fisher[i] = step == 0 ? estimate : 0.75 * fisher[i] + 0.25 * estimate;
    }
    double norm[3] = {};
    net.each([&](const Tensor& t, int part, size_t i) {
      if (is_weights(t.role) && part == 0) norm[t.layer] += std::pow(fisher[i] + 1e-8, -2);
    });
    int at_zero = 0;
    net.each([&](const Tensor& t, int, size_t i) {
      if (i == 2) return;
      expected[i] -= 0.3 * net.gradient[i] / (fisher[i] + 1e-8) / std::sqrt(norm[t.layer]);
      if (is_weights(t.role)) {
        at_zero += expected[i] < 0;
        expected[i] = std::max(0.0, expected[i]);
      }
    });
    ASSERT_TRUE(estimate_fisher(SerialTeam{}, net.g, net.view(), step, sampled.data()));
    ASSERT_TRUE(natural_update(SerialTeam{}, net.g, net.view(), step, net.gradient.data()));
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(net.momentum[i], fisher[i], 1e-14 * (fisher[i] + 1e-8)) << "F " << i << " step " << step;
      EXPECT_NEAR(net.theta[i], expected[i], 1e-11 * (1 + std::abs(expected[i]))) << i << " step " << step;
    }
    EXPECT_GT(at_zero, 0);
    net.theta = expected;
  }
}
TEST(NaturalGradient, CountsTheStepsOfTheLossAndClips) {
  const auto moved = [](LossSteps steps, double clip) {
    Net net(layers(CellId::dense));
    net.spec.task.loss_steps = steps;
    net.spec.clip = clip;
    const Numbers before = net.theta;
    EXPECT_TRUE(estimate_fisher(SerialTeam{}, net.g, net.view(), 0, net.gradient.data()));
    EXPECT_TRUE(natural_update(SerialTeam{}, net.g, net.view(), 0, net.gradient.data()));
    return std::pair{net.momentum[5], before[5] - net.theta[5]};
  };
  double norm = 0;
  for (const double d : Net(layers(CellId::dense)).gradient) norm += d * d;
  const auto all = moved(LossSteps::all, 0), last = moved(LossSteps::last, 0);
  const auto clipped = moved(LossSteps::all, std::sqrt(norm) / 4);
  EXPECT_DOUBLE_EQ(all.first, 9 * last.first);  // three steps
  EXPECT_DOUBLE_EQ(clipped.first, all.first);
  EXPECT_NEAR(clipped.second, all.second / 4, 1e-14);
}
TEST(NaturalGradient, MovesNothingWhereAGradientIsNotFinite) {
  Net net(layers(CellId::dense));
  net.gradient[7] = std::nan("");
  net.momentum.assign(net.theta.size(), 1);
  const Numbers theta = net.theta, momentum = net.momentum;
  EXPECT_FALSE(estimate_fisher(SerialTeam{}, net.g, net.view(), 1, net.gradient.data()));
  EXPECT_FALSE(natural_update(SerialTeam{}, net.g, net.view(), 1, net.gradient.data()));
  EXPECT_EQ(net.theta, theta);
  EXPECT_EQ(net.momentum, momentum);
}

// ---- natural gradients in training
struct Trained {
  Signature g{.core = CoreId::feedforward, .n_in = 3, .n_hidden = 8, .n_layers = 2, .n_out = 2, .batch = 32, .bias = 1};
  NetSpec spec;
  NetState state;
  Numbers theta, momentum, losses;
  std::vector<unsigned char> memory;

  explicit Trained(double lr) {
    const TaskInfo& info = task_info(spec.task.id);
    for (int i = 0; i < info.n_params; ++i) spec.task.param[i] = info.params[i].value;
    spec.task.param[0] = 4;
    g.n_in = info.n_in(spec.task.param);
    g.n_out = info.n_out(spec.task.param);
    g.n_steps = info.n_steps(spec.task.param);
    spec.seed = 4;
    spec.init.input = spec.init.readout = DistributionId::he_normal;
    spec.activation = ActivationId::softplus;  // a unit that is always silent has P = 1e8, which stills its layer
    spec.natural.on = 1;
    for (RuleSpec& rule : spec.rule) {
      rule.lr = lr;
      rule.momentum = 0;
    }
    theta.resize(n_params(g));
    momentum.assign(n_params(g), std::nan(""));
    initialise_network(SerialTeam{}, InitArgs<double>{view()}, 0, nullptr);
    memory.resize(train_bytes<SerialTeam, FeedforwardWorkspace>(TrainArgs<double>{view(), 1, nullptr}) + 256);
  }
  Cohort<double> view() {
    return {.signature = g,
            .n_nets = 1,
            .nets = &spec,
            .state = &state,
            .theta = theta.data(),
            .momentum = momentum.data(),
            .mask = nullptr,
            .data = {}};
  }
  void* workspace() { return memory.data() + (256 - reinterpret_cast<uintptr_t>(memory.data()) % 256) % 256; }
  void train(int64_t steps) {
    losses.assign(size_t(steps), 0);
    train_network<FeedforwardWorkspace>(SerialTeam{}, TrainArgs<double>{view(), steps, losses.data()}, 0, workspace());
  }
};

TEST(NaturalGradient, TrainsWithLabelsOfItsOwn) {
  Trained trained(1), by_hand(1);
  trained.train(1);
  const SerialTeam team;
  const Signature& g = by_hand.g;
  const NetSpec& spec = by_hand.spec;
  const Network<double> net(by_hand.view(), 0);
  Arena arena(by_hand.workspace());
  const auto w = FeedforwardWorkspace<double>::carve<SerialTeam>(arena, g, g.batch, Purpose::learning);
  clear_weights(team, w);
  fill_batch(team, g, spec, Dataset{}, Split::train, {rng::phase_train, 0, 0}, g.batch, w.batch);
  const double loss = loss_and_gradient(team, g, net, true, g.batch, w, false, 0);
  const Numbers gradient(w.gradient, w.gradient + n_params(g));
  load_weights(team, g, spec, net.theta, w);
  forward(team, g, spec, g.batch, 0, w);
  sample_labels(team, g, spec, 0, g.batch, w.batch.y, w.batch.label);
  loss_and_gradient(team, g, net, true, g.batch, w, false, 0);
  EXPECT_NE(Numbers(w.gradient, w.gradient + n_params(g)), gradient);
  EXPECT_TRUE(estimate_fisher(team, g, net, 0, w.gradient));
  EXPECT_TRUE(natural_update(team, g, net, 0, gradient.data()));
  EXPECT_EQ(trained.losses[0], loss);
  EXPECT_EQ(trained.theta, by_hand.theta);
  EXPECT_EQ(trained.momentum, by_hand.momentum);

  trained.train(400);
  EXPECT_EQ(trained.state.diverged_at, -1);
  EXPECT_EQ(trained.state.step, 401);
  double first = 0, last = 0;
  for (size_t i = 0; i < 50; ++i) {
    first += trained.losses[i];
    last += trained.losses[350 + i];
  }
  EXPECT_LT(last, 0.8 * first);
}

// ---- sampled labels
// Three steps of two rows, sure of class 1; only the last step counts.
std::vector<int32_t> last_only() {
  Signature g = layers(CellId::dense);
  NetSpec spec;
  spec.task.loss_steps = LossSteps::last;
  Numbers y(12, 0);
  for (int i = 6; i < 12; ++i) y[size_t(i)] = 100;
  std::vector<int32_t> label(6, -1);
  sample_labels(SerialTeam{}, g, spec, 0, 2, y.data(), label.data());
  return label;
}
TEST(SampledLabels, AreThoseOfTheSoftmax) {
  Signature g = layers(CellId::dense);
  g.n_out = 4;
  g.n_steps = 1;
  constexpr int rows = 100'000;
  NetSpec spec;
  spec.seed = 3;
  const float logits[2][4] = {{0.5f, -1.0f, 2.0f, 0.0f},
                              {1000.0f, 999.0f, -1000.0f, 998.0f}};  // large ones do not overflow
  std::vector<float> y(size_t(4 * rows));
  for (int o = 0; o < 4; ++o)
    for (int i = 0; i < rows; ++i) y[size_t(o * rows + i)] = logits[i % 2][o];
  std::vector<int32_t> label(rows, -1), again(rows), next(rows);
  sample_labels(SerialTeam{}, g, spec, 5, rows, y.data(), label.data());
  sample_labels(SerialTeam{}, g, spec, 5, rows, y.data(), again.data());
  sample_labels(SerialTeam{}, g, spec, 6, rows, y.data(), next.data());
  EXPECT_EQ(label, again);
  EXPECT_NE(label, next);
  EXPECT_EQ(last_only(), (std::vector<int32_t>{0, 0, 0, 0, 1, 1}));
  for (int kind = 0; kind < 2; ++kind) {
    double total = 0;
    for (const float z : logits[kind]) total += std::exp(double(z) - double(logits[kind][kind ? 0 : 2]));
    for (int o = 0; o < 4; ++o) {
      const double p = std::exp(double(logits[kind][o]) - double(logits[kind][kind ? 0 : 2])) / total;
      double count = 0;
      for (int i = kind; i < rows; i += 2) count += label[size_t(i)] == o;
      EXPECT_NEAR(count / (rows / 2), p, 4 * std::sqrt(p * (1 - p) / (rows / 2))) << kind << " " << o;
    }
  }
}

}  // namespace
}  // namespace cohort

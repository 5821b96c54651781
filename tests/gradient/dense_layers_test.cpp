// What dense layers after recurrent ones are: h_t = f(U h'_t + b) of the layer below, whatever the network's parameterisation,
// leak and noise; and how they start and move. Written out here without the code that is tested.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "program/initialise.h"
#include "program/step.h"
#include "team/serial.h"

namespace cohort {
namespace {

constexpr int n = 6, n_in = 3, n_out = 3, layers = 3, n_dense = 2, ni = 2, ne = 4, rows = 4, steps = 5;
constexpr double alpha = 0.6;

class Deep {
 public:
  explicit Deep(ParameterisationId parameterisation) {
    const bool dann = parameterisation == ParameterisationId::dann;
    g = {.n_in = n_in,
         .n_hidden = n,
         .n_layers = layers,
         .n_out = n_out,
         .n_inhibitory = dann ? ni : 0,
         .batch = rows,
         .n_steps = steps,
         .bias = 1,
         .n_dense = n_dense};
    spec.seed = 3;
    spec.parameterisation = parameterisation;
    spec.activation = ActivationId::tanh;
    spec.alpha = alpha;
    spec.n_excitatory = ne;
    const double task[] = {4, 0.3, 1, 0};
    std::copy(std::begin(task), std::end(task), spec.task.param);
    if (dann) spec.init.recurrent = spec.init.input = spec.init.readout = DistributionId::dann;
    for (RuleSpec& rule : spec.rule) rule.projection = ProjectionId::clamp;
    spec.rule[int(Role::bias)].projection = ProjectionId::none;
    theta.resize(n_params(g));
    momentum.resize(n_params(g));
    cohort.signature = g;
    cohort.n_nets = 1;
    cohort.nets = &spec;
    cohort.state = &state;
    cohort.theta = theta.data();
    cohort.momentum = momentum.data();
    initialise_network(team, InitArgs<double>{cohort}, 0, nullptr);
  }
  Deep(const Deep&) = delete;
  Deep& operator=(const Deep&) = delete;

  // Logits [n_out][steps][rows] of inputs x [steps][rows][n_in], by the program.
  std::vector<double> logits(const std::vector<double>& x, bool noisy = false) {
    Arena measure(nullptr);
    Workspace<double>::carve<SerialTeam>(measure, g, rows, Purpose::forward);
    std::vector<unsigned char> memory(measure.used() + 256);
    void* at = memory.data();
    size_t space = memory.size();
    Arena arena(std::align(256, measure.used(), at, space));
    const auto w = Workspace<double>::carve<SerialTeam>(arena, g, rows, Purpose::forward);
    clear_weights(team, w);
    assemble(team, g, spec, theta.data(), w.weights);
    prepare_states(team, g, spec, rows, w.h, noisy, 0);
    recurrent_forward(team, g, w.weights, spec.activation, Extent{rows, steps, 0}, x.data(), w.h, noisy, w.batch.y);
    return {w.batch.y, w.batch.y + n_out * steps * rows};
  }
  // Effective weight (i, j) of tensor k by its parameterisation's formula.
  double weight(int k, int i, int j, ParameterisationId how) const {
    const Tensor t = tensor(g, k);
    const double w = theta[t.offset + size_t(i * t.cols + j)];
    if (how == ParameterisationId::column_ei && k != input_tensor(0)) return j < ne ? w : -w;
    if (how != ParameterisationId::dann) return w;
    double sum = w;
    for (int q = 0; q < ni; ++q)
      sum -= theta[t.offset_ei + size_t(i * ni + q)] * theta[t.offset_ix + size_t(q * t.cols + j)];
    return sum;
  }
  double bias(int k, int i) const { return theta[tensor(g, k).offset + size_t(i)]; }

  SerialTeam team;
  Signature g;
  NetSpec spec;
  NetState state;
  std::vector<double> theta, momentum;
  Cohort<double> cohort;
};

class DenseLayers : public ::testing::TestWithParam<ParameterisationId> {};
INSTANTIATE_TEST_SUITE_P(Every, DenseLayers,
                         ::testing::Values(ParameterisationId::dense, ParameterisationId::column_ei,
                                           ParameterisationId::dann),
                         [](const auto& each) { return std::string(cohort::info(each.param).name); });

TEST_P(DenseLayers, HaveNoRecurrentWeightsAndNoParts) {
  const Deep net(GetParam());
  for (int l = 0; l < layers; ++l) {
    const bool dense = l >= layers - n_dense;
    EXPECT_EQ(tensor(net.g, recurrent_tensor(l)).size() == 0, dense);
    EXPECT_EQ(tensor(net.g, input_tensor(l)).n_inhibitory, dense ? 0 : net.g.n_inhibitory);
    EXPECT_EQ(is_dense_layer(net.g, l), dense);
  }
  EXPECT_EQ(tensor(net.g, readout_tensor(net.g)).n_inhibitory, net.g.n_inhibitory);
  EXPECT_FALSE(is_dense_layer(net.g, layers));  // the readout
}
TEST_P(DenseLayers, AreWhatTheFormulaSays) {
  Deep net(GetParam());
  for (size_t i = 0; i < net.theta.size(); ++i)
    net.theta[i] += 0.05 * std::sin(1 + double(i));  // biases, and dense weights unlike any start
  std::vector<double> x(size_t(steps * rows * n_in));
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::cos(0.7 * double(i));
  const std::vector<double> got = net.logits(x);
  const ParameterisationId how = GetParam(), plain = ParameterisationId::dense;
  for (int r = 0; r < rows; ++r) {
    std::vector<double> h(n);
    for (int t = 0; t < steps; ++t) {
      std::vector<double> z(n);
      for (int i = 0; i < n; ++i) {
        z[size_t(i)] = net.bias(bias_tensor(0), i);
        for (int j = 0; j < n_in; ++j)
          z[size_t(i)] += net.weight(input_tensor(0), i, j, how) * x[size_t((t * rows + r) * n_in + j)];
        for (int j = 0; j < n; ++j) z[size_t(i)] += net.weight(recurrent_tensor(0), i, j, how) * h[size_t(j)];
      }
      for (int i = 0; i < n; ++i) h[size_t(i)] = std::tanh((1 - alpha) * h[size_t(i)] + alpha * z[size_t(i)]);
      std::vector<double> below = h;
      for (int l = 1; l < layers; ++l) {
        std::vector<double> above(n);
        for (int i = 0; i < n; ++i) {
          double sum = net.bias(bias_tensor(l), i);
          for (int j = 0; j < n; ++j) sum += net.weight(input_tensor(l), i, j, plain) * below[size_t(j)];
          above[size_t(i)] = std::tanh(sum);
        }
        below = above;
      }
      for (int o = 0; o < n_out; ++o) {
        double y = net.bias(readout_bias_tensor(net.g), o);
        for (int j = 0; j < n; ++j) y += net.weight(readout_tensor(net.g), o, j, how) * below[size_t(j)];
        EXPECT_NEAR(got[size_t((o * steps + t) * rows + r)], y, 1e-13) << "row " << r << ", step " << t;
      }
    }
  }
}
TEST_P(DenseLayers, SeeNoNoiseOfTheirOwn) {
  Deep net(GetParam());
  net.spec.noise = 0.3;
  const std::vector<double> x(size_t(steps * rows * n_in), 0.5);
  const std::vector<double> quiet = net.logits(x), noisy = net.logits(x, true);
  EXPECT_NE(quiet, noisy);
  // With nothing read from the recurrent layer, nothing of its noise is left.
  const Tensor t = tensor(net.g, input_tensor(1));
  std::fill(net.theta.begin() + ptrdiff_t(t.offset), net.theta.begin() + ptrdiff_t(t.end), 0.0);
  EXPECT_EQ(net.logits(x), net.logits(x, true));
}
TEST_P(DenseLayers, StartAndMoveWithEitherSign) {
  Deep net(GetParam());
  std::vector<double> gradient(net.theta.size());
  for (int l = 1; l < layers; ++l) {
    const Tensor t = tensor(net.g, input_tensor(l));
    const auto [least, most] =
        std::minmax_element(net.theta.begin() + ptrdiff_t(t.offset), net.theta.begin() + ptrdiff_t(t.end));
    const double bound = 1 / std::sqrt(double(n));  // uniform, +- 1 / sqrt(inputs)
    EXPECT_LT(*least, -bound / 3);
    EXPECT_GT(*most, bound / 3);
    EXPECT_GE(*least, -bound);
    EXPECT_LE(*most, bound);
  }
  for (size_t i = 0; i < gradient.size(); ++i) gradient[i] = 1;
  for (RuleSpec& rule : net.spec.rule) rule.lr = 10;
  net.spec.steps = 1;
  const std::vector<double> before = net.theta;
  ASSERT_TRUE(update(net.team, net.g, Network<double>(net.cohort, 0), 0, gradient.data()));
  for (int k = 0; k < n_tensors(net.g); ++k) {
    const Tensor t = tensor(net.g, k);
    const bool free = t.role == Role::bias || (t.role == Role::input && t.layer > 0);
    for (size_t i = t.offset; i < t.end; ++i)
      EXPECT_NEAR(net.theta[i], free ? before[i] - 10 : 0, 1e-12) << "tensor " << k;  // clamp: nothing below 0
  }
}

}  // namespace
}  // namespace cohort

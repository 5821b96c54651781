// Exact gradients against central differences in double, for every parameterisation, loss, activation and choice of steps.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "program/initialise.h"
#include "program/step.h"
#include "team/serial.h"

namespace cohort {
namespace {

using Real = double;

struct Case {
  ParameterisationId parameterisation;
  LossId loss;
  LossSteps loss_steps;
  ActivationId activation;
  int layers;
  double alpha, smoothing, noise;
  bool bias;
  int dense = 0;  // of the layers, the last ones
};

std::string describe(const Case& c) {
  return std::string(info(c.parameterisation).name) + " " + info(c.loss).name + " " + info(c.activation).name +
         " steps " + std::to_string(int(c.loss_steps)) + " layers " + std::to_string(c.layers) + " alpha " +
         std::to_string(c.alpha) + (c.bias ? " bias" : "") + " dense " + std::to_string(c.dense);
}

// One network on one fixed batch of its task.
class Subject {
 public:
  explicit Subject(const Case& c) {
    g_ = {.n_in = 3,
          .n_hidden = 7,
          .n_layers = c.layers,
          .n_out = 3,
          .n_inhibitory = c.parameterisation == ParameterisationId::dann ? 2 : 0,
          .batch = 5,
          .n_steps = 6,
          .bias = c.bias,
          .n_dense = c.dense};
    spec_.seed = 11;
    spec_.parameterisation = c.parameterisation;
    spec_.activation = c.activation;
    spec_.alpha = c.alpha;
    spec_.noise = c.noise;
    spec_.n_excitatory = 5;
    spec_.task.loss = c.loss;
    spec_.task.loss_steps = c.loss_steps;
    spec_.task.label_smoothing = c.smoothing;
    const double task[] = {5, 0.3, 1, 0};
    std::copy(std::begin(task), std::end(task), spec_.task.param);
    const bool dann = c.parameterisation == ParameterisationId::dann;
    spec_.init.recurrent = dann ? DistributionId::dann : DistributionId::normal;
    if (dann) spec_.init.input = spec_.init.readout = DistributionId::dann;
    theta_.resize(n_params(g_));
    momentum_.resize(n_params(g_));
    const Cohort<Real> cohort{.signature = g_,
                              .n_nets = 1,
                              .nets = &spec_,
                              .state = &state_,
                              .theta = theta_.data(),
                              .momentum = momentum_.data(),
                              .mask = nullptr,
                              .data = {}};
    initialise_network(team_, InitArgs<Real>{cohort}, 0, nullptr);
    for (int k = 0; k < n_tensors(g_); ++k) {  // biases start at 0, which is no place to test them
      const Tensor t = tensor(g_, k);
      if (t.role == Role::bias)
        for (size_t i = t.offset; i < t.end; ++i) theta_[i] = 0.1 * std::sin(double(i));
    }
    Arena measure(nullptr);
    Workspace<Real>::carve<SerialTeam>(measure, g_, g_.batch, Purpose::learning);
    memory_.reset(static_cast<unsigned char*>(std::aligned_alloc(256, measure.used())));
    Arena arena(memory_.get());
    w_ = Workspace<Real>::carve<SerialTeam>(arena, g_, g_.batch, Purpose::learning);
    clear_weights(team_, w_);
    fill_batch(team_, g_, spec_, Dataset{}, Split::train, {rng::phase_train, 0, 0}, g_.batch, w_.batch);
    if (c.loss_steps == LossSteps::masked)
      for (int i = 0; i < g_.n_steps * g_.batch; ++i) w_.batch.weight[i] = i % 3 != 1;
  }
  double loss() {
    return loss_and_gradient(team_, g_, Network<Real>(view(), 0), true, g_.batch, w_, spec_.noise > 0, 0);
  }
  std::vector<Real>& theta() { return theta_; }
  std::vector<Real> gradient() {
    loss();
    return {w_.gradient, w_.gradient + n_params(g_)};
  }

 private:
  struct Free {
    void operator()(unsigned char* p) const { std::free(p); }
  };
  Cohort<Real> view() {
    return {.signature = g_,
            .n_nets = 1,
            .nets = &spec_,
            .state = &state_,
            .theta = theta_.data(),
            .momentum = momentum_.data(),
            .mask = nullptr,
            .data = {}};
  }
  SerialTeam team_;
  Signature g_;
  NetSpec spec_;
  NetState state_;
  std::vector<Real> theta_, momentum_;
  std::unique_ptr<unsigned char, Free> memory_;
  Workspace<Real> w_;
};

void expect_exact(const Case& c) {
  SCOPED_TRACE(describe(c));
  Subject subject(c);
  const std::vector<Real> exact = subject.gradient();
  double largest = 0;
  for (const Real d : exact) largest = std::max(largest, std::abs(d));
  ASSERT_GT(largest, 1e-4);  // a gradient of nothing would agree with everything
  const double h = 1e-5;     // error h^2 f''' / 6 + eps f / h: about 1e-10
  for (size_t i = 0; i < exact.size(); ++i) {
    Real& x = subject.theta()[i];
    const Real kept = x;
    x = kept + h;
    const double up = subject.loss();
    x = kept - h;
    const double down = subject.loss();
    x = kept;
    EXPECT_NEAR((up - down) / (2 * h), exact[i], 2e-8 * largest + 1e-9) << "parameter " << i;
  }
}

class Gradients : public ::testing::TestWithParam<ParameterisationId> {};
#define COHORT_ROW(word) , ParameterisationId::word
template <class... T>
auto tail(int, T... rest) {
  return ::testing::Values(rest...);
}
INSTANTIATE_TEST_SUITE_P(Every, Gradients, tail(0 COHORT_FOR_EACH_PARAMETERISATION(COHORT_ROW)),
                         [](const auto& each) { return std::string(cohort::info(each.param).name); });
#undef COHORT_ROW

TEST_P(Gradients, EveryLossAndChoiceOfSteps) {
  for (int loss = 0; loss < n_losses; ++loss)
    for (const LossSteps steps : {LossSteps::all, LossSteps::last, LossSteps::masked})
      expect_exact({GetParam(), LossId(loss), steps, ActivationId::tanh, 1, 1.0, 0.0, 0.0, false});
}
TEST_P(Gradients, EveryActivationWithLeakAndBias) {
  for (int activation = 0; activation < n_activations; ++activation)
    for (const double alpha : {1.0, 0.4})
      expect_exact(
          {GetParam(), LossId::cross_entropy, LossSteps::all, ActivationId(activation), 1, alpha, 0.1, 0.0, true});
}
TEST_P(Gradients, Layers) {
  for (const int layers : {2, 3})
    expect_exact({GetParam(), LossId::cross_entropy, LossSteps::last, ActivationId::tanh, layers, 0.7, 0.0, 0.0, true});
}
TEST_P(Gradients, DenseLayersAfterRecurrentOnes) {
  for (const LossSteps steps : {LossSteps::all, LossSteps::last})
    for (const int layers : {3, 4})
      expect_exact(
          {GetParam(), LossId::cross_entropy, steps, ActivationId::tanh, layers, 0.6, 0.0, 0.2, layers == 3, 2});
}
TEST_P(Gradients, RecurrentNoise) {
  expect_exact({GetParam(), LossId::cross_entropy, LossSteps::all, ActivationId::tanh, 2, 0.5, 0.0, 0.2, false});
}

}  // namespace
}  // namespace cohort

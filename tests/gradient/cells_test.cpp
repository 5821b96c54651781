// Feedforward networks in double: exact gradients against central differences for every cell, and what the cells promise.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "alignment/tangent_feedforward.h"
#include "program/effective.h"
#include "program/evaluate.h"
#include "program/initialise.h"
#include "team/serial.h"

namespace cohort {
namespace {

using Real = double;

struct Case {
  CellId cell = CellId::dense;
  std::vector<int> widths = {7, 5};
  LossId loss = LossId::cross_entropy;
  LossSteps loss_steps = LossSteps::all;
  ActivationId activation = ActivationId::softplus;  // positive, as divisive inhibition wants it
  NormForm norm = NormForm::standard;
  bool bias = true, normalised_readout = false;
  int n_steps = 3;
};

std::string describe(const Case& c) {
  std::string text = std::string(info(c.cell).name) + " " + info(c.loss).name + " " + info(c.activation).name +
                     " steps " + std::to_string(int(c.loss_steps)) + " widths";
  for (const int width : c.widths) text += " " + std::to_string(width);
  return text + (c.bias ? " bias" : "") + (c.norm == NormForm::published ? " published" : "") +
         (c.normalised_readout ? " normalised readout" : "");
}

struct Free {
  void operator()(unsigned char* p) const { std::free(p); }
};
using Memory = std::unique_ptr<unsigned char, Free>;
Memory memory_of(size_t bytes) {
  return Memory(static_cast<unsigned char*>(std::aligned_alloc(256, (bytes + 255) / 256 * 256)));
}

// One network on one fixed batch of its task.
class Subject {
 public:
  explicit Subject(const Case& c) {
    g_ = {.core = CoreId::feedforward,
          .n_in = 3,
          .n_layers = int(c.widths.size()),
          .n_out = 3,
          .n_inhibitory = has_inhibition(c.cell) ? 2 : 0,
          .batch = 4,
          .n_steps = c.n_steps,
          .bias = c.bias,
          .cell = c.cell,
          .normalised_readout = c.normalised_readout};
    g_.n_hidden = 1;
    for (const int width : c.widths) g_.n_hidden = std::max(g_.n_hidden, width);
    for (size_t l = 0; l < c.widths.size(); ++l) g_.widths[l] = c.widths[l] == g_.n_hidden ? 0 : c.widths[l];
    spec_.seed = 11;
    spec_.parameterisation = parameterisation_of(c.cell);
    spec_.norm = c.norm;
    spec_.activation = c.activation;
    spec_.n_excitatory = g_.n_hidden - g_.n_hidden / 3;
    spec_.task.loss = c.loss;
    spec_.task.loss_steps = c.loss_steps;
    const double task[] = {double(c.n_steps - 1), 0.3, 1, 0};
    std::copy(std::begin(task), std::end(task), spec_.task.param);
    if (has_inhibition(c.cell)) spec_.init.input = spec_.init.readout = DistributionId::dann;
    theta_.resize(n_params(g_));
    momentum_.resize(n_params(g_));
    initialise_network(team_, InitArgs<Real>{view()}, 0, nullptr);
    for (int k = 0; k < n_tensors(g_); ++k) {  // where they start is no place to test them
      const Tensor t = tensor(g_, k);
      if (!is_weights(t.role))
        for (size_t i = t.offset; i < t.end; ++i) theta_[i] += 0.2 * std::sin(double(i));
      if (t.role == Role::bias && t.layer < g_.n_layers && c.cell == CellId::dann &&
          c.activation == ActivationId::linear)
        for (size_t i = t.offset; i < t.end; ++i) theta_[i] += 3;  // activity of any sign would be divided by nearly 0
    }
    Arena measure(nullptr);
    FeedforwardWorkspace<Real>::carve<SerialTeam>(measure, g_, g_.batch, Purpose::learning);
    memory_ = memory_of(measure.used());
    Arena arena(memory_.get());
    w_ = FeedforwardWorkspace<Real>::carve<SerialTeam>(arena, g_, g_.batch, Purpose::learning);
    clear_weights(team_, w_);
    fill_batch(team_, g_, spec_, Dataset{}, Split::train, {rng::phase_train, 0, 0}, g_.batch, w_.batch);
    for (int i = 0; i < g_.n_steps * g_.batch * g_.n_in; ++i)  // the task's last step shows nothing
      w_.batch.x[i] += 0.6 + 0.5 * std::sin(1.7 * i);
    if (c.loss_steps == LossSteps::masked)
      for (int i = 0; i < g_.n_steps * g_.batch; ++i) w_.batch.weight[i] = i % 3 != 1;
  }
  double loss() { return loss_and_gradient(team_, g_, Network<Real>(view(), 0), true, g_.batch, w_, false, 0); }
  std::vector<Real> gradient() {
    loss();
    return {w_.gradient, w_.gradient + n_params(g_)};
  }
  // Logits [n_out][T * rows] of the batch, whose inputs are scaled first.
  std::vector<Real> logits(double scale = 1) {
    const int n = g_.n_steps * g_.batch;
    for (int i = 0; i < n * g_.n_in; ++i) w_.batch.x[i] *= scale;
    load_weights(team_, g_, spec_, theta_.data(), w_);
    forward(team_, g_, spec_, g_.batch, 0, w_);
    return {w_.batch.y, w_.batch.y + n * g_.n_out};
  }
  std::vector<Real>& theta() { return theta_; }
  const Signature& signature() const { return g_; }
  NetSpec& spec() { return spec_; }
  const FeedforwardWorkspace<Real>& workspace() const { return w_; }
  const Real* tensor_at(int k) const { return theta_.data() + tensor(g_, k).offset; }
  // Input i at position p = step * rows + row.
  Real input(int p, int i) const { return w_.batch.x[p * g_.n_in + i]; }
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

 private:
  SerialTeam team_;
  Signature g_;
  NetSpec spec_;
  NetState state_;
  std::vector<Real> theta_, momentum_;
  Memory memory_;
  FeedforwardWorkspace<Real> w_;
};

void expect_exact(const Case& c) {
  SCOPED_TRACE(describe(c));
  Subject subject(c);
  const std::vector<Real> exact = subject.gradient();
  double largest = 0;
  for (const Real d : exact) largest = std::max(largest, std::abs(d));
  ASSERT_GT(largest, 1e-4);  // a gradient of nothing would agree with everything
  const double h = 1e-4;     // error h^4 f^(5) / 30 + eps f / h: about 1e-11 of the loss
  for (size_t i = 0; i < exact.size(); ++i) {
    Real& x = subject.theta()[i];
    const Real kept = x;
    const auto slope = [&](double by) {
      x = kept + by;
      const double up = subject.loss();
      x = kept - by;
      const double down = subject.loss();
      x = kept;
      return (up - down) / (2 * by);
    };
    EXPECT_NEAR((4 * slope(h) - slope(2 * h)) / 3, exact[i], 1e-7 * largest + 1e-9) << "parameter " << i;
  }
}

class Cells : public ::testing::TestWithParam<CellId> {};
#define COHORT_ROW(word) , CellId::word
template <class... T>
auto tail(int, T... rest) {
  return ::testing::Values(rest...);
}
INSTANTIATE_TEST_SUITE_P(Every, Cells, tail(0 COHORT_FOR_EACH_CELL(COHORT_ROW)),
                         [](const auto& each) { return std::string(cohort::info(each.param).name); });
#undef COHORT_ROW

TEST_P(Cells, EveryLossAndChoiceOfSteps) {
  for (int loss = 0; loss < n_losses; ++loss)
    for (const LossSteps steps : {LossSteps::all, LossSteps::last, LossSteps::masked})
      expect_exact({.cell = GetParam(), .loss = LossId(loss), .loss_steps = steps});
}
TEST_P(Cells, EveryActivationWithAndWithoutBias) {
  for (int activation = 0; activation < n_activations; ++activation)
    for (const bool bias : {false, true})
      expect_exact({.cell = GetParam(), .activation = ActivationId(activation), .bias = bias});
}
TEST_P(Cells, DepthsAndWidths) {
  const std::vector<int> shapes[] = {{}, {1}, {6}, {17}, {5, 9, 4}, {6, 6, 6, 6}};
  for (const std::vector<int>& widths : shapes) {
    if (GetParam() == CellId::layer_norm && widths == std::vector<int>{1}) continue;  // one unit has no deviation
    expect_exact({.cell = GetParam(), .widths = widths});
  }
}
// The sums over tangent kernels, against gradients of single logits by central differences. Batch norm has none.
TEST_P(Cells, TangentKernelsAreProductsOfGradients) {
  for (const LossSteps steps : {LossSteps::all, LossSteps::last})
    for (int layer = 0; layer <= 2; ++layer) {
      SCOPED_TRACE(layer);
      Subject subject({.cell = GetParam(), .loss_steps = steps});
      const Signature& g = subject.signature();
      const int trials = 4, k = input_tensor(g, layer);
      std::vector<Real> start = subject.theta();
      for (size_t i = 0; i < start.size(); ++i) start[i] *= 1 + 0.3 * std::cos(double(i));
      TangentSums sums{};
      const TangentArgs<Real> args{subject.view(), start.data(), trials, k, &sums};
      const Memory memory = memory_of(feedforward_tangent_bytes<SerialTeam>(args));
      feedforward_tangent_network(SerialTeam{}, args, 0, memory.get());
      if (GetParam() == CellId::batch_norm) {
        EXPECT_TRUE(std::isnan(sums.now_now));
        continue;
      }
      fill_batch(SerialTeam{}, g, subject.spec(), Dataset{}, Split::train, {rng::phase_kernel, 0, 0}, trials,
                 subject.workspace().batch);
      const Tensor t = tensor(g, k);
      const size_t n_weights = t.offset_ei - t.offset;
      const auto jacobian = [&](const std::vector<Real>& theta) {  // [weights][logits]
        std::vector<std::vector<Real>> rows;
        subject.theta() = theta;
        for (size_t i = 0; i < n_weights; ++i) {
          const double h = 1e-5;
          subject.theta()[t.offset + i] = theta[t.offset + i] + h;
          std::vector<Real> up = subject.logits();
          subject.theta()[t.offset + i] = theta[t.offset + i] - h;
          const std::vector<Real> down = subject.logits();
          subject.theta()[t.offset + i] = theta[t.offset + i];
          for (size_t j = 0; j < up.size(); ++j) up[j] = (up[j] - down[j]) / (2 * h);
          rows.push_back(up);
        }
        return rows;
      };
      std::vector<Real> now = subject.theta();
      const auto j_now = jacobian(now), j_start = jacobian(start);
      const int n = g.n_steps * trials, first = steps == LossSteps::last ? n - trials : 0;
      // A column_ei weight's magnitude has the gradient of the effective weight but for its sign, which drops out.
      double now_now = 0, now_start = 0;
      for (int a = 0; a < g.n_out * n; ++a)
        for (int b = 0; b < g.n_out * n; ++b) {
          if (a % n < first || b % n < first) continue;
          double x = 0, y = 0;
          for (size_t i = 0; i < n_weights; ++i) {
            x += j_now[i][size_t(a)] * j_now[i][size_t(b)];
            y += j_start[i][size_t(a)] * j_start[i][size_t(b)];
          }
          now_now += x * x;
          now_start += x * y;
        }
      EXPECT_NEAR(sums.now_now, now_now, 1e-6 * now_now);
      EXPECT_NEAR(sums.now_start, now_start, 1e-6 * std::sqrt(now_now * sums.start_start));
    }
}

TEST(Feedforward, FormsOfNorms) {
  for (const CellId cell : {CellId::layer_norm, CellId::batch_norm})
    for (const NormForm norm : {NormForm::standard, NormForm::published})
      for (const bool readout : {false, true})
        for (const bool bias : {false, true})
          for (const LossSteps steps : {LossSteps::all, LossSteps::last})
            expect_exact(
                {.cell = cell, .loss_steps = steps, .norm = norm, .bias = bias, .normalised_readout = readout});
}

// A recurrent network of one step whose recurrent weights are 0 is a feedforward network of one dense layer.
TEST(Feedforward, AgreesWithARecurrentNetworkOfOneStep) {
  Subject subject({.widths = {6}, .activation = ActivationId::softplus});
  Signature g = subject.signature();
  g.n_steps = 1;
  NetSpec spec = subject.spec();
  spec.task.param[0] = 0;
  Signature recurrent = g;
  recurrent.core = CoreId::recurrent;
  const SerialTeam team;
  const auto run = [&](const Signature& s, auto w, std::vector<Real>& theta) {
    using W = decltype(w);
    Arena measure(nullptr);
    W::template carve<SerialTeam>(measure, s, s.batch, Purpose::learning);
    const Memory memory = memory_of(measure.used());
    Arena arena(memory.get());
    w = W::template carve<SerialTeam>(arena, s, s.batch, Purpose::learning);
    clear_weights(team, w);
    fill_batch(team, s, spec, Dataset{}, Split::train, {rng::phase_train, 3, 0}, s.batch, w.batch);
    NetState state;
    const Cohort<Real> cohort{.signature = s,
                              .n_nets = 1,
                              .nets = &spec,
                              .state = &state,
                              .theta = theta.data(),
                              .momentum = nullptr,
                              .mask = nullptr,
                              .data = {}};
    const Real loss = loss_and_gradient(team, s, Network<Real>(cohort, 0), true, s.batch, w, false, 0);
    std::vector<Real> result(w.gradient, w.gradient + n_params(s));
    result.push_back(loss);
    return result;
  };
  std::vector<Real> theta = subject.theta(), other(n_params(recurrent));
  const int pairs[4][2] = {{0, 0}, {1, 2}, {4, 3}, {5, 4}};  // input, bias, readout, its bias
  for (const auto& [mine, theirs] : pairs)
    std::copy_n(theta.begin() + ptrdiff_t(tensor(g, mine).offset), tensor(g, mine).size(),
                other.begin() + ptrdiff_t(tensor(recurrent, theirs).offset));
  const std::vector<Real> a = run(g, FeedforwardWorkspace<Real>{}, theta), b = run(recurrent, Workspace<Real>{}, other);
  EXPECT_NEAR(a.back(), b.back(), 1e-14 * std::abs(b.back()));
  for (const auto& [mine, theirs] : pairs) {
    const Tensor from = tensor(g, mine), to = tensor(recurrent, theirs);
    ASSERT_EQ(from.size(), to.size());
    for (size_t i = 0; i < from.size(); ++i)
      EXPECT_NEAR(a[from.offset + i], b[to.offset + i], 1e-14) << mine << " " << i;
  }
}

// Cornford et al., ICLR 2021: division makes a DANN's pre-activations invariant to the scale of its inputs.
TEST(Feedforward, DivisionCancelsTheScaleOfTheInputs) {
  Subject subject({.cell = CellId::dann, .activation = ActivationId::relu, .bias = false});
  const std::vector<Real> once = subject.logits(), scaled = subject.logits(1000);
  double largest = 0;
  for (const Real y : once) largest = std::max(largest, std::abs(y));
  ASSERT_GT(largest, 0.01);
  for (size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(once[i], scaled[i], 1e-5 * largest);  // 1e-8 beside gamma
}

TEST(Feedforward, NormsCentreAndScale) {
  for (const CellId cell : {CellId::layer_norm, CellId::batch_norm})
    for (const NormForm norm : {NormForm::standard, NormForm::published}) {
      SCOPED_TRACE(info(cell).name);
      Subject subject({.cell = cell, .widths = {9}, .activation = ActivationId::linear, .norm = norm, .bias = false});
      const Signature& g = subject.signature();
      const Tensor gain = tensor(g, layer_gain_tensor(0)), weights = tensor(g, input_tensor(g, 0));
      ASSERT_EQ(gain.size(), 9u);
      std::fill_n(subject.theta().begin() + ptrdiff_t(gain.offset), gain.size(), 1);
      const double scale = 1e3;  // beside which the 1e-5 of the standard form is nothing
      for (size_t i = weights.offset; i < weights.end; ++i) subject.theta()[i] *= scale;
      subject.logits();
      const auto layer = subject.workspace().layers.layer<SerialTeam>(g, 0);
      const int positions = g.n_steps * g.batch, groups = cell == CellId::layer_norm ? positions : 9,
                n = cell == CellId::layer_norm ? 9 : positions;
      for (int group = 0; group < groups; ++group) {
        double sum = 0, squares = 0;
        for (int i = 0; i < n; ++i) {
          const int p = cell == CellId::layer_norm ? group : i, u = cell == CellId::layer_norm ? i : group;
          const double h = layer.h[p * layer.ld + u];
          sum += h;
          squares += h * h;
        }
        EXPECT_NEAR(sum, 0, 1e-11);
        EXPECT_NEAR(squares / (norm == NormForm::standard ? n : n - 1), 1, norm == NormForm::standard ? 1e-8 : 1e-12);
      }
    }
}

// Batch norm is evaluated with the statistics that it is trained with: of the steps that enter the loss.
TEST(Feedforward, BatchNormIsEvaluatedAsItIsTrained) {
  Subject subject({.cell = CellId::batch_norm, .loss_steps = LossSteps::last});
  const Signature& g = subject.signature();
  const SerialTeam team;
  double loss = 0, accuracy = 0;
  const EvaluateArgs<Real> args{subject.view(), g.batch, Split::test, &loss, &accuracy};
  const Program<Real>& program = *cpu_program<Real>(CoreId::feedforward);
  const size_t bytes = program.evaluate_workspace(args, 1);
  const Memory memory = memory_of(bytes);
  program.evaluate(args, {0, 1, memory.get(), bytes, nullptr});
  const auto loss_of = [&](int first) {
    const FeedforwardWorkspace<Real>& w = subject.workspace();
    fill_batch(team, g, subject.spec(), Dataset{}, Split::test, {rng::phase_evaluate, 0, 0}, g.batch, w.batch);
    load_weights(team, g, subject.spec(), subject.theta().data(), w);
    forward(team, g, subject.spec(), g.batch, first, w);
    return batch_loss(team, g, subject.spec(), true, g.batch, w.batch);
  };
  EXPECT_NEAR(loss, loss_of(g.n_steps - 1), 1e-13);
  EXPECT_GT(std::abs(loss - loss_of(0)), 1e-3);
}

// ---- single layers, written out
TEST(Feedforward, StartsOfGainsAlphasAndBiases) {
  Subject subject({.cell = CellId::dann});
  const Signature& g = subject.signature();
  initialise_network(SerialTeam{}, InitArgs<Real>{subject.view()}, 0, nullptr);
  for (int l = 0; l <= g.n_layers; ++l) {
    const double d = layer_inputs(g, l);
    const size_t ni = l == 1 ? 1 : 2;  // in proportion to the width, but for the readout
    ASSERT_EQ(tensor(g, layer_alpha_tensor(l)).size(), ni);
    for (int i = 0; i < layer_width(g, l); ++i) {
      EXPECT_EQ(subject.tensor_at(layer_gain_tensor(l))[i], 1);
      EXPECT_EQ(subject.tensor_at(layer_bias_tensor(l))[i], 0);
    }
    for (size_t k = 0; k < ni; ++k)
      EXPECT_NEAR(subject.tensor_at(layer_alpha_tensor(l))[k], std::log(std::sqrt((2 * M_PI - 1) / d)), 1e-14);
  }
}

// Mean squared error of a linear model: loss and gradient from sums over positions.
TEST(Feedforward, WithoutHiddenLayersIsALinearModel) {
  for (const LossSteps steps : {LossSteps::all, LossSteps::last}) {
    Subject subject({.widths = {}, .loss = LossId::mse, .loss_steps = steps});
    const Signature& g = subject.signature();
    ASSERT_EQ(n_params(g), 12u);
    const int n = g.n_steps * g.batch, first = steps == LossSteps::last ? n - g.batch : 0;
    double loss = 0;
    std::vector<double> expected(12);
    for (int p = first; p < n; ++p)
      for (int o = 0; o < 3; ++o) {
        double error = subject.tensor_at(1)[o] - (subject.workspace().batch.label[p] == o);
        for (int i = 0; i < 3; ++i) error += subject.tensor_at(0)[o * 3 + i] * subject.input(p, i);
        loss += error * error / (n - first);
        for (int i = 0; i < 3; ++i) expected[size_t(o * 3 + i)] += 2 * error * subject.input(p, i) / (n - first);
        expected[size_t(9 + o)] += 2 * error / (n - first);
      }
    EXPECT_NEAR(subject.loss(), loss, 1e-13 * loss);
    const std::vector<Real> got = subject.gradient();
    for (size_t i = 0; i < 12; ++i) EXPECT_NEAR(got[i], expected[i], 1e-13) << i;
  }
}

// z = (g / gamma) (W_ex - W_ei W_ix) x + b, gamma = (W_ei exp(alpha)) W_ix x + 1e-8, unit by unit.
TEST(Feedforward, DivisiveInhibitionWrittenOut) {
  Subject subject({.cell = CellId::dann, .widths = {}});
  const Signature& g = subject.signature();
  const Tensor t = tensor(g, 0);
  ASSERT_EQ(t.n_inhibitory, 2);
  const Real *const ex = subject.theta().data() + t.offset, *const ei = subject.theta().data() + t.offset_ei,
                    *const ix = subject.theta().data() + t.offset_ix;
  const std::vector<Real> y = subject.logits();
  const int n = g.n_steps * g.batch;
  for (int p = 0; p < n; ++p) {
    double zi[2] = {};
    for (int k = 0; k < 2; ++k)
      for (int j = 0; j < 3; ++j) zi[k] += ix[k * 3 + j] * subject.input(p, j);
    for (int o = 0; o < 3; ++o) {
      double zhat = 0, gamma = 1e-8;
      for (int j = 0; j < 3; ++j) zhat += ex[o * 3 + j] * subject.input(p, j);
      for (int k = 0; k < 2; ++k) {
        zhat -= ei[o * 2 + k] * zi[k];
        gamma += ei[o * 2 + k] * std::exp(subject.tensor_at(3)[k]) * zi[k];
      }
      const double z = subject.tensor_at(2)[o] / gamma * zhat + subject.tensor_at(1)[o];
      EXPECT_NEAR(y[size_t(o * n + p)], z, 1e-13 * (1 + std::abs(z)));
    }
  }
}

// A layer with signs or subtractive inhibition is a dense one with its effective weights, and learns what the chain rule gives.
TEST(Feedforward, EffectiveWeightsMakeADenseNetwork) {
  for (const CellId cell : {CellId::column_ei, CellId::dann_subtractive}) {
    SCOPED_TRACE(info(cell).name);
    Subject subject({.cell = cell, .widths = {7, 5}}), dense({.widths = {7, 5}});
    const Signature &g = subject.signature(), &plain = dense.signature();
    for (int l = 0; l <= 2; ++l) {
      const Tensor from = tensor(g, input_tensor(g, l)), to = tensor(plain, input_tensor(plain, l));
      effective_network(SerialTeam{},
                        EffectiveArgs<Real>{subject.view(), input_tensor(g, l), dense.theta().data() + to.offset}, 0,
                        nullptr);
      std::copy_n(subject.tensor_at(layer_bias_tensor(l)), from.rows,
                  dense.theta().begin() + ptrdiff_t(tensor(plain, layer_bias_tensor(l)).offset));
    }
    EXPECT_NEAR(subject.loss(), dense.loss(), 1e-14);
    const std::vector<Real> got = subject.gradient(), dw = dense.gradient();
    for (int l = 0; l <= 2; ++l) {
      const Tensor t = tensor(g, input_tensor(g, l)), of = tensor(plain, input_tensor(plain, l));
      const Real *const w = subject.theta().data(), *const d = dw.data() + of.offset;
      // widths 7 and 5: 5 of 7, 3 of 5 units excite; the data all do
      const int n_excitatory = l == 0 ? t.cols : l == 1 ? 5 : 3, ni = t.n_inhibitory;
      for (int i = 0; i < t.rows; ++i)
        for (int j = 0; j < t.cols; ++j) {
          const Real sign = cell == CellId::column_ei && j >= n_excitatory ? -1 : 1;
          EXPECT_NEAR(got[t.offset + size_t(i * t.cols + j)], sign * d[i * t.cols + j], 1e-14) << l;
        }
      for (int k = 0; k < ni; ++k) {
        for (int i = 0; i < t.rows; ++i) {
          Real expected = 0;
          for (int j = 0; j < t.cols; ++j) expected -= d[i * t.cols + j] * w[t.offset_ix + size_t(k * t.cols + j)];
          EXPECT_NEAR(got[t.offset_ei + size_t(i * ni + k)], expected, 1e-13) << l;
        }
        for (int j = 0; j < t.cols; ++j) {
          Real expected = 0;
          for (int i = 0; i < t.rows; ++i) expected -= d[i * t.cols + j] * w[t.offset_ei + size_t(i * ni + k)];
          EXPECT_NEAR(got[t.offset_ix + size_t(k * t.cols + j)], expected, 1e-13) << l;
        }
      }
    }
  }
}

// A norm over one number, in the published form, divides by 0: such a network counts as diverged and keeps its start.
TEST(Feedforward, NormsOfOneNumberDiverge) {
  struct Row {
    CellId cell;
    NormForm norm;
    int width, batch;
    bool diverges;
  };
  for (const Row& row : {Row{CellId::layer_norm, NormForm::published, 1, 4, true},
                         Row{CellId::layer_norm, NormForm::standard, 1, 4, false},
                         Row{CellId::layer_norm, NormForm::published, 3, 1, false},
                         Row{CellId::batch_norm, NormForm::published, 3, 1, true},
                         Row{CellId::batch_norm, NormForm::standard, 3, 1, false}}) {
    SCOPED_TRACE(std::string(info(row.cell).name) + " " + std::to_string(int(row.norm)));
    Subject subject(
        {.cell = row.cell, .widths = {row.width}, .loss_steps = LossSteps::last, .norm = row.norm, .n_steps = 1});
    Cohort<Real> cohort = subject.view();
    cohort.signature.batch = row.batch;
    subject.spec().task.param[0] = 0;
    const std::vector<Real> start = subject.theta();
    std::vector<Real> history(3);
    const TrainArgs<Real> args{cohort, 3, history.data()};
    const Program<Real>& program = *cpu_program<Real>(CoreId::feedforward);
    const size_t bytes = program.train_workspace(args, 1);
    const Memory memory = memory_of(bytes);
    program.train(args, {0, 1, memory.get(), bytes, nullptr});
    EXPECT_EQ(cohort.state->diverged_at, row.diverges ? 0 : -1);
    EXPECT_EQ(cohort.state->step, row.diverges ? 0 : 3);
    EXPECT_EQ(std::isfinite(history[0]), !row.diverges);
    EXPECT_EQ(subject.theta() == start, row.diverges);
  }
}

}  // namespace
}  // namespace cohort

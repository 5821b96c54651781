// Drawn weights against what the papers' formulas make of them: moments, centring, activity of the first forward pass and
// spectra. The spectra of the same formulas, drawn without this code, are tests/analysis/reference_test.cpp's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "analysis/spectra_of.h"
#include "program/initialise.h"
#include "team/serial.h"

namespace cohort {
namespace {

using Numbers = std::vector<double>;
constexpr double pi = std::numbers::pi;

struct Request {
  DistributionId id;
  int rows, cols, n_inhibitory = 0;
  Role role = Role::input;
  int layer = 1;
  int n_excitatory = 1 << 30;
  bool iid = false, zero_diagonal = true;
  double gain = 1;
  uint64_t seed = 1;
};

struct Drawn {
  int rows, cols, ni;
  Numbers main, ei, ix;

  explicit Drawn(const Request& r)
      : rows(r.rows),
        cols(r.cols),
        ni(r.n_inhibitory),
        main(size_t(rows * cols)),
        ei(size_t(rows * ni)),
        ix(size_t(ni * cols)) {
    const init::Draw draw{rng::Key(r.seed, 0, rng::stream_weights, 0, 0),
                          rows,
                          cols,
                          ni,
                          rows,
                          r.role,
                          r.gain,
                          1.5,
                          std::min(r.n_excitatory, cols),
                          r.iid,
                          r.layer,
                          r.zero_diagonal};
    const parameterisation::Parts<double> parts{main.data(), ei.data(), ix.data()};
    with_distribution(r.id, [&](auto distribution) { distribution.draw(SerialTeam{}, draw, parts); });
  }
  double inhibition(int i, int j) const {
    double sum = 0;
    for (int k = 0; k < ni; ++k) sum += ei[size_t(i * ni + k)] * ix[size_t(k * cols + j)];
    return sum;
  }
  Numbers dann() const {
    Numbers w = main;
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < cols; ++j) w[size_t(i * cols + j)] -= inhibition(i, j);
    return w;
  }
};

struct Moments {
  double mean = 0, sd = 0, n = 0;
  explicit Moments(const Numbers& x) : n(double(x.size())) {
    for (const double v : x) mean += v / n;
    for (const double v : x) sd += (v - mean) * (v - mean) / n;
    sd = std::sqrt(sd);
  }
};
// Mean and standard deviation of Exp(s) are s; the latter's own error is sqrt(2) s / sqrt(n).
void expect_exponential(const Numbers& x, double s, const std::string& what) {
  const Moments m(x);
  EXPECT_NEAR(m.mean, s, 4 * s / std::sqrt(m.n)) << what;
  EXPECT_NEAR(m.sd, s, 4 * std::sqrt(2.0) * s / std::sqrt(m.n)) << what;
  EXPECT_GE(*std::min_element(x.begin(), x.end()), 0) << what;
}

// Inputs of a layer behind rectified units: relu(N(0, 1)).
Numbers rectified(int n, uint64_t seed) {
  const rng::Key key(seed, 0, 99, 0, 0);
  Numbers x(static_cast<size_t>(n));
  for (int i = 0; i < n; ++i) {
    double a, b;
    const rng::Words words = key.words(uint32_t(i));
    rng::to_normal(words.w[0], words.w[1], &a, &b);
    x[size_t(i)] = std::max(0.0, a);
  }
  return x;
}

// ---- normal
TEST(HeNormal, HasTheVarianceOfItsInputs) {
  struct Case {
    Role role;
    int layer;
    double variance;
  };
  for (const Case& c : {Case{Role::input, 0, 1},
                        {Role::input, 1, 2},
                        {Role::recurrent, 0, 2},
                        {Role::readout, 2, 2},
                        {Role::readout, 0, 1}}) {  // a network without hidden layers
    const Moments m(Drawn({DistributionId::he_normal, 300, 200, 0, c.role, c.layer}).main);
    const double sd = std::sqrt(c.variance / 200);
    EXPECT_NEAR(m.mean, 0, 4 * sd / std::sqrt(m.n));
    EXPECT_NEAR(m.sd, sd, 4 * sd / std::sqrt(2 * m.n)) << int(c.role) << " of layer " << c.layer;
  }
  const Drawn one({DistributionId::he_normal, 20, 10}),
      three({.id = DistributionId::he_normal, .rows = 20, .cols = 10, .gain = 3});
  for (size_t i = 0; i < one.main.size(); ++i) EXPECT_DOUBLE_EQ(three.main[i], 3 * one.main[i]);
}

// ---- Dale's ANN, feedforward (Cornford et al. 2021)
constexpr int d = 500, ni = 50;

// The first forward pass of a layer: z = (W_ex - W_ei W_ix) x / gamma, gamma = (W_ei exp(alpha)) W_ix x.
struct Pass {
  Numbers z, gamma;
  Pass(const Drawn& w, const Numbers& x, double scale = 1) {
    Numbers zi(size_t(w.ni));
    for (int k = 0; k < w.ni; ++k)
      for (int j = 0; j < w.cols; ++j) zi[size_t(k)] += w.ix[size_t(k * w.cols + j)] * scale * x[size_t(j)];
    const double exp_alpha = std::sqrt((2 * pi - 1) / w.cols);
    for (int i = 0; i < w.rows; ++i) {
      double up = 0, down = 1e-8;
      for (int j = 0; j < w.cols; ++j) up += w.main[size_t(i * w.cols + j)] * scale * x[size_t(j)];
      for (int k = 0; k < w.ni; ++k) {
        up -= w.ei[size_t(i * w.ni + k)] * zi[size_t(k)];
        down += w.ei[size_t(i * w.ni + k)] * exp_alpha * zi[size_t(k)];
      }
      z.push_back(up / down);
      gamma.push_back(down);
    }
  }
};

struct Passes {
  Numbers z, gamma;
  explicit Passes(const Request& request, int count = 20) {
    for (int s = 0; s < count; ++s) {
      Request r = request;
      r.seed = uint64_t(100 + s);
      const Pass pass(Drawn(r), rectified(r.cols, uint64_t(500 + s)));
      z.insert(z.end(), pass.z.begin(), pass.z.end());
      gamma.insert(gamma.end(), pass.gamma.begin(), pass.gamma.end());
    }
  }
};

TEST(DannFeedforward, DivisiveInhibitionStartsAtOne) {
  const Passes hidden({DistributionId::dann_feedforward, d, d, ni});
  EXPECT_NEAR(Moments(hidden.gamma).mean, 1, 0.025);
  EXPECT_NEAR(Moments(hidden.z).sd, std::sqrt(pi / (2 * pi - 1)), 0.02 * 0.771);
  EXPECT_NEAR(std::sqrt(pi / (2 * pi - 1)), 0.771, 5e-4);
  const Passes first({DistributionId::dann_feedforward, d, d, ni, Role::input, 0});
  EXPECT_NEAR(Moments(first.gamma).mean, 0.65, 0.02);
}
TEST(DannFeedforward, FirstPassDoesNotDependOnTheScaleOfInputs) {
  const Drawn w({DistributionId::dann_feedforward, 100, 100, 10});
  const Numbers x = rectified(100, 7);
  const Pass one(w, x), large(w, x, 1000);
  for (size_t i = 0; i < one.z.size(); ++i) EXPECT_NEAR(one.z[i], large.z[i], 1e-6);
}
TEST(DannFeedforward, PartsAreExponentialWithAMeanOfTheirOwn) {
  const double s = std::sqrt(2 * pi / (d * (2 * pi - 1)));
  const Drawn hidden({DistributionId::dann_feedforward, d, d, ni});
  expect_exponential(hidden.main, s, "W_ex");
  expect_exponential(hidden.ix, s, "W_ix");
  for (const double v : hidden.ei) EXPECT_DOUBLE_EQ(v, 1.0 / ni);
  const Drawn first({DistributionId::dann_feedforward, d, 784, ni, Role::input, 0});
  expect_exponential(first.main, std::sqrt(1 / (2 * 784.0)), "W_ex, first layer");
  expect_exponential(first.ix, std::sqrt(1 / (2 * 784.0)), "W_ix, first layer");
  Request request{DistributionId::dann_feedforward, d, d, ni};
  request.iid = true;
  for (const int n : {ni, 1}) {
    request.n_inhibitory = n;
    const Drawn iid(request);
    expect_exponential(iid.main, s, "W_ex");
    expect_exponential(iid.ix, std::sqrt(s / n), "W_ix, i.i.d.");
    expect_exponential(iid.ei, std::sqrt(s / n), "W_ei, i.i.d.");
  }
}
TEST(DannFeedforward, OneInterneuronCentresExactly) {
  const Drawn w({DistributionId::dann_feedforward, 40, 30, 1, Role::readout, 3});
  for (const double v : w.ei) EXPECT_EQ(v, 1);
  const Numbers effective = w.dann();
  for (int j = 0; j < w.cols; ++j) {
    double sum = 0;
    for (int i = 0; i < w.rows; ++i) sum += effective[size_t(i * w.cols + j)];
    EXPECT_NEAR(sum, 0, 1e-14) << "column " << j;
  }
}

// ---- Dale's ANN, recurrent (Li et al. 2023)
TEST(Dann, RecurrentInhibitionCentresColumnsAndLeavesOneSingularValueOfZero) {
  constexpr int n = 100;
  const Drawn w({DistributionId::dann, n, n, 10, Role::recurrent, 0});
  expect_exponential(w.main, std::sqrt(1.0 / 3 / (n - 1)), "W_ex");
  for (int i = 0; i < n; ++i) {
    double sum = 0;
    for (int k = 0; k < 10; ++k) sum += w.ei[size_t(i * 10 + k)];
    EXPECT_NEAR(sum, 1, 1e-14);
  }
  const Numbers effective = w.dann();
  engine::testing::Matrix<float> a(n, n);
  for (int j = 0; j < n; ++j) {
    double sum = 0;
    for (int i = 0; i < n; ++i) {
      sum += effective[size_t(i * n + j)];
      a(i, j) = float(effective[size_t(i * n + j)]);
    }
    EXPECT_NEAR(sum, 0, 1e-13) << "column " << j;
  }
  const std::vector<double> s = engine::testing::singular_values(a);
  EXPECT_LT(s[n - 1], 1e-6 * s[0]);
  EXPECT_GT(s[n - 2], 1e-4 * s[0]);
}
TEST(Dann, ReadoutsHaveTheirOwnMeanAndOneOutputStartsAtZero) {
  expect_exponential(Drawn({DistributionId::dann, 10, 500, 50, Role::readout, 1}).main, std::sqrt(2 * 10 / (500.0 * 9)),
                     "readout");
  const Drawn one({DistributionId::dann, 1, 1000, 1, Role::readout, 1});
  expect_exponential(one.main, std::sqrt(2 / 1000.0), "one output");
  for (const double v : one.dann()) EXPECT_EQ(v, 0);
  EXPECT_EQ(one.ix, one.main);
}

// ---- columns of one sign (Li et al. 2023)
TEST(ColumnEiBalanced, ColumnsBalanceAndTheFirstLayerIsPositive) {
  constexpr int n = 500, ne = 450;
  const Drawn w({DistributionId::column_ei_balanced, n, n, 0, Role::input, 1, ne});
  Numbers excitatory, inhibitory;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) (j < ne ? excitatory : inhibitory).push_back(w.main[size_t(i * n + j)]);
  const double denominator = (2 * pi - 1) / (2 * pi) * (ne + double(ne) * ne / (n - ne)),
               sigma = std::sqrt(1 / denominator);
  expect_exponential(excitatory, sigma, "excitatory");
  expect_exponential(inhibitory, 9 * sigma, "inhibitory");
  expect_exponential(Drawn({DistributionId::column_ei_balanced, n, 784, 0, Role::input, 0}).main, std::sqrt(1 / 784.0),
                     "first layer");
}
TEST(ColumnEiBalanced, TheDiagonalIsZeroUnlessItIsWanted) {
  Request request{DistributionId::column_ei_balanced, 20, 20, 0, Role::recurrent, 0, 18};
  const Drawn hollow(request);
  request.zero_diagonal = false;
  const Drawn full(request);
  request.role = Role::input;
  request.zero_diagonal = true;
  request.layer = 1;
  const Drawn input(request);
  for (int i = 0; i < 20; ++i)
    for (int j = 0; j < 20; ++j) {
      const size_t at = size_t(i * 20 + j);
      EXPECT_EQ(hollow.main[at], i == j ? 0 : full.main[at]);
      EXPECT_GT(full.main[at], 0);
      EXPECT_EQ(input.main[at], full.main[at]);
    }
}

// ---- a whole network
Numbers started(const Signature& g, const NetSpec& spec) {
  NetState state;
  Numbers theta(n_params(g), std::nan(""));
  initialise_network(SerialTeam{},
                     InitArgs<double>{{.signature = g,
                                       .n_nets = 1,
                                       .nets = &spec,
                                       .state = &state,
                                       .theta = theta.data(),
                                       .momentum = nullptr,
                                       .mask = nullptr,
                                       .data = {}}},
                     0, nullptr);
  return theta;
}

// ---- biases that cancel the mean of the inputs
struct TwoLayers {
  Signature g{.n_in = 784, .n_hidden = 100, .n_layers = 2, .n_out = 10, .batch = 1, .n_steps = 1, .bias = 1};
  NetSpec spec;
  Numbers theta;
  TwoLayers(ParameterisationId parameterisation, double input_mean, double gain) {
    spec.parameterisation = parameterisation;
    spec.n_excitatory = 90;
    spec.init.recurrent = spec.init.input = spec.init.readout = parameterisation == ParameterisationId::column_ei
                                                                    ? DistributionId::column_ei_balanced
                                                                    : DistributionId::he_normal;
    spec.init.input_gain = gain;
    spec.init.input_mean = input_mean;
    theta = started(g, spec);
  }
  Numbers part(int k) const {
    const Tensor t = tensor(g, k);
    return {theta.begin() + ptrdiff_t(t.offset), theta.begin() + ptrdiff_t(t.end)};
  }
};
TEST(InputMean, IsCancelledByTheFirstBiasesOfPositiveWeights) {
  const TwoLayers net(ParameterisationId::column_ei, 0.1307, 0.5);
  for (const double b : net.part(bias_tensor(0))) EXPECT_DOUBLE_EQ(b, -28 * 0.5 * 0.1307);
  const Numbers u = net.part(input_tensor(0));
  double mean = 0;
  for (const double w : u) mean += 0.1307 * w / 100;
  EXPECT_NEAR(mean - 28 * 0.5 * 0.1307, 0,
              4 * 0.1307 * 0.5 / std::sqrt(100.0));  // sum over 784 inputs, mean over units
  for (const int k : {bias_tensor(1), readout_bias_tensor(net.g)})
    for (const double b : net.part(k)) EXPECT_EQ(b, 0);
  for (const double b : TwoLayers(ParameterisationId::dense, 0.1307, 0.5).part(bias_tensor(0))) EXPECT_EQ(b, 0);
  const TwoLayers none(ParameterisationId::column_ei, 0, 0.5);
  for (const double b : none.part(bias_tensor(0))) EXPECT_FALSE(std::signbit(b));
  EXPECT_EQ(none.part(input_tensor(0)), u);
}

// ---- biases: a recurrent layer, a dense one and the readout
Numbers biases(int bias, int bias_recurrent, BiasStart start, int k) {
  const Signature g{.n_in = 5,
                    .n_hidden = 400,
                    .n_layers = 2,
                    .n_out = 300,
                    .batch = 1,
                    .n_steps = 1,
                    .bias = bias,
                    .bias_recurrent = bias_recurrent,
                    .n_dense = 1};
  NetSpec spec;
  spec.init.bias = start;
  const Numbers theta = started(g, spec);
  const Tensor t = tensor(g, k);
  return {theta.begin() + ptrdiff_t(t.offset), theta.begin() + ptrdiff_t(t.end)};
}
TEST(Biases, AreUniformByTheLayerTheyAreOf) {
  for (const int k : {bias_tensor(0), bias_tensor(1), 7}) {
    const Numbers b = biases(1, 0, BiasStart::uniform, k);
    ASSERT_EQ(b.size(), k == 7 ? 300u : 400u);
    const double bound = 1 / std::sqrt(400.0);  // n_hidden of the recurrent layer, not its 5 inputs
    double mean = 0, squares = 0;
    for (const double x : b) {
      EXPECT_LE(std::abs(x), bound);
      mean += x / double(b.size());
      squares += x * x / double(b.size());
    }
    const double sd = bound / std::sqrt(3.0), n = double(b.size());
    EXPECT_NEAR(mean, 0, 4 * sd / std::sqrt(n));
    EXPECT_NEAR(squares, sd * sd, 4 * sd * sd * std::sqrt(0.8 / n));  // of x^2, uniform x: sd sqrt(4/5) of its mean
    for (const double x : biases(1, 0, BiasStart::zero, k)) EXPECT_EQ(x, 0);
  }
}
TEST(Biases, PartsAreOfAlternatingSigns) {
  const double most = std::sqrt(2.0 / 400);
  for (const auto& [k, parts] : {std::pair(bias_tensor(0), 4), {bias_tensor(1), 2}, {7, 2}}) {
    const Numbers b = biases(2, 4, BiasStart::split, k);
    ASSERT_EQ(b.size(), size_t(parts * (k == 7 ? 300 : 400)));
    double mean = 0;
    for (size_t i = 0; i < b.size(); ++i) {
      const double magnitude = i % 2 ? -b[i] : b[i];
      EXPECT_GE(magnitude, 0);
      EXPECT_LE(magnitude, most);
      mean += magnitude / double(b.size());
    }
    EXPECT_NEAR(mean, most / 2, 4 * most / std::sqrt(12.0 * double(b.size())));
  }
}

// ---- spectra at the start (Li et al. 2023, table of initial spectra; means of 100 draws at n = 100 and 5 at 300)
struct Spectrum {
  Numbers entropy, largest, median;
  Spectrum(int count, int n, double radius, const std::function<Numbers(uint64_t seed)>& draw) {
    for (int s = 0; s < count; ++s) {
      engine::testing::Matrix<float> a(n, n);
      const Numbers w = draw(uint64_t(40 + s));
      for (size_t i = 0; i < w.size(); ++i) a.data[i] = float(w[i]);
      const double scale = radius > 0 ? radius / engine::testing::eigenvalue_moduli(a)[0] : 1;
      const std::vector<double> sigma = engine::testing::singular_values(a);
      double total = 0, h = 0;
      for (const double v : sigma) total += v;
      for (const double v : sigma)
        if (v > 0) h -= v / total * std::log(v / total);
      entropy.push_back(h / std::log(n));
      largest.push_back(scale * sigma.front());
      median.push_back(scale * (sigma[size_t(n / 2)] + sigma[size_t((n - 1) / 2)]) / 2);
    }
  }
};
// A mean of n_reference draws, known to half of its last digit.
void expect_mean(const Numbers& x, double reference, double last_digit, int n_reference, const std::string& what) {
  const Moments m(x);
  const double error = m.sd * std::sqrt(1 / (m.n - 1) + 1.0 / n_reference);
  EXPECT_NEAR(m.mean, reference, last_digit / 2 + 4 * error) << what;
}

TEST(StartingSpectra, AreThoseOfTheTable) {
  struct Row {
    const char* name;
    double entropy_100, entropy_300, largest, largest_digit, median, radius;
    std::function<Numbers(int n, uint64_t seed)> draw;
  };
  const Row rows[] = {
      {"RNN", .953, .962, 1.12, .01, .46, 0,
       [](int n, uint64_t seed) {
         return Drawn(
                    {.id = DistributionId::uniform_fan_in, .rows = n, .cols = n, .role = Role::recurrent, .seed = seed})
             .main;
       }},
      {"DANN", .950, .961, 1.17, .01, .45, 0,
       [](int n, uint64_t seed) {
         return Drawn({.id = DistributionId::dann,
                       .rows = n,
                       .cols = n,
                       .n_inhibitory = n / 10,
                       .role = Role::recurrent,
                       .layer = 0,
                       .seed = seed})
             .dann();
       }},
      {"ColEI", .798, .842, 11.4, .1, .31, 1.5, [](int n, uint64_t seed) {
         Numbers w = Drawn({.id = DistributionId::column_ei_balanced,
                            .rows = n,
                            .cols = n,
                            .role = Role::recurrent,
                            .layer = 0,
                            .n_excitatory = n - n / 10,
                            .seed = seed})
                         .main;
         for (size_t i = 0; i < w.size(); ++i)
           if (int(i) % n >= n - n / 10) w[i] = -w[i];
         return w;
       }}};
  for (const Row& row : rows) {
    const auto of = [&](int n) { return [&row, n](uint64_t seed) { return row.draw(n, seed); }; };
    const Spectrum small(20, 100, row.radius, of(100)), large(5, 300, 0, of(300));
    const std::string name = row.name;
    expect_mean(small.entropy, row.entropy_100, .001, 100, name + " entropy, n = 100");
    expect_mean(large.entropy, row.entropy_300, .001, 5, name + " entropy, n = 300");
    expect_mean(small.largest, row.largest, row.largest_digit, 100, name + " largest");
    expect_mean(small.median, row.median, .01, 100, name + " median");
  }
}

}  // namespace
}  // namespace cohort

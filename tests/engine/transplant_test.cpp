// Starts of Li et al. (NeurIPS 2023): the spectrum of one model on the singular vectors of another, and the spectra of the models.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "analysis/spectra_of.h"
#include "runner/networks.h"
#include "runner/runner.h"

namespace cohort::engine {
namespace {

using testing::Matrix;

const char* const kModels = R"(
name = "models"
seed = 5
[network]
n_hidden = 20
n_layers = 2
[init]
inhibition = "iid"
[task]
name = "context_decision"
[train]
steps = 3
)";
// The start that `own` stands for.
const std::vector<std::string> kOwn = {"init.gain=0.7", "init.distribution=\"uniform\"", "init.spectral_radius=0.8"};

Experiment experiment(std::vector<std::string> overrides, const std::vector<std::string>& more = {}) {
  overrides.insert(overrides.end(), more.begin(), more.end());
  return Experiment::parse(kModels, "config", overrides);
}

std::vector<ResolvedNetwork> resolved(const Experiment& e) {
  std::vector<ResolvedNetwork> networks;
  for (int64_t i = 0; i < e.size(); ++i) networks.push_back(e.network(i));
  return networks;
}

// Effective weights of tensor k of every network's start.
std::vector<Matrix<float>> starts(const Experiment& e, int k) {
  const auto device = open_cpu_device(2);
  const std::vector<ResolvedNetwork> all = resolved(e);
  const Networks networks(*device, all, Dataset{});
  const Tensor t = tensor(networks.signature(), k);
  const size_t size = size_t(t.rows) * size_t(t.cols);
  DeviceArray<float> weights(*device, all.size() * size);
  device->run(EffectiveArgs<float>{networks.view(), k, weights.data()});
  const std::vector<float> values = weights.download();
  std::vector<Matrix<float>> out;
  for (size_t i = 0; i < all.size(); ++i) {
    out.emplace_back(t.rows, t.cols);
    std::copy_n(&values[i * size], size, out.back().data.begin());
  }
  return out;
}

struct Svd {
  int rows, cols, k;
  std::vector<double> u, s, v;  // [rows][k], [k], [cols][k]
  explicit Svd(const Matrix<float>& a) : rows(a.rows), cols(a.cols), k(std::min(a.rows, a.cols)) {
    const std::vector<double> in_double(a.data.begin(), a.data.end());
    u.resize(size_t(rows * k));
    s.resize(size_t(k));
    v.resize(size_t(cols * k));
    SpectrumStatus status;
    testing::run_one(SvdArgs<double>{1, rows, cols, in_double.data(), u.data(), s.data(), v.data(), &status},
                     testing::cpu().svd_workspace, testing::cpu().svd);
  }
};
double overlap(const std::vector<double>& a, const std::vector<double>& b, int rows, int k, int j) {
  double sum = 0;
  for (int r = 0; r < rows; ++r) sum += a[size_t(r * k + j)] * b[size_t(r * k + j)];
  return sum;
}

// As a network of the model starts when it is trained itself.
std::vector<std::string> model(const std::string& name) {
  if (name == "own") return kOwn;
  std::vector<std::string> keys = {"init.gain=1", "network.parameterisation=\"" + name + "\"",
                                   "init.zero_diagonal=false"};
  if (name == "column_ei") keys.emplace_back("init.spectral_radius=1.5");
  return keys;
}
std::vector<std::string> hybrid(const std::string& vectors, const std::string& values) {
  return {"init.vectors_of=\"" + vectors + "\"", "init.values_of=\"" + values + "\""};
}

TEST(Transplant, PutsTheValuesOfOneStartOnTheVectorsOfAnother) {
  const Signature g = experiment({}).network(0).signature;
  for (const char* vectors : {"own", "dense", "column_ei", "dann"})
    for (const char* values : {"own", "dense", "column_ei", "dann"})
      for (const int k :
           {input_tensor(0), recurrent_tensor(0), input_tensor(1), recurrent_tensor(1), readout_tensor(g)}) {
        SCOPED_TRACE(std::string(vectors) + " vectors, " + values + " values, tensor " + std::to_string(k));
        const Svd z(starts(experiment(kOwn, hybrid(vectors, values)), k)[0]),
            x(starts(experiment(model(vectors)), k)[0]), y(starts(experiment(model(values)), k)[0]);
        int compared = 0;
        for (int j = 0; j < z.k; ++j) {
          const size_t i = size_t(j);
          EXPECT_NEAR(z.s[i], y.s[i], 1e-6 * y.s[0]);
          // A vector is known where both spectra have gaps about it.
          const auto gap = [&](const Svd& d) {
            const double above = j > 0 ? d.s[i - 1] - d.s[i] : d.s[0],
                         below = j + 1 < d.k ? d.s[i] - d.s[i + 1] : d.s[i];
            return std::min(above, below) / d.s[0];
          };
          if (std::min(gap(x), gap(y)) < 2e-3) continue;
          ++compared;
          const double left = overlap(z.u, x.u, z.rows, z.k, j), right = overlap(z.v, x.v, z.cols, z.k, j);
          EXPECT_NEAR(std::abs(left), 1, 1e-6);
          EXPECT_NEAR(left * right, 1, 1e-6);
        }
        EXPECT_GE(compared, 1);
      }
}

TEST(Transplant, OfOneStartAloneIsThatStartUpToRounding) {
  const Signature g = experiment({}).network(0).signature;
  for (const char* name : {"own", "dense", "column_ei", "dann"}) {
    SCOPED_TRACE(name);
    const Experiment plain = experiment(model(name)),
                     itself = experiment(kOwn, [&] {
                       std::vector<std::string> keys = hybrid(name, name);
                       keys.emplace_back("init.transplant=[\"input\", \"recurrent\", \"readout\"]");
                       return keys;
                     }());
    for (const int k : {input_tensor(0), recurrent_tensor(0), recurrent_tensor(1), readout_tensor(g)}) {
      const Matrix<float> a = starts(plain, k)[0], b = starts(itself, k)[0];
      const double bound = 0x1p-23 * Svd(a).s[0];
      for (size_t i = 0; i < a.data.size(); ++i) EXPECT_NEAR(a.data[i], b.data[i], bound);
    }
  }
}

TEST(Transplant, LeavesOtherWeightsAlone) {
  const Experiment plain = experiment(kOwn),
                   recurrent = experiment(kOwn, {"init.values_of=\"column_ei\"", "init.transplant=[\"recurrent\"]"});
  const Signature g = plain.network(0).signature;
  for (const int k : {input_tensor(0), input_tensor(1), readout_tensor(g)})
    EXPECT_EQ(starts(plain, k)[0].data, starts(recurrent, k)[0].data);
  for (const int k : {recurrent_tensor(0), recurrent_tensor(1)})
    EXPECT_NE(starts(plain, k)[0].data, starts(recurrent, k)[0].data);
}

TEST(Transplant, DonorsHaveTheirOwnRadiusAndPopulations) {
  const auto values = [](const std::vector<std::string>& more) {
    return Svd(starts(experiment(kOwn, more), recurrent_tensor(0))[0]).s;
  };
  const std::vector<double> once = values({"init.values_of=\"column_ei\""}),
                            twice = values({"init.values_of=\"column_ei\"", "init.donor_radius=3"}),
                            half = values({"init.values_of=\"column_ei\"", "network.ei_ratio=1"}),
                            one = values({"init.values_of=\"dann\""}),
                            many = values({"init.values_of=\"dann\"", "network.n_inhibitory=7"});
  for (size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(twice[i], 2 * once[i], 1e-5 * once[0]);
  EXPECT_GT(std::abs(half[0] - once[0]), 1e-2 * once[0]);
  EXPECT_GT(std::abs(one[0] - many[0]), 1e-3 * one[0]);
}

// More networks than donors are drawn for at a time; models, shapes of donors and chosen weights mixed.
TEST(Transplant, DependsOnTheNetworkAlone) {
  const Experiment e = Experiment::parse(std::string(kModels) + R"(
[sweep]
"init.vectors_of" = ["own", "column_ei"]
"init.values_of" = ["own", "dense", "dann"]
"init.transplant" = [["recurrent"], ["input", "readout"]]
"network.n_inhibitory" = [0, 3]
"init.gain" = [0.7, 1.1]
"rule.lr" = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
)",
                                         "config", {"network.n_hidden=6", "init.pairing=\"recurrent\""});
  ASSERT_GT(e.size(), 256);
  const auto device = open_cpu_device(2), serial = open_cpu_device(1);
  const std::vector<ResolvedNetwork> all = resolved(e);
  const size_t size = n_params(all[0].signature);
  const auto theta = [&](Device& on, std::span<const ResolvedNetwork> networks) {
    const Networks drawn(on, networks, Dataset{});
    std::vector<float> host(networks.size() * size);
    on.download(host.data(), drawn.view().theta, host.size() * sizeof(float));
    return host;
  };
  const std::vector<float> together = theta(*device, all);
  const auto same = [&](const float* a, const float* b, size_t count) {
    return std::memcmp(a, b, count * size * sizeof(float)) == 0;
  };
  EXPECT_TRUE(same(theta(*serial, all).data(), together.data(), all.size()));
  for (size_t i = 0; i < all.size(); i += 7)
    EXPECT_TRUE(same(theta(*device, std::span(all).subspan(i, 1)).data(), &together[i * size], 1)) << i;
  const Networks networks(*device, all, Dataset{});
  EXPECT_TRUE(same(networks.start(100, 50).download().data(), &together[100 * size], 50));
}

TEST(Transplant, SignsOfAHybridCanBeFrozen) {
  const Experiment e =
      experiment(kOwn, {"init.vectors_of=\"column_ei\"", "rule.recurrent.projection=\"frozen_sign\"", "rule.lr=0.5",
                        "output.weights=\"all\"", "train.steps=20", "analysis.names=[\"weight_change\"]"});
  const auto device = open_cpu_device(2);
  const UnitResult r = run_networks({*device, e, Dataset{}}, {0}).value();
  const auto array = [&](const std::string& name) {
    return std::find_if(r.arrays.begin(), r.arrays.end(), [&](const auto& a) { return a.name == name; })->value;
  };
  const std::vector<float> before = array("weights.recurrent.initial"), after = array("weights.recurrent.final");
  int negative = 0, moved = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(std::signbit(before[i]), std::signbit(after[i]));
    negative += std::signbit(before[i]);
    moved += before[i] != after[i];
  }
  EXPECT_GT(negative, 50);
  EXPECT_LT(negative, 350);
  EXPECT_GT(moved, 300);
}

// ---- spectra of the models' own starts
Experiment hundred(const std::vector<std::string>& more) {
  std::vector<std::string> keys = {"network.n_hidden=100", "network.n_layers=1", "sweep.seed={range=[0, 20]}"};
  return experiment(keys, more);
}

// Interneurons take off the mean of every column: one singular value is zero. Entropy: the mean of 100 draws, to .001.
TEST(ModelSpectra, ARecurrentDannHasOneZeroSingularValue) {
  double entropy = 0;
  for (const Matrix<float>& w :
       starts(hundred({"network.parameterisation=\"dann\"", "init.gain=1", "init.inhibition=\"column_mean\""}),
              recurrent_tensor(0))) {
    const std::vector<double> s = testing::singular_values(w);
    EXPECT_LT(s[99], 1e-6 * s[0]);
    EXPECT_GT(s[98], 1e-4 * s[0]);
    EXPECT_NEAR(s[0], 1.17, 0.1);
    entropy += testing::measures_of(s).entropy / 20;
  }
  EXPECT_NEAR(entropy, .950, .0015);
}

// A value v of the paper's sweep over radii: of an RNN and a DANN, W has the standard deviation (v / 2) / sqrt(n); of a
// column-E/I network, v is max |lambda|.
TEST(ModelSpectra, ValuesOfTheRadiusSweepAreRadii) {
  const double v = 3;
  const auto check = [&](const std::vector<std::string>& keys, double radius, double tolerance, double sd) {
    double mean_radius = 0, mean_sd = 0;
    for (const Matrix<float>& w : starts(hundred(keys), recurrent_tensor(0))) {
      mean_radius += testing::eigenvalue_moduli(w)[0] / 20;
      double squares = 0;
      for (const float x : w.data) squares += double(x) * double(x) / 1e4;
      mean_sd += std::sqrt(squares) / 20;
    }
    std::printf("radius %.4f, standard deviation times sqrt(n) %.4f\n", mean_radius, 10 * mean_sd);
    EXPECT_NEAR(mean_radius, radius, tolerance * radius);
    if (sd > 0) {
      EXPECT_NEAR(10 * mean_sd, sd, .01 * sd);
    }
  };
  check({"init.gain=1.5"}, v / 2, .1, v / 2);
  // W_ex ~ Exp(gain / sqrt(3 (n - 1))); rows of W_ei, exponential and normalised, add 2 / (n_inhibitory + 1) to the variance.
  check({"network.parameterisation=\"dann\"", "init.gain=" + std::to_string(v / 2 * std::sqrt(3))}, v / 2, .2,
        v / 2 * std::sqrt((1 + 2 / 11.0) / .99));
  check({"network.parameterisation=\"column_ei\"", "init.spectral_radius=3"}, v, 1e-5, 0);
}

}  // namespace
}  // namespace cohort::engine

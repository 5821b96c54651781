// Spectral measures of initial weights against the values known for them. The references are means of few draws,
// printed with few digits, so each may be off by half its last digit and by the sampling error of both sides, which our
// own draws tell.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>

#include "spectra_of.h"

namespace cohort::engine {
namespace {

using namespace testing;

constexpr double n_standard_errors = 4;

struct Sample {
  std::string what;
  std::vector<double> values;
  // `reference` is a mean of n_reference draws, known to half of `last_digit`.
  void expect(double reference, double last_digit, int n_reference) const {
    const double n = double(values.size());
    double mean = 0, variance = 0;
    for (const double value : values) mean += value / n;
    for (const double value : values) variance += (value - mean) * (value - mean) / (n - 1);
    const double error = std::sqrt(variance * (1 / n + 1.0 / n_reference));
    EXPECT_NEAR(mean, reference, last_digit / 2 + n_standard_errors * error) << what;
    std::printf("%-44s %.4f +- %.4f  reference %g\n", what.c_str(), mean, std::sqrt(variance), reference);
  }
};

// One measure of every matrix; singular values and eigenvalues are taken where the measure needs them.
Sample sample(const std::string& what, const std::vector<Matrix<float>>& matrices, const char* name,
              const char* field = "") {
  Sample out{what + " " + name + (*field ? "." : "") + field, {}};
  const Need need = find_analysis(name)->need;
  for (const Matrix<float>& a : matrices) {
    const SpectrumMeasures of_values =
        need == Need::singular_values ? measures_of(singular_values(a)) : SpectrumMeasures{};
    const EigenvalueMeasures of_eigenvalues =
        need == Need::eigenvalues ? eigenvalue_measures_of(eigenvalues(a)) : EigenvalueMeasures{};
    Observation seen;
    seen.spectrum = &of_values;
    seen.eigenvalues = &of_eigenvalues;
    out.values.push_back(measured(name, seen, field));
  }
  return out;
}

std::vector<Matrix<float>> draws(int count, const std::function<Matrix<float>(uint64_t seed)>& draw) {
  std::vector<Matrix<float>> out;
  for (int i = 0; i < count; ++i) out.push_back(draw(uint64_t(1000 + i)));
  return out;
}

void rescale(Matrix<float>& a, double norm) {
  const double factor = norm / frobenius(a);
  for (float& value : a.data) value = float(double(value) * factor);
}

// ---- Li, Cornford, Ghosh, Richards (NeurIPS 2023): weights at initialisation ----------------------------------------

Matrix<float> rnn(int n, uint64_t seed) {  // U(+-1/sqrt(n))
  Random random(seed);
  return filled(n, n, [&] { return (2 * random.uniform() - 1) / std::sqrt(double(n)); });
}

// W_ex - W_ei W_ix with W_ex ~ Exp(sqrt((1/3)/(n - 1))), every row of W_ix the column mean of W_ex, rows of W_ei
// summing to 1: the column means are taken off.
Matrix<float> dann(int n, uint64_t seed) {
  Random random(seed);
  Matrix<float> w = filled(n, n, [&] { return random.exponential(std::sqrt(1 / 3.0 / (n - 1))); });
  for (int c = 0; c < n; ++c) {
    double mean = 0;
    for (int r = 0; r < n; ++r) mean += double(w(r, c)) / n;
    for (int r = 0; r < n; ++r) w(r, c) -= float(mean);
  }
  return w;
}

// Columns ~ Exp(sigma_e) and -Exp(sigma_i), balanced; zero diagonal; spectral radius 1.5. A tenth is inhibitory.
Matrix<float> column_ei(int n, uint64_t seed) {
  Random random(seed);
  const int ni = n / 10, ne = n - ni;
  const double pi = std::numbers::pi, sigma_e = std::sqrt(1 / ((2 * pi - 1) / (2 * pi) * (ne + double(ne) * ne / ni))),
               sigma_i = double(ne) / ni * sigma_e;
  Matrix<float> w(n, n);
  for (int r = 0; r < n; ++r)
    for (int c = 0; c < n; ++c)
      w(r, c) = r == c ? 0.f : float(c < ne ? random.exponential(sigma_e) : -random.exponential(sigma_i));
  const std::vector<double> moduli = eigenvalue_moduli(w);
  for (float& value : w.data) value = float(double(value) * 1.5 / moduli[0]);
  return w;
}

TEST(SpectralPerspective, entropy_of_100_units) {
  const auto a = draws(20, [](uint64_t seed) { return rnn(100, seed); });
  sample("RNN 100", a, "svd_entropy").expect(.953, .001, 100);
  sample("RNN 100", a, "singular_values", "largest").expect(1.12, .01, 100);
  sample("RNN 100", a, "singular_values", "median").expect(.46, .01, 100);
  const auto b = draws(20, [](uint64_t seed) { return dann(100, seed); });
  sample("DANN 100", b, "svd_entropy").expect(.950, .001, 100);
  sample("DANN 100", b, "singular_values", "largest").expect(1.17, .01, 100);
  sample("DANN 100", b, "singular_values", "median").expect(.45, .01, 100);
  const auto c = draws(20, [](uint64_t seed) { return column_ei(100, seed); });
  sample("ColEI 100", c, "svd_entropy").expect(.798, .001, 100);
  sample("ColEI 100", c, "singular_values", "largest").expect(11.4, .1, 100);
  sample("ColEI 100", c, "singular_values", "median").expect(.31, .01, 100);
  sample("ColEI 100", c, "spectral_radius").expect(1.5, 1e-4, 100);
}

TEST(SpectralPerspective, entropy_of_300_units) {
  const auto a = draws(5, [](uint64_t seed) { return rnn(300, seed); });
  sample("RNN 300", a, "svd_entropy").expect(.962, .001, 5);
  const auto b = draws(5, [](uint64_t seed) { return dann(300, seed); });
  sample("DANN 300", b, "svd_entropy").expect(.961, .001, 5);
}

// ---- Liu et al. (ICLR 2024): effective rank at n = 300, g = 1.25 ----------------------------------------------------

constexpr int n_units = 300;

std::vector<Matrix<float>> of_rank(int rank) {
  return draws(4, [&](uint64_t seed) {
    Matrix<float> w = gaussian(n_units, n_units, 1.25 / std::sqrt(double(n_units)), seed);
    const double norm = frobenius(w);
    w = low_rank(w, rank, LowRankScale::frobenius);
    EXPECT_NEAR(frobenius(w), norm, norm * 1e-6);
    return w;
  });
}

TEST(RichLazy, effective_rank_of_a_gaussian_start) {
  const auto full = of_rank(n_units);
  sample("Gaussian", full, "effective_rank").expect(.64, .01, 1);
  sample("Gaussian", full, "spectral_radius").expect(1.30, .01, 1);
}

TEST(RichLazy, effective_rank_of_low_rank_starts) {
  sample("rank 100", of_rank(100), "effective_rank").expect(.226, .001, 1);
  sample("rank 30", of_rank(30), "effective_rank").expect(.064, .001, 1);
  sample("rank 1", of_rank(1), "effective_rank").expect(.0033, .0001, 1);
}

// W_ij = s_j |g_ij| with the first share of the columns excitatory; inhibition `balance` times as strong. Where E and I
// balance, an outlying eigenvalue or none makes draws differ widely: hence more of them.
std::vector<Matrix<float>> dale(double excitatory, double balance) {
  return draws(8, [&](uint64_t seed) {
    Matrix<float> w = gaussian(n_units, n_units, 1.25 / std::sqrt(double(n_units)), seed);
    const double norm = frobenius(w);
    for (int r = 0; r < n_units; ++r)
      for (int c = 0; c < n_units; ++c)
        w(r, c) = std::abs(w(r, c)) * (c < excitatory * n_units ? 1.f : float(-balance));
    rescale(w, norm);
    return w;
  });
}

TEST(RichLazy, effective_rank_of_starts_with_dales_law) {
  const auto unbalanced = dale(.8, 1);
  sample("Dale 80/20", unbalanced, "effective_rank").expect(.051, .001, 1);
  sample("Dale 80/20", unbalanced, "spectral_radius").expect(10.4, .1, 1);
  const auto balanced = dale(.8, 4);
  sample("Dale 80/20, inhibition x4", balanced, "effective_rank").expect(.34, .01, 1);
  sample("Dale 80/20, inhibition x4", balanced, "spectral_radius").expect(1.11, .01, 1);
  sample("Dale 50/50", dale(.5, 1), "effective_rank").expect(.46, .01, 1);
}

}  // namespace
}  // namespace cohort::engine

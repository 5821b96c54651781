// Every analysis against explicit formulas in double and closed forms.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <set>
#include <sstream>

#include "spectra_of.h"

namespace cohort::engine {
namespace {

using namespace testing;

constexpr double eps = std::numeric_limits<double>::epsilon();
constexpr float nan_float = std::numeric_limits<float>::quiet_NaN();
// Sums of k terms of one sign, each rounded once, then a handful of operations.
double rounding(double k) { return 8 * k * eps; }

// The measures of one spectrum, of singular values or moduli of eigenvalues (all of them real).
struct Spectrum {
  SpectrumMeasures of_values;
  EigenvalueMeasures of_eigenvalues;
  explicit Spectrum(const std::vector<double>& values) : of_values(measures_of(values)) {
    std::vector<double> complex;
    for (const double value : values) complex.insert(complex.end(), {value, 0.0});
    of_eigenvalues = eigenvalue_measures_of(complex);
  }
  void show(Observation& seen) const {
    seen.spectrum = &of_values;
    seen.eigenvalues = &of_eigenvalues;
  }
};

double measured_of(const char* name, const std::vector<double>& values, const char* field = "") {
  const Spectrum spectrum(values);
  Observation seen;
  spectrum.show(seen);
  return measured(name, seen, field);
}

// The same with the Gram sums of its hidden states, by the CPU's program.
Observation with_grams(Observation seen) {
  AlignmentArgs<float> args;
  args.cohort.signature.n_hidden = seen.hidden.cols;
  args.cohort.signature.n_layers = args.cohort.n_nets = 1;
  args.trials = seen.hidden.rows;
  args.hidden = seen.hidden.data;
  args.hidden_start = seen.hidden_start.data;
  args.uncentred = &seen.gram;
  args.centred = &seen.gram_centred;
  const Program<float>& program = *cpu_program<float>(CoreId::recurrent);
  const size_t bytes = program.alignment_workspace(args, 1);
  const std::unique_ptr<void, void (*)(void*)> memory(std::aligned_alloc(256, bytes), std::free);
  program.alignment(args, {0, 1, memory.get(), bytes, nullptr});
  return seen;
}

// How log-normal the weights are, by the CPU's program.
Normality log_fit(const Matrix<float>& w) {
  Normality fit;
  const LogWeightsArgs args{.n_nets = 1, .n = int64_t(w.data.size()), .weights = w.data.data(), .fits = &fit};
  const NormalityProgram& program = *cpu_normality();
  const size_t bytes = program.log_weights_workspace(args, 1);
  const std::unique_ptr<void, void (*)(void*)> memory(std::aligned_alloc(256, bytes), std::free);
  program.log_weights(args, {0, 1, memory.get(), bytes, nullptr});
  return fit;
}

// ---- the table ------------------------------------------------------------------------------------------------------

TEST(Registry, holds_the_words_of_registry_cmake_in_their_order) {
  std::ifstream file(COHORT_SOURCE_DIR "/engine/analysis/registry.cmake");
  std::stringstream text;
  text << file.rdbuf();
  std::string words = text.str();
  const std::string begin = "set(COHORT_ANALYSES";
  const size_t from = words.find(begin) + begin.size();
  words = words.substr(from, words.find(')', from) - from);
  std::stringstream stream(words);
  std::string word;
  size_t i = 0;
  for (; stream >> word; ++i) {
    ASSERT_LT(i, analyses().size());
    EXPECT_EQ(analyses()[i].name, word);
    EXPECT_EQ(find_analysis(word.c_str()), &analyses()[i]);
  }
  EXPECT_EQ(analyses().size(), i);
  EXPECT_EQ(find_analysis("no_such_analysis"), nullptr);
  EXPECT_EQ(find_analysis(""), nullptr);
}

TEST(Registry, every_analysis_is_documented_and_its_columns_are_distinct) {
  for (const Analysis& analysis : analyses()) {
    EXPECT_GT(std::string(analysis.doc).size(), 20u) << analysis.name;
    EXPECT_EQ(std::string(analysis.doc).find('\n'), std::string::npos) << analysis.name;
    ASSERT_FALSE(analysis.fields.empty()) << analysis.name;
    std::set<std::string> names;
    for (const Field& field : analysis.fields) {
      EXPECT_TRUE(names.insert(field.name).second) << analysis.name << " repeats field " << field.name;
      EXPECT_EQ(std::string(field.name).find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789"), std::string::npos);
      EXPECT_FALSE(std::string(field.doc).empty());
    }
  }
}

TEST(Registry, nothing_seen_gives_no_value) {
  for (const Analysis& analysis : analyses()) {
    std::vector<double> out(analysis.fields.size(), 0);
    analysis.measure(Observation{}, out);
    for (const double value : out) EXPECT_TRUE(std::isnan(value)) << analysis.name;
  }
}

TEST(Registry, one_nan_or_infinity_anywhere_gives_no_value) {
  for (const float bad : {nan_float, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    Matrix<float> good = gaussian(6, 5, 1, 1), broken = good;
    broken(3, 2) = bad;
    std::vector<double> values = {3, 2, 1};
    values[size_t(bad > 0 ? 0 : 2)] = double(bad);
    const Spectrum spectrum(values);
    const double b = double(bad);
    Observation seen;
    seen.weights = seen.hidden = view(broken);
    seen.weights_start = seen.hidden_start = view(good);
    spectrum.show(seen);
    seen.tangent = {b, b, b, b, b, 1};
    for (const Analysis& analysis : analyses()) {
      std::vector<double> out(analysis.fields.size(), 0);
      analysis.measure(with_grams(seen), out);
      for (const double value : out) EXPECT_TRUE(std::isnan(value)) << analysis.name << " of " << bad;
      if (!analysis.comparison) continue;
      std::swap(seen.weights, seen.weights_start);
      std::swap(seen.hidden, seen.hidden_start);
      analysis.measure(with_grams(seen), out);
      for (const double value : out) EXPECT_TRUE(std::isnan(value)) << analysis.name << " of a start with " << bad;
      std::swap(seen.weights, seen.weights_start);
      std::swap(seen.hidden, seen.hidden_start);
    }
  }
}

TEST(Registry, one_weight_and_one_unit_are_enough_or_give_no_value_but_never_an_infinity) {
  const Matrix<float> now = filled(1, 1, [] { return -2; }), start = filled(1, 1, [] { return 1; });
  const Spectrum one({2});
  Observation seen;
  seen.weights = seen.hidden = view(now);
  seen.weights_start = seen.hidden_start = view(start);
  one.show(seen);
  seen.tangent = {2, 4, 1, 2, 1, 1};
  for (const Analysis& analysis : analyses()) {
    std::vector<double> out(analysis.fields.size(), 0);
    analysis.measure(with_grams(seen), out);
    for (const double value : out) EXPECT_FALSE(std::isinf(value)) << analysis.name;
  }
  EXPECT_EQ(measured("weight_change", seen), 3);
  EXPECT_EQ(measured("sign_flips", seen), 1);
  EXPECT_EQ(measured("sign_similarity", seen), 0);
  EXPECT_EQ(measured("representation_alignment", with_grams(seen)), 1);
  EXPECT_TRUE(std::isnan(measured("cka", with_grams(seen))));
  EXPECT_TRUE(std::isnan(measured("svd_entropy", seen)));
  EXPECT_EQ(measured("effective_rank", seen), 1);
}

// ---- weights --------------------------------------------------------------------------------------------------------

TEST(WeightChange, agrees_with_the_sum_of_squares) {
  const Matrix<float> start = gaussian(7, 9, 1, 11), now = gaussian(7, 9, 1, 12);
  long double change = 0, scale = 0;
  for (size_t i = 0; i < now.data.size(); ++i) {
    const long double d = static_cast<long double>(now.data[i]) - static_cast<long double>(start.data[i]);
    change += d * d;
    scale += static_cast<long double>(start.data[i]) * static_cast<long double>(start.data[i]);
  }
  Observation seen;
  seen.weights = view(now);
  seen.weights_start = view(start);
  const double expected = double(std::sqrt(change));
  EXPECT_NEAR(measured("weight_change", seen), expected, expected * rounding(63));
  const double relative = double(std::sqrt(change / scale));
  EXPECT_NEAR(measured("weight_change", seen, "relative"), relative, relative * rounding(126));
}

TEST(WeightChange, is_zero_for_the_start_itself_and_has_no_relative_value_from_zero) {
  const Matrix<float> w = gaussian(4, 4, 1, 13), zero(4, 4);
  Observation seen;
  seen.weights = seen.weights_start = view(w);
  EXPECT_EQ(measured("weight_change", seen), 0);
  EXPECT_EQ(measured("weight_change", seen, "relative"), 0);
  seen.weights_start = view(zero);
  EXPECT_NEAR(measured("weight_change", seen), frobenius(w), frobenius(w) * rounding(16));
  EXPECT_TRUE(std::isnan(measured("weight_change", seen, "relative")));
}

TEST(WeightChange, matrices_of_different_shape_are_not_compared) {
  const Matrix<float> a = gaussian(4, 3, 1, 14), b = gaussian(3, 4, 1, 15);
  Observation seen;
  seen.weights = view(a);
  seen.weights_start = view(b);
  EXPECT_TRUE(std::isnan(measured("weight_change", seen)));
  EXPECT_TRUE(std::isnan(measured("sign_flips", seen)));
}

TEST(SignFlips, counts_opposite_signs_among_weights_that_had_one) {
  Matrix<float> start(1, 8), now(1, 8);
  start.data = {1, -1, 2, -2, 0, 0, 3, 1e-40f};
  now.data = {-1, 1, 0, -5, 1, -1, 3, -1e-40f};  // flips: 0, 1 and 7; six weights had a sign
  Observation seen;
  seen.weights = view(now);
  seen.weights_start = view(start);
  EXPECT_EQ(measured("sign_flips", seen), .5);
  EXPECT_EQ(measured("sign_flips", seen, "count"), 3);
  const Matrix<float> zero(1, 8);
  seen.weights_start = view(zero);
  EXPECT_TRUE(std::isnan(measured("sign_flips", seen)));
  EXPECT_EQ(measured("sign_flips", seen, "count"), 0);
}

TEST(LogWeightMoments, of_two_values_are_those_of_a_coin) {
  Matrix<float> w(2, 3);
  w.data = {4, -1, 0, 4, -0.f, 1};  // ln 4 and 0, twice each
  const Normality fit = log_fit(w);
  Observation seen;
  seen.log_weights = &fit;
  const double mean = std::log(2.0);
  EXPECT_NEAR(measured("log_weight_moments", seen, "mean"), mean, rounding(4));
  EXPECT_NEAR(measured("log_weight_moments", seen, "sd"), mean, rounding(4));
  EXPECT_NEAR(measured("log_weight_moments", seen, "skewness"), 0, rounding(16));
  EXPECT_NEAR(measured("log_weight_moments", seen, "kurtosis"), -2, rounding(16));
}

TEST(LogWeightMoments, agree_with_raw_moments_and_with_log_normal_weights) {
  Random random(16);
  constexpr int n = 40000;
  constexpr double sigma = .606, mu = -4.28;  // mean/std = 1.5
  const Matrix<float> w =
      filled(200, 200, [&] { return (random.uniform() < .5 ? -1 : 1) * std::exp(mu + sigma * random.normal()); });
  long double raw[5] = {};
  for (const float value : w.data) {
    const long double x = std::log(std::abs(static_cast<long double>(value)));
    for (int k = 1; k <= 4; ++k) raw[k] += std::pow(x, k) / n;
  }
  const long double m = raw[1], m2 = raw[2] - m * m, m3 = raw[3] - 3 * m * raw[2] + 2 * m * m * m,
                    m4 = raw[4] - 4 * m * raw[3] + 6 * m * m * raw[2] - 3 * m * m * m * m;
  const Normality fit = log_fit(w);
  Observation seen;
  seen.log_weights = &fit;
  const double mean = measured("log_weight_moments", seen, "mean"), sd = measured("log_weight_moments", seen, "sd"),
               skewness = measured("log_weight_moments", seen, "skewness"),
               kurtosis = measured("log_weight_moments", seen, "kurtosis");
  const double exact = 1e-10;  // the raw moments lose about (mean/sd)^4 = 2,500 times n eps
  EXPECT_NEAR(mean, double(m), exact);
  EXPECT_NEAR(sd, double(std::sqrt(m2)), exact);
  EXPECT_NEAR(skewness, double(m3 / (m2 * std::sqrt(m2))), exact);
  EXPECT_NEAR(kurtosis, double(m4 / (m2 * m2)) - 3, exact);
  // Four standard errors of a normal sample.
  EXPECT_NEAR(mean, mu, 4 * sigma / std::sqrt(n));
  EXPECT_NEAR(sd, sigma, 4 * sigma / std::sqrt(2.0 * n));
  EXPECT_NEAR(skewness, 0, 4 * std::sqrt(6.0 / n));
  EXPECT_NEAR(kurtosis, 0, 4 * std::sqrt(24.0 / n));
  // Lilliefors' test at 5 %, in Stephens' form; uniform weights, whose logarithms are exponential, fail it.
  const double critical = 0.895 / (std::sqrt(n) - 0.01 + 0.85 / std::sqrt(n));
  EXPECT_LT(measured("log_weight_moments", seen, "ks"), critical);
  const Normality uniform = log_fit(filled(200, 200, [&] { return random.uniform(); }));
  seen.log_weights = &uniform;
  EXPECT_GT(measured("log_weight_moments", seen, "ks"), 20 * critical);
}

TEST(LogWeightMoments, equal_weights_have_no_shape_and_zero_weights_no_moments) {
  const Matrix<float> equal = filled(300, 300, [] { return .1; }), zero(3, 3);
  const Normality of_equal = log_fit(equal), of_zero = log_fit(zero);
  Observation seen;
  seen.log_weights = &of_equal;
  EXPECT_DOUBLE_EQ(measured("log_weight_moments", seen, "mean"), std::log(double(.1f)));
  EXPECT_EQ(measured("log_weight_moments", seen, "sd"), 0);
  EXPECT_TRUE(std::isnan(measured("log_weight_moments", seen, "skewness")));
  EXPECT_TRUE(std::isnan(measured("log_weight_moments", seen, "kurtosis")));
  EXPECT_TRUE(std::isnan(measured("log_weight_moments", seen, "ks")));
  seen.log_weights = &of_zero;
  for (const char* field : {"mean", "sd", "skewness", "kurtosis", "ks"})
    EXPECT_TRUE(std::isnan(measured("log_weight_moments", seen, field)));
}

TEST(DualChange, fields_are_those_of_the_candidates_and_of_the_own_potential) {
  std::vector<DualChange> changes(3);
  for (size_t i = 0; i < 3; ++i) {
    const double v = double(i);
    changes[i] = {};
    changes[i].change.delta_cdf = 0.4 - 0.1 * v;
    changes[i].change.delta_cdf_centred = 10 + v;
    changes[i].change.ks = 20 + v;
    changes[i].laziness = 30 + v;
    changes[i].sign_flips = 5;
  }
  Observation seen;
  seen.dual_changes = changes;
  const auto values = [&](size_t n_candidates, size_t own) {
    seen.n_candidates = n_candidates;
    seen.own = own;
    std::vector<double> out(4 * (n_candidates + 1) + 3);
    find_analysis("dual_change")->measure(seen, out);
    return out;
  };
  const double a = 0.4, b = 0.4 - 0.1, c = 0.4 - 0.2;
  EXPECT_EQ(values(3, 1), (std::vector<double>{a, b, c, b, 10, 11, 12, 11, 20, 21, 22, 21, 30, 31, 32, 31, 2, 0, 5}));
  EXPECT_EQ(values(3, 2)[17], 1);
  const std::vector<double> other = values(2, 2);  // its own is none of the candidates
  EXPECT_EQ(std::vector<double>(other.begin(), other.begin() + 3), (std::vector<double>{a, b, c}));
  EXPECT_EQ(other[12], 1);
  EXPECT_TRUE(std::isnan(other[13]));
  changes[2].change.delta_cdf = changes[1].change.delta_cdf;  // the first of equal ones
  EXPECT_EQ(values(3, 2)[16], 1);
  for (DualChange& d : changes) d.change.delta_cdf = d.change.mean = std::nan("");
  for (const size_t i : {16, 17, 18}) EXPECT_TRUE(std::isnan(values(3, 0)[i]));
}

// ---- hidden states --------------------------------------------------------------------------------------------------

// <G, H>/(||G|| ||H||) with every entry of the two trial x trial matrices written out.
double explicit_alignment(const Matrix<float>& a, const Matrix<float>& b, bool centred) {
  const auto states = [&](const Matrix<float>& from) {
    Matrix<double> out(from.rows, from.cols);
    for (int c = 0; c < from.cols; ++c) {
      double mean = 0;
      for (int r = 0; r < from.rows; ++r) mean += double(from(r, c)) / from.rows;
      for (int r = 0; r < from.rows; ++r) out(r, c) = double(from(r, c)) - (centred ? mean : 0);
    }
    return out;
  };
  const Matrix<double> x = states(a), y = states(b);
  double xy = 0, xx = 0, yy = 0;
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.rows; ++j) {
      double g = 0, h = 0;
      for (int k = 0; k < a.cols; ++k) g += x(i, k) * x(j, k), h += y(i, k) * y(j, k);
      xy += g * h;
      xx += g * g;
      yy += h * h;
    }
  return xy / std::sqrt(xx * yy);
}

TEST(RepresentationAlignment, agrees_with_explicit_gram_matrices_for_few_and_many_trials) {
  for (const auto& [trials, units] : {std::pair{40, 12}, {12, 40}, {16, 16}, {1, 5}, {5, 1}}) {
    Random random(uint64_t(17 + trials));
    const auto relu = [&] { return std::max(random.normal() + .3, 0.0); };
    const Matrix<float> start = filled(trials, units, relu), now = filled(trials, units, relu);
    Observation seen;
    seen.hidden = view(now);
    seen.hidden_start = view(start);
    EXPECT_NEAR(measured("representation_alignment", with_grams(seen)), explicit_alignment(now, start, false),
                rounding(40 * 40));
    if (trials > 1) {
      EXPECT_NEAR(measured("cka", with_grams(seen)), explicit_alignment(now, start, true), rounding(40 * 40)) << trials;
    }
  }
}

TEST(RepresentationAlignment, ignores_rotation_and_scale_of_the_units) {
  const Matrix<float> start = gaussian(30, 6, 1, 18);
  const Matrix<double> q = orthogonal(6, 19);
  Matrix<float> now(30, 6);
  for (int r = 0; r < 30; ++r)
    for (int c = 0; c < 6; ++c) {
      double sum = 0;
      for (int k = 0; k < 6; ++k) sum += double(start(r, k)) * q(k, c);
      now(r, c) = float(7 * sum);
    }
  Observation seen;
  seen.hidden = view(now);
  seen.hidden_start = view(start);
  const double float_rounding = 30 * double(std::numeric_limits<float>::epsilon());
  EXPECT_NEAR(measured("representation_alignment", with_grams(seen)), 1, float_rounding);
  EXPECT_NEAR(measured("cka", with_grams(seen)), 1, float_rounding);
}

TEST(RepresentationAlignment, is_zero_for_disjoint_trials_and_nothing_for_silent_networks) {
  Matrix<float> start(4, 2), now(4, 2);
  start(0, 0) = 1;
  now(3, 1) = 2;
  Observation seen;
  seen.hidden = view(now);
  seen.hidden_start = view(start);
  EXPECT_EQ(measured("representation_alignment", with_grams(seen)), 0);
  const Matrix<float> silent(4, 2);
  seen.hidden = view(silent);
  EXPECT_TRUE(std::isnan(measured("representation_alignment", with_grams(seen))));
  seen.hidden_start = view(silent);
  EXPECT_TRUE(std::isnan(measured("representation_alignment", with_grams(seen))));
}

TEST(RepresentationAlignment, holds_over_the_whole_range_of_floats) {
  const Matrix<float> unit = gaussian(9, 7, 1, 20);
  for (const float scale : {1e-37f, 1e37f}) {
    Matrix<float> scaled = unit;
    for (float& value : scaled.data) value *= scale;
    Observation seen;
    seen.hidden = view(scaled);
    seen.hidden_start = view(unit);
    EXPECT_NEAR(measured("representation_alignment", with_grams(seen)), 1, 1e-6) << scale;
    EXPECT_NEAR(measured("cka", with_grams(seen)), 1, 1e-6) << scale;
  }
}

TEST(Cka, takes_the_mean_off_and_the_uncentred_form_does_not) {
  const Matrix<float> start = gaussian(25, 5, 1, 21);
  Matrix<float> now = start;
  for (int r = 0; r < 25; ++r)
    for (int c = 0; c < 5; ++c) now(r, c) += float(8 * (c + 1));
  Observation seen;
  seen.hidden = view(now);
  seen.hidden_start = view(start);
  EXPECT_NEAR(measured("cka", with_grams(seen)), 1, 1e-5);  // the shift costs floats of up to 40 their last bits
  EXPECT_LT(measured("representation_alignment", with_grams(seen)), .7);
  const Matrix<float> constant = filled(25, 5, [] { return .3; });  // units that do not vary over trials
  seen.hidden = view(constant);
  EXPECT_TRUE(std::isnan(measured("cka", with_grams(seen))));
  EXPECT_FALSE(std::isnan(measured("representation_alignment", with_grams(seen))));
}

TEST(SignSimilarity, counts_zero_as_a_sign_of_its_own) {
  Matrix<float> start(2, 4), now(2, 4);
  start.data = {1, 0, -1, 2, 0, 0, -3, 4};
  now.data = {5, -0.f, -2, 0, 1, -1, 3, 4};  // equal: 0, 1, 2 and 7
  Observation seen;
  seen.hidden = view(now);
  seen.hidden_start = view(start);
  EXPECT_EQ(measured("sign_similarity", seen), .5);
  seen.hidden_start = view(now);
  EXPECT_EQ(measured("sign_similarity", seen), 1);
}

// ---- tangent kernels ------------------------------------------------------------------------------------------------

TEST(KernelAlignment, agrees_with_explicit_kernels) {
  const int rows = 12, params = 30;
  const Matrix<float> j = gaussian(rows, params, 1, 22), j0 = gaussian(rows, params, 1, 23);
  std::vector<double> y(static_cast<size_t>(rows));
  for (int i = 0; i < rows; ++i) y[size_t(i)] = (i % 3 == 0 ? 1 : 0) - 1.0 / 3;
  TangentSums sums{};
  for (int i = 0; i < rows; ++i) sums.target_target += y[size_t(i)] * y[size_t(i)];
  for (int a = 0; a < rows; ++a)
    for (int b = 0; b < rows; ++b) {
      double k = 0, k0 = 0;
      for (int p = 0; p < params; ++p) {
        k += double(j(a, p)) * double(j(b, p));
        k0 += double(j0(a, p)) * double(j0(b, p));
      }
      sums.now_start += k * k0;
      sums.now_now += k * k;
      sums.start_start += k0 * k0;
      sums.target_now += y[size_t(a)] * k * y[size_t(b)];
      sums.target_start += y[size_t(a)] * k0 * y[size_t(b)];
    }
  Observation seen;
  seen.tangent = sums;
  // The same cosine from the Gram matrices of J, by other code.
  EXPECT_NEAR(measured("kernel_alignment", seen), explicit_alignment(j, j0, false), rounding(rows * params));
  EXPECT_DOUBLE_EQ(measured("kernel_target_alignment", seen),
                   sums.target_now / (sums.target_target * std::sqrt(sums.now_now)));
  seen.at_start = true;
  EXPECT_DOUBLE_EQ(measured("kernel_target_alignment", seen),
                   sums.target_start / (sums.target_target * std::sqrt(sums.start_start)));
}

TEST(KernelAlignment, has_the_closed_forms_of_the_two_layer_theory) {
  // Feature kernels Theta0 = M and Theta = I + b b^T: KA = (1 + b^T M b)/(||M||_F sqrt(d + 3)); aligned rank one is 1.
  const double d = 20;
  Observation seen;
  seen.tangent = {2, d + 3, 1, 0, 0, 1};  // M = b b^T: <Theta, M> = 1 + 1
  EXPECT_DOUBLE_EQ(measured("kernel_alignment", seen), 2 / std::sqrt(d + 3));
  seen.tangent = {d + 3, d + 3, d + 3, 0, 0, 1};
  EXPECT_DOUBLE_EQ(measured("kernel_alignment", seen), 1);
}

TEST(KernelTargetAlignment, is_one_for_the_target_kernel_itself) {
  const double yy = 7.5;  // K = c y y^T: y^T K y = c |y|^4, ||K|| = c |y|^2
  const double c = 3;
  Observation seen;
  seen.tangent = {0, c * yy * c * yy, 0, c * yy * yy, 0, yy};
  EXPECT_DOUBLE_EQ(measured("kernel_target_alignment", seen), 1);
  seen.at_start = true;  // a zero kernel at the start
  EXPECT_TRUE(std::isnan(measured("kernel_target_alignment", seen)));
  EXPECT_TRUE(std::isnan(measured("kernel_alignment", seen)));
}

TEST(KernelAlignment, does_not_overflow_where_the_sums_do_not) {
  Observation seen;
  seen.tangent = {1e200, 1e200, 1e200, 0, 0, 1};
  EXPECT_DOUBLE_EQ(measured("kernel_alignment", seen), 1);
  seen.tangent = {1e-200, 1e-200, 1e-200, 0, 0, 1};
  EXPECT_DOUBLE_EQ(measured("kernel_alignment", seen), 1);
}

// ---- spectra --------------------------------------------------------------------------------------------------------

TEST(SpectralMeasures, of_an_orthogonal_matrix) {
  for (const double scale : {1e-300, 1.0, 1e300}) {
    const std::vector<double> s(64, scale);
    EXPECT_NEAR(measured_of("svd_entropy", s), 1, rounding(64));
    EXPECT_NEAR(measured_of("effective_rank", s), 1, rounding(64));
    EXPECT_NEAR(measured_of("participation_ratio", s), 64, 64 * rounding(64));
    EXPECT_NEAR(measured_of("stable_rank", s), 64, 64 * rounding(64));
    EXPECT_EQ(measured_of("spectral_radius", s), scale);
  }
}

TEST(SpectralMeasures, of_rank_one) {
  std::vector<double> s(50, 0.0);
  s[0] = 3;
  EXPECT_EQ(measured_of("svd_entropy", s), 0);
  EXPECT_DOUBLE_EQ(measured_of("effective_rank", s), .02);
  EXPECT_EQ(measured_of("participation_ratio", s), 1);
  EXPECT_EQ(measured_of("stable_rank", s), 1);
  EXPECT_EQ(measured_of("spectral_radius", s), 3);
}

TEST(SpectralMeasures, of_a_graded_spectrum) {
  const std::vector<double> s = {4, 2, 1, 1};
  EXPECT_DOUBLE_EQ(measured_of("svd_entropy", s), .875);  // p = 1/2, 1/4, 1/8, 1/8: 1.75 bits of 2
  EXPECT_DOUBLE_EQ(measured_of("effective_rank", s), .5);
  EXPECT_DOUBLE_EQ(measured_of("participation_ratio", s), 22.0 * 22 / 274);
  EXPECT_DOUBLE_EQ(measured_of("stable_rank", s), 22.0 / 16);
  EXPECT_EQ(measured_of("singular_values", s, "largest"), 4);
  EXPECT_EQ(measured_of("singular_values", s, "median"), 1.5);
  EXPECT_EQ(measured_of("singular_values", s, "mean"), 2);
  EXPECT_EQ(measured_of("singular_values", s, "smallest"), 1);
  EXPECT_EQ(measured_of("singular_values", s, "above_below"), 1);
  EXPECT_EQ(measured_of("spectral_gap", s), .5);
  EXPECT_EQ(measured_of("eigenvalues", s, "gap"), .5);
  EXPECT_EQ(measured_of("matrix_norms", s, "nuclear"), 8);
  EXPECT_DOUBLE_EQ(measured_of("matrix_norms", s, "frobenius"), std::sqrt(22.0));
  EXPECT_EQ(measured_of("singular_values", {4, 2, 1}, "median"), 2);
  EXPECT_EQ(measured_of("singular_values", {4, 2, 1.5, 1}, "above_below"), 2);
  EXPECT_TRUE(std::isnan(measured_of("singular_values", {4, 2}, "above_below")));
}

TEST(SpectralMeasures, of_a_zero_matrix) {
  const std::vector<double> s(10, 0.0);
  for (const char* name : {"svd_entropy", "effective_rank", "participation_ratio", "stable_rank", "spectral_gap"})
    EXPECT_TRUE(std::isnan(measured_of(name, s))) << name;
  EXPECT_EQ(measured_of("spectral_radius", s), 0);
  EXPECT_EQ(measured_of("singular_values", s, "largest"), 0);
  EXPECT_EQ(measured_of("singular_values", s, "above_below"), 0);
}

}  // namespace
}  // namespace cohort::engine

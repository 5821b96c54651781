// The CPU's spectra against LAPACK called in double on one matrix at a time (another driver for singular values), and
// against matrices whose spectra are known; and CpuSpectra over many matrices.
#include <gtest/gtest.h>
#include <lapacke.h>

#include <algorithm>
#include <complex>
#include <cstring>
#include <functional>
#include <limits>

#include "cohort/error.h"
#include "device/cpu_spectra.h"
#include "spectra_of.h"

namespace cohort::engine {
namespace {

using namespace testing;

constexpr double eps = std::numeric_limits<double>::epsilon();
constexpr double float_eps = double(std::numeric_limits<float>::epsilon());
constexpr float nan_float = std::numeric_limits<float>::quiet_NaN();
constexpr float inf_float = std::numeric_limits<float>::infinity();

// QR iteration instead of divide and conquer, row-major as it is.
std::vector<double> oracle_singular_values(const Matrix<float>& a) {
  std::vector<double> copy(a.data.begin(), a.data.end()), s(size_t(std::min(a.rows, a.cols))), superb(s.size());
  EXPECT_EQ(LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'N', 'N', a.rows, a.cols, copy.data(), a.cols, s.data(), nullptr, a.rows,
                           nullptr, a.cols, superb.data()),
            0);
  return s;
}
std::vector<double> oracle_eigenvalue_moduli(const Matrix<float>& a) {
  std::vector<double> copy(a.data.begin(), a.data.end()), re(size_t(a.rows)), im(re.size()), out(re.size());
  EXPECT_EQ(LAPACKE_dgeev(LAPACK_ROW_MAJOR, 'N', 'N', a.rows, copy.data(), a.cols, re.data(), im.data(), nullptr,
                          a.rows, nullptr, a.rows),
            0);
  for (size_t i = 0; i < out.size(); ++i) out[i] = std::abs(std::complex(re[i], im[i]));
  std::sort(out.begin(), out.end(), std::greater<>());
  return out;
}

void expect_close(const std::vector<double>& got, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], tolerance) << "value " << i;
  EXPECT_TRUE(std::is_sorted(got.begin(), got.end(), std::greater<>()));
}
// Backward stable: each value is off by a small multiple of n eps sigma_1.
double stable(int n, double largest) { return 8 * n * eps * largest; }

// ---- singular values ------------------------------------------------------------------------------------------------

TEST(SingularValues, agree_with_another_driver_for_all_shapes) {
  for (const auto& [rows, cols] : {std::pair{1, 1}, {1, 7}, {7, 1}, {2, 2}, {3, 64}, {64, 3}, {64, 64}, {100, 101}}) {
    const Matrix<float> a = gaussian(rows, cols, 1, uint64_t(100 + rows));
    const std::vector<double> expected = oracle_singular_values(a);
    expect_close(singular_values(a), expected, stable(std::max(rows, cols), expected[0]));
  }
}

TEST(SingularValues, of_known_matrices) {
  const int n = 40;
  std::vector<double> graded(n), repeated(n), low_rank(n, 0.0);
  for (int i = 0; i < n; ++i) {
    graded[size_t(i)] = std::pow(10.0, -i / 4.0);
    repeated[size_t(i)] = i < 10 ? 3 : i < 30 ? 2 : 1;
  }
  low_rank[0] = 5, low_rank[1] = 4;
  for (const std::vector<double>& s : {graded, repeated, low_rank, std::vector<double>(n, 1.0)})
    // Rounding the matrix to float moves no singular value by more than its Frobenius norm.
    expect_close(singular_values(with_singular_values(s, 7)), s, float_eps / 2 * s[0] * std::sqrt(double(n)));
  expect_close(singular_values(identity(n, 2.5f)), std::vector<double>(n, 2.5), stable(n, 2.5));
  expect_close(singular_values(Matrix<float>(n, n)), std::vector<double>(n, 0.0), 0);
  const Matrix<float> ones = filled(n, 2 * n, [] { return 1; });
  std::vector<double> rank_one(n, 0.0);
  rank_one[0] = std::sqrt(2.0) * n;
  expect_close(singular_values(ones), rank_one, stable(2 * n, rank_one[0]));
}

TEST(SingularValues, keep_their_relative_accuracy_at_the_ends_of_the_float_range) {
  const Matrix<float> unit = gaussian(32, 32, 1, 8);
  const std::vector<double> expected = singular_values(unit);
  for (const int exponent :
       {-100, 100}) {  // powers of two: nothing is rounded, and no entry is small enough to become subnormal
    Matrix<float> scaled = unit;
    for (float& value : scaled.data) value = std::ldexp(value, exponent);
    std::vector<double> got = singular_values(scaled);
    for (double& value : got) value = std::ldexp(value, -exponent);
    expect_close(got, expected, stable(32, expected[0]));
  }
  Matrix<float> mixed(2, 2);
  mixed(0, 0) = std::numeric_limits<float>::max();
  mixed(1, 1) = std::numeric_limits<float>::denorm_min();
  expect_close(singular_values(mixed), {double(mixed(0, 0)), double(mixed(1, 1))}, stable(2, double(mixed(0, 0))));
}

// ---- eigenvalues ----------------------------------------------------------------------------------------------------

TEST(EigenvalueModuli, agree_with_lapack_in_double) {
  for (const int n : {1, 2, 3, 17, 64, 100}) {
    const Matrix<float> a = gaussian(n, n, 1 / std::sqrt(double(n)), uint64_t(200 + n));
    // Eigenvalues of a Gaussian matrix have condition numbers of about n.
    expect_close(eigenvalue_moduli(a), oracle_eigenvalue_moduli(a), 100.0 * n * n * eps);
  }
}

TEST(EigenvalueModuli, of_known_matrices) {
  Matrix<float> rotations(6, 6);  // scaled rotations by 1 radian or so, complex pairs of moduli 3, 2, .5
  int at = 0;
  for (const float modulus : {2.f, .5f, 3.f}) {
    rotations(at, at) = rotations(at + 1, at + 1) = modulus * .6f;
    rotations(at, at + 1) = -modulus * .8f;
    rotations(at + 1, at) = modulus * .8f;
    at += 2;
  }
  const double unit = std::hypot(double(.6f), double(.8f));
  expect_close(eigenvalue_moduli(rotations), {3 * unit, 3 * unit, 2 * unit, 2 * unit, unit / 2, unit / 2},
               8 * float_eps);

  const int n = 16;
  Matrix<float> shift(n, n), triangular = gaussian(n, n, 1, 9), nilpotent(n, n);
  std::vector<double> diagonal(n);
  for (int i = 0; i < n; ++i) {
    shift(i, (i + 1) % n) = 2;  // the n-th roots of unity, doubled
    for (int j = 0; j < i; ++j) triangular(i, j) = 0;
    triangular(i, i) = float(i % 2 ? i + 1 : -i - 1);
    diagonal[size_t(n - 1 - i)] = i + 1;
    if (i) nilpotent(i, i - 1) = 1;
  }
  expect_close(eigenvalue_moduli(shift), std::vector<double>(n, 2.0), stable(n, 2));
  expect_close(eigenvalue_moduli(triangular), diagonal, 1e-10);
  expect_close(eigenvalue_moduli(nilpotent), std::vector<double>(n, 0.0), 0);
  expect_close(eigenvalue_moduli(Matrix<float>(n, n)), std::vector<double>(n, 0.0), 0);
  expect_close(eigenvalue_moduli(identity(n, -3)), std::vector<double>(n, 3.0), stable(n, 3));
}

TEST(EigenvalueModuli, of_a_circulant_matrix_are_its_fourier_transform) {
  const int n = 24;
  const Matrix<float> first = gaussian(1, n, 1, 10);
  Matrix<float> circulant(n, n);
  for (int r = 0; r < n; ++r)
    for (int c = 0; c < n; ++c) circulant(r, c) = first(0, (c - r + n) % n);
  std::vector<double> expected(n);
  for (int k = 0; k < n; ++k) {
    std::complex<double> sum = 0;
    for (int c = 0; c < n; ++c) sum += double(first(0, c)) * std::polar(1.0, 2 * std::numbers::pi * k * c / n);
    expected[size_t(k)] = std::abs(sum);
  }
  std::sort(expected.begin(), expected.end(), std::greater<>());
  expect_close(eigenvalue_moduli(circulant), expected, stable(n, expected[0]) * 4);
}

TEST(EigenvalueModuli, scale_with_the_matrix) {
  const Matrix<float> unit = gaussian(20, 20, 1, 24);
  const std::vector<double> expected = eigenvalue_moduli(unit);
  for (const int exponent : {-100, 100}) {
    Matrix<float> scaled = unit;
    for (float& value : scaled.data) value = std::ldexp(value, exponent);
    std::vector<double> got = eigenvalue_moduli(scaled);
    for (double& value : got) value = std::ldexp(value, -exponent);
    expect_close(got, expected, 100.0 * 20 * 20 * eps);
  }
}

// ---- truncation -----------------------------------------------------------------------------------------------------

TEST(Truncate, keeps_the_leading_singular_values_and_drops_the_rest) {
  const int n = 48;
  const Matrix<float> a = gaussian(n, n, 1, 25);
  const std::vector<double> before = singular_values(a);
  for (const int rank : {1, 2, 13, n - 1}) {
    const Matrix<float> b = low_rank(a, rank);
    const std::vector<double> after = singular_values(b);
    const double tolerance = float_eps / 2 * frobenius(a);  // the result is rounded to float
    for (int i = 0; i < n; ++i) EXPECT_NEAR(after[size_t(i)], i < rank ? before[size_t(i)] : 0, tolerance);
    // Eckart, Young: the best approximation is this far away, so nothing of that rank is closer.
    double tail = 0, error = 0;
    for (int i = rank; i < n; ++i) tail += before[size_t(i)] * before[size_t(i)];
    for (size_t i = 0; i < a.data.size(); ++i) {
      const double d = double(a.data[i]) - double(b.data[i]);
      error += d * d;
    }
    EXPECT_NEAR(std::sqrt(error), std::sqrt(tail), tolerance);
  }
}

TEST(Truncate, gives_back_what_has_that_rank_already) {
  const Matrix<float> full = gaussian(20, 20, 1, 26);
  EXPECT_EQ(low_rank(full, 20).data, full.data);
  const Matrix<float> ones = filled(20, 20, [] { return -1.5; });  // rows and columns in their places
  Matrix<float> outer(20, 20);
  for (int r = 0; r < 20; ++r)
    for (int c = 0; c < 20; ++c) outer(r, c) = float((r + 1) * (c - 4));
  for (const Matrix<float>& a : {ones, outer}) {
    const Matrix<float> b = low_rank(a, 1);
    for (size_t i = 0; i < a.data.size(); ++i) EXPECT_NEAR(b.data[i], a.data[i], float_eps * 400);
  }
  for (const float value : low_rank(Matrix<float>(5, 5), 2).data) EXPECT_EQ(value, 0);
}

TEST(Truncate, refuses_impossible_ranks_before_touching_anything) {
  const Matrix<float> a = gaussian(4, 8, 1, 27);
  for (const int bad : {0, -1, 5}) {
    Matrix<float> two = a;
    const int32_t rank[] = {1, bad};
    try {
      CpuSpectra(2).low_rank(two.data.data(), 2, 4, {.rank = rank});
      ADD_FAILURE() << "rank " << bad << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.what(), "rank of matrix 1 is " + std::to_string(bad) + "; allowed: 1 to 4");
    }
    EXPECT_EQ(two.data, a.data);
  }
}

// ---- many matrices --------------------------------------------------------------------------------------------------

struct Results {
  SpectraRows square, wide;
  std::vector<float> cut;
  std::vector<double> radius;
};

Results all_results(const std::vector<float>& matrices, int64_t count, int n, int n_threads) {
  CpuSpectra spectra(n_threads);
  Results out{spectra.measure(matrices.data(), count, n, n, {true, true})->wait(),
              spectra.measure(matrices.data(), count, 2, n * n / 2, {true, false})->wait(), matrices,
              std::vector<double>(size_t(count))};
  spectra.radius(matrices.data(), count, n, out.radius.data());
  std::vector<int32_t> rank(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) rank[size_t(i)] = 1 + int(i % n);
  spectra.low_rank(out.cut.data(), count, n, {.rank = rank.data(), .scale = LowRankScale::none});
  return out;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

TEST(Spectra, are_the_same_bits_at_any_number_of_threads) {
  for (const int n : {6, 50}) {
    const int64_t count = 37;
    const std::vector<float> matrices = gaussian(int(count) * n, n, 1, 28).data;
    const Results one = all_results(matrices, count, n, 1);
    for (const int n_threads : {0, 2, 3, 16}) {
      const Results many = all_results(matrices, count, n, n_threads);
      EXPECT_TRUE(same_bits(one.square.singular_values, many.square.singular_values)) << n_threads;
      EXPECT_TRUE(same_bits(one.square.of_singular_values, many.square.of_singular_values)) << n_threads;
      EXPECT_TRUE(same_bits(one.square.eigenvalues, many.square.eigenvalues)) << n_threads;
      EXPECT_TRUE(same_bits(one.square.of_eigenvalues, many.square.of_eigenvalues)) << n_threads;
      EXPECT_TRUE(same_bits(one.wide.singular_values, many.wide.singular_values)) << n_threads;
      EXPECT_TRUE(same_bits(one.radius, many.radius)) << n_threads;
      EXPECT_TRUE(same_bits(one.cut, many.cut)) << n_threads;
    }
  }
}

TEST(Spectra, of_a_broken_matrix_are_nan_and_of_its_neighbours_unchanged) {
  const int n = 12;
  const int64_t count = 9;
  const std::vector<float> good = gaussian(int(count) * n, n, 1, 29).data;
  std::vector<float> matrices = good;
  const size_t size = size_t(n) * size_t(n);
  matrices[2 * size + 5] = nan_float;
  matrices[4 * size] = inf_float;
  matrices[8 * size + size - 1] = -inf_float;  // matrix 8 is cut at rank 9; below, matrix 2 at full rank
  const Results before = all_results(good, count, n, 2), after = all_results(matrices, count, n, 2);
  for (int64_t i = 0; i < count; ++i) {
    const bool broken = i == 2 || i == 4 || i == 8;
    for (size_t k = size_t(i) * size_t(n); k < size_t(i + 1) * size_t(n); ++k) {
      const float s = after.square.singular_values[k], s_before = before.square.singular_values[k];
      EXPECT_TRUE(broken ? std::isnan(s) : s == s_before) << i;
      for (size_t part = 2 * k; part < 2 * k + 2; ++part) {
        const float e = after.square.eigenvalues[part], e_before = before.square.eigenvalues[part];
        EXPECT_TRUE(broken ? std::isnan(e) : e == e_before) << i;
      }
    }
    EXPECT_EQ(std::isnan(after.square.of_singular_values[size_t(i)].entropy), broken);
    EXPECT_EQ(std::isnan(after.square.of_eigenvalues[size_t(i)].radius), broken);
    EXPECT_TRUE(broken ? std::isnan(after.radius[size_t(i)]) : after.radius[size_t(i)] == before.radius[size_t(i)]);
    for (size_t k = size_t(i) * size; k < size_t(i + 1) * size; ++k)
      EXPECT_TRUE(broken ? std::isnan(after.cut[k]) : after.cut[k] == before.cut[k]) << i;
  }
  const int32_t full = n;
  std::vector<float> one(matrices.begin() + int64_t(2 * size), matrices.begin() + int64_t(3 * size));
  CpuSpectra(1).low_rank(one.data(), 1, n, {.rank = &full});
  for (const float value : one) EXPECT_TRUE(std::isnan(value));
}

TEST(Spectra, of_nothing_are_nothing) {
  CpuSpectra spectra(2);
  EXPECT_TRUE(spectra.measure(nullptr, 0, 5, 5, {true, true})->wait().singular_values.empty());
  EXPECT_TRUE(spectra.measure(nullptr, 3, 0, 5, {true, false})->wait().singular_values.empty());
  EXPECT_TRUE(spectra.measure(nullptr, 3, 5, 5, {false, false})->wait().eigenvalues.empty());
  spectra.radius(nullptr, 0, 5, nullptr);
  spectra.radius(nullptr, 3, 0, nullptr);
  spectra.low_rank(nullptr, 0, 5, {});
}

TEST(Spectra, are_those_of_the_matrices_in_double) {
  const int n = 20;
  const std::vector<float> matrices = gaussian(2 * n, n, 1, 30).data;
  CpuSpectra spectra(2);
  const SpectraRows rows = spectra.measure(matrices.data(), 2, n, n, {true, true})->wait();
  std::vector<double> radius(2);
  spectra.radius(matrices.data(), 2, n, radius.data());
  for (int i = 0; i < 2; ++i) {
    Matrix<float> a(n, n);
    std::copy_n(matrices.begin() + i * n * n, n * n, a.data.begin());
    const std::vector<double> s = singular_values(a), e = eigenvalues(a), moduli = eigenvalue_moduli(a);
    for (int k = 0; k < n; ++k) EXPECT_EQ(rows.singular_values[size_t(i * n + k)], float(s[size_t(k)]));
    for (int k = 0; k < 2 * n; ++k) EXPECT_EQ(rows.eigenvalues[size_t(2 * i * n + k)], float(e[size_t(k)]));
    EXPECT_EQ(rows.of_singular_values[size_t(i)].entropy, measures_of(s).entropy);
    EXPECT_EQ(rows.of_eigenvalues[size_t(i)].effective_rank, eigenvalue_measures_of(e).effective_rank);
    EXPECT_NEAR(radius[size_t(i)], moduli[0], 1e-6 * moduli[0]);
  }
}

}  // namespace
}  // namespace cohort::engine

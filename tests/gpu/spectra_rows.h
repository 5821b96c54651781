// Rows of SpectraProgram that a test goes over, matrices for them, and LAPACK in double as the oracle.
#pragma once

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <numbers>
#include <random>
#include <string>

#include "cohort/spectra.h"
#include "gpu/backend.h"

namespace cohort::testing {

template <class Real>
inline constexpr double unit_roundoff = std::numeric_limits<Real>::epsilon() / 2;
template <class Real>
inline constexpr Real nan_of = std::numeric_limits<Real>::quiet_NaN();

template <class Real>
struct Row {
  const SpectraProgram<Real>& program;
  Where where;
};
// Calls body(row) for every backend of this build.
template <class Real, class Body>
void over_rows(Body body) {
  body(Row<Real>{*cuda_spectra<Real>(), Where::device});
  body(Row<Real>{*cpu_spectra<Real>(), Where::host});
}

// ---- matrices, row-major; their elements are floats, so that both precisions get the same
struct Matrix {
  std::string name;
  int rows = 0, cols = 0;
  std::vector<double> data;
  double& operator()(int r, int c) { return data[size_t(r) * size_t(cols) + size_t(c)]; }
  double operator()(int r, int c) const { return data[size_t(r) * size_t(cols) + size_t(c)]; }
  double frobenius() const {
    double sum = 0;
    for (const double x : data) sum += x * x;
    return std::sqrt(sum);
  }
};
inline Matrix filled(const std::string& name, int rows, int cols, const std::function<double(int, int)>& element) {
  Matrix a{name, rows, cols, std::vector<double>(size_t(rows) * size_t(cols))};
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < cols; ++c) a(r, c) = double(float(element(r, c)));
  return a;
}
inline Matrix gaussian(int rows, int cols, double sd, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, sd);
  return filled("gaussian", rows, cols, [&](int, int) { return normal(random); });
}
inline Matrix product(const Matrix& a, const Matrix& b) {
  return filled("product", a.rows, b.cols, [&](int r, int c) {
    double sum = 0;
    for (int k = 0; k < a.cols; ++k) sum += a(r, k) * b(k, c);
    return sum;
  });
}
// A product of reflections, rounded to float.
inline Matrix orthogonal(int n, unsigned seed) {
  Matrix q = filled("orthogonal", n, n, [](int r, int c) { return double(r == c); });
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> v(static_cast<size_t>(n));
  for (int k = 0; k < n; ++k) {
    double norm = 0;
    for (double& x : v) x = normal(random), norm += x * x;
    for (int r = 0; r < n; ++r) {
      double dot = 0;
      for (int c = 0; c < n; ++c) dot += q(r, c) * v[size_t(c)];
      for (int c = 0; c < n; ++c) q(r, c) -= 2 * dot / norm * v[size_t(c)];
    }
  }
  for (double& x : q.data) x = double(float(x));
  return q;
}
// Columns of one sign each (Dale), a fifth inhibitory and four times as strong: sigma_1 is far above |lambda_1|.
inline Matrix column_ei(int n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, 1 / std::sqrt(double(n)));
  const int n_excitatory = n - n / 5;
  return filled("column E/I", n, n, [&](int, int c) {
    const double x = std::abs(normal(random));
    return c < n_excitatory ? x : -4 * x;
  });
}

template <class Real>
std::vector<Real> stacked(const std::vector<Matrix>& matrices) {
  std::vector<Real> out;
  for (const Matrix& m : matrices)
    for (const double x : m.data) out.push_back(Real(x));
  return out;
}

// ---- the oracle
inline std::vector<double> svd(const Matrix& a, std::vector<double>* u = nullptr) {
  std::vector<double> copy = a.data, s(size_t(std::min(a.rows, a.cols))), superb(s.size());
  if (u) u->resize(size_t(a.rows) * s.size());
  const int info = LAPACKE_dgesvd(LAPACK_ROW_MAJOR, u ? 'S' : 'N', 'N', a.rows, a.cols, copy.data(), a.cols, s.data(),
                                  u ? u->data() : nullptr, int(s.size()), nullptr, a.cols, superb.data());
  EXPECT_EQ(info, 0);
  return s;
}

struct Eigenvalue {
  std::complex<double> value;
  double condition;  // 1 / |y^H x|: how far it moves per unit of change of the matrix
};
inline std::vector<Eigenvalue> eigenvalues(const Matrix& a) {
  const size_t n = size_t(a.rows);
  std::vector<double> copy = a.data, re(n), im(n), left(n * n), right(n * n), scale(n), of_value(n), of_vector(n);
  int low = 0, high = 0;
  double norm = 0;
  const int info = LAPACKE_dgeevx(LAPACK_ROW_MAJOR, 'P', 'V', 'V', 'E', a.rows, copy.data(), a.cols, re.data(),
                                  im.data(), left.data(), a.cols, right.data(), a.cols, &low, &high, scale.data(),
                                  &norm, of_value.data(), of_vector.data());
  EXPECT_EQ(info, 0);
  std::vector<Eigenvalue> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = {{re[i], im[i]}, 1 / of_value[i]};
  return out;
}
inline double radius_of(const Matrix& a) {
  double radius = 0;
  for (const Eigenvalue& e : eigenvalues(a)) radius = std::max(radius, std::abs(e.value));
  return radius;
}
// The smallest singular value of A - lambda I: how little has to change for lambda to be an eigenvalue.
inline double backward_error(const Matrix& a, std::complex<double> lambda) {
  const size_t n = size_t(a.rows);
  std::vector<std::complex<double>> shifted(a.data.begin(), a.data.end());
  for (size_t i = 0; i < n; ++i) shifted[i * n + i] -= lambda;
  std::vector<double> s(n), superb(n);
  const int info = LAPACKE_zgesvd(LAPACK_ROW_MAJOR, 'N', 'N', a.rows, a.cols,
                                  reinterpret_cast<lapack_complex_double*>(shifted.data()), a.cols, s.data(), nullptr,
                                  a.rows, nullptr, a.cols, superb.data());
  EXPECT_EQ(info, 0);
  return s.back();
}

}  // namespace cohort::testing

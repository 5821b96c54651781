// Matrices that singular value decompositions find hard, and LAPACK's answers to them in double.
#pragma once

#include <gtest/gtest.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace cohort::testing {

// Row-major [rows][cols].
struct Dense {
  int rows, cols;
  std::vector<double> x;
  Dense(int rows_, int cols_, double value = 0) : rows(rows_), cols(cols_), x(size_t(rows_) * size_t(cols_), value) {}
  double& operator()(int r, int c) { return x[size_t(r) * size_t(cols) + size_t(c)]; }
  double operator()(int r, int c) const { return x[size_t(r) * size_t(cols) + size_t(c)]; }
  int k() const { return std::min(rows, cols); }
};

template <class Real>
Dense dense(int rows, int cols, const Real* x) {
  Dense a(rows, cols);
  std::copy(x, x + a.x.size(), a.x.begin());
  return a;
}

inline double frobenius(const Dense& a) {
  double sum = 0;
  for (const double x : a.x) sum += x * x;
  return std::sqrt(sum);
}

// A B^T, in long double where that is quick: the error of the reference must not count.
inline Dense times_transposed(const Dense& a, const Dense& b) {
  Dense c(a.rows, b.rows);
  const auto multiply = [&](auto zero) {
    for (int i = 0; i < a.rows; ++i)
      for (int j = 0; j < b.rows; ++j) {
        auto sum = zero;
        const double *u = &a.x[size_t(i) * size_t(a.cols)], *v = &b.x[size_t(j) * size_t(b.cols)];
        for (int k = 0; k < a.cols; ++k) sum += u[k] * decltype(zero)(v[k]);
        c(i, j) = double(sum);
      }
  };
  if (std::max(a.rows, b.rows) <= 40)
    multiply(0.0L);
  else
    multiply(0.0);
  return c;
}
inline Dense transposed(const Dense& a) {
  Dense t(a.cols, a.rows);
  for (int r = 0; r < a.rows; ++r)
    for (int c = 0; c < a.cols; ++c) t(c, r) = a(r, c);
  return t;
}
inline Dense scaled(Dense a, double factor) {
  for (double& x : a.x) x *= factor;
  return a;
}

inline std::vector<double> singular_values(Dense a) {
  std::vector<double> s(size_t(a.k())), none(1), superb(size_t(a.k()) + 1);
  EXPECT_EQ(LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'N', a.rows, a.cols, a.x.data(), a.cols, s.data(), none.data(), a.rows,
                           none.data(), a.cols),
            0);
  return s;
}
struct Decomposition {
  Dense u, v;  // [rows][k], [cols][k]
  std::vector<double> s;
  // The first `rank` terms.
  Dense composed(int rank) const {
    Dense left = u;
    for (int r = 0; r < u.rows; ++r)
      for (int c = 0; c < u.cols; ++c) left(r, c) = c < rank ? u(r, c) * s[size_t(c)] : 0;
    return times_transposed(left, v);
  }
};
inline Decomposition decomposition(Dense a) {
  Decomposition d{Dense(a.rows, a.k()), Dense(a.cols, a.k()), std::vector<double>(size_t(a.k()))};
  Dense vt(a.k(), a.cols);
  EXPECT_EQ(LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', a.rows, a.cols, a.x.data(), a.cols, d.s.data(), d.u.x.data(), a.k(),
                           vt.x.data(), a.cols),
            0);
  d.v = transposed(vt);
  return d;
}

class MatrixSource {
 public:
  explicit MatrixSource(unsigned seed) : engine_(seed) {}
  Dense gaussian(int rows, int cols) {
    Dense a(rows, cols);
    for (double& x : a.x) x = normal_(engine_);
    return a;
  }
  // n orthonormal columns, of the QR decomposition of a Gaussian matrix.
  Dense orthonormal(int rows, int n) {
    Dense a = gaussian(rows, n);
    std::vector<double> tau(static_cast<size_t>(n));
    EXPECT_EQ(LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, rows, n, a.x.data(), n, tau.data()), 0);
    EXPECT_EQ(LAPACKE_dorgqr(LAPACK_ROW_MAJOR, rows, n, n, a.x.data(), n, tau.data()), 0);
    return a;
  }
  Dense with_values(int rows, int cols, const std::function<double(int)>& value) {
    const int k = std::min(rows, cols);
    Decomposition d{orthonormal(rows, k), orthonormal(cols, k), {}};
    for (int i = 0; i < k; ++i) d.s.push_back(value(i));
    return d.composed(k);
  }

 private:
  std::mt19937 engine_;
  std::normal_distribution<double> normal_;
};

struct HardMatrix {
  std::string name;
  Dense a;
  bool finite = true;
};
inline std::vector<HardMatrix> hard_matrices(int rows, int cols, unsigned seed = 1) {
  MatrixSource source(seed);
  const auto gaussian = [&] { return source.gaussian(rows, cols); };
  const auto with_values = [&](const std::function<double(int)>& f) { return source.with_values(rows, cols, f); };
  const int k = std::min(rows, cols);
  Dense nan = gaussian(), infinite = gaussian(), one_entry(rows, cols), diagonal(rows, cols), pivots(rows, cols);
  Dense nilpotent = gaussian(), graded_rows = gaussian(), zero_columns = gaussian();
  nan.x[nan.x.size() / 2] = std::nan("");
  infinite(0, cols - 1) = -std::numeric_limits<double>::infinity();
  one_entry(rows - 1, cols - 1) = -3;
  for (int i = 0; i < k; ++i) {
    diagonal(i, i) = i % 3 ? 1 + i % 5 : 0;
    pivots(i, i) = i ? .5 * double(1.00001f) / i : 1;  // half the bound of the bisection: a pivot of zero
  }
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < cols; ++c) {
      if (c <= r) nilpotent(r, c) = 0;
      graded_rows(r, c) *= std::pow(10.0, -12.0 * r / rows);
      if (c % 2) zero_columns(r, c) = 0;
    }
  return {{"gaussian", gaussian()},
          {"gaussian / sqrt n", scaled(gaussian(), 1.25 / std::sqrt(double(cols)))},
          {"rank k / 4", with_values([&](int i) { return i < (k + 3) / 4 ? 1.0 + i : 0.0; })},
          {"condition 1e12", with_values([&](int i) { return std::pow(1e-12, double(i) / std::max(1, k - 1)); })},
          {"NaN", nan, false},
          {"repeated", with_values([](int i) { return i % 2 ? 1.0 : 0.5; })},
          {"orthogonal", with_values([](int) { return 1.0; })},
          {"zero", Dense(rows, cols)},
          {"1e-30", scaled(gaussian(), 1e-30)},
          {"infinity", infinite, false},
          {"1e30", scaled(gaussian(), 1e30)},
          {"1e-40", scaled(gaussian(), 1e-40)},
          {"1e-310", scaled(gaussian(), 1e-310)},
          {"ones", Dense(rows, cols, 1)},
          {"one entry", one_entry},
          {"diagonal", diagonal},
          {"zero pivots", pivots},
          {"nilpotent", nilpotent},
          {"graded rows", graded_rows},
          {"zero columns", zero_columns}};
}

}  // namespace cohort::testing

// Matrices for the tests, drawn from fixed seeds by code whose numbers are the same with every standard library.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/analysis.h"

namespace cohort::engine::testing {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  double uniform() { return (double(engine_() >> 11) + .5) * 0x1p-53; }  // in (0, 1)
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform()); }
  double exponential(double mean) { return -mean * std::log(uniform()); }

 private:
  std::mt19937_64 engine_;
};

// Row-major [rows][cols].
template <class Real>
struct Matrix {
  int rows = 0, cols = 0;
  std::vector<Real> data;
  Matrix(int rows_, int cols_) : rows(rows_), cols(cols_), data(size_t(rows_) * size_t(cols_)) {}
  Real& operator()(int r, int c) { return data[size_t(r) * size_t(cols) + size_t(c)]; }
  Real operator()(int r, int c) const { return data[size_t(r) * size_t(cols) + size_t(c)]; }
};

inline MatrixView view(const Matrix<float>& a) { return {a.data.data(), a.rows, a.cols}; }

template <class Draw>
Matrix<float> filled(int rows, int cols, Draw&& draw) {
  Matrix<float> out(rows, cols);
  for (float& value : out.data) value = float(draw());
  return out;
}

inline Matrix<float> gaussian(int rows, int cols, double sd, uint64_t seed) {
  Random random(seed);
  return filled(rows, cols, [&] { return sd * random.normal(); });
}

inline Matrix<float> identity(int n, float scale = 1) {
  Matrix<float> out(n, n);
  for (int i = 0; i < n; ++i) out(i, i) = scale;
  return out;
}

// A product of n reflections of random vectors, in double.
inline Matrix<double> orthogonal(int n, uint64_t seed) {
  Random random(seed);
  Matrix<double> q(n, n);
  for (int i = 0; i < n; ++i) q(i, i) = 1;
  std::vector<double> v(static_cast<size_t>(n));
  for (int k = 0; k < n; ++k) {
    double norm2 = 0;
    for (double& x : v) x = random.normal(), norm2 += x * x;
    for (int r = 0; r < n; ++r) {
      double dot = 0;
      for (int c = 0; c < n; ++c) dot += q(r, c) * v[size_t(c)];
      for (int c = 0; c < n; ++c) q(r, c) -= 2 * dot / norm2 * v[size_t(c)];
    }
  }
  return q;
}

// U diag(s) V^T rounded to float, U and V random orthogonal.
inline Matrix<float> with_singular_values(const std::vector<double>& s, uint64_t seed) {
  const int n = int(s.size());
  const Matrix<double> u = orthogonal(n, seed), v = orthogonal(n, seed + 1);
  Matrix<float> out(n, n);
  for (int r = 0; r < n; ++r)
    for (int c = 0; c < n; ++c) {
      double sum = 0;
      for (int k = 0; k < n; ++k) sum += u(r, k) * s[size_t(k)] * v(c, k);
      out(r, c) = float(sum);
    }
  return out;
}

inline double frobenius(const Matrix<float>& a) {
  double sum = 0;
  for (const float value : a.data) sum += double(value) * double(value);
  return std::sqrt(sum);
}

// The value of one field of a registered analysis; fails the program if it does not exist.
inline double measured(const char* name, const Observation& seen, std::string_view field = "") {
  const Analysis& analysis = *find_analysis(name);
  std::vector<double> out(analysis.fields.size(), -12345);
  analysis.measure(seen, out);
  for (size_t i = 0; i < out.size(); ++i)
    if (field == analysis.fields[i].name) return out[i];
  throw std::out_of_range(std::string(name) + " has no field " + std::string(field));
}

}  // namespace cohort::engine::testing

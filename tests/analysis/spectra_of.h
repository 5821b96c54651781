// Spectra of one matrix by the CPU's row, in double.
#pragma once

#include <cstdlib>
#include <memory>

#include "cohort/spectra.h"
#include "matrices.h"

namespace cohort::engine::testing {

// Runs operation(args, launch) on one matrix.
template <class Args>
void run_one(const Args& args, size_t (*workspace)(const Args&, int32_t),
             void (*operation)(const Args&, const Launch&)) {
  const size_t bytes = (workspace(args, 1) + 255) / 256 * 256;
  const std::unique_ptr<void, decltype(&std::free)> memory(std::aligned_alloc(256, bytes + 256), &std::free);
  operation(args, {0, 1, memory.get(), bytes, nullptr});
}

inline const SpectraProgram<double>& cpu() { return *cpu_spectra<double>(); }

inline std::vector<double> singular_values(const Matrix<float>& a) {
  const std::vector<double> in_double(a.data.begin(), a.data.end());
  std::vector<double> s(size_t(std::min(a.rows, a.cols)), -1);
  SpectrumStatus status;
  run_one(SvdvalsArgs<double>{1, a.rows, a.cols, in_double.data(), s.data(), &status}, cpu().svdvals_workspace,
          cpu().svdvals);
  return s;
}
// [n][2], by falling modulus.
inline std::vector<double> eigenvalues(const Matrix<float>& a) {
  const std::vector<double> in_double(a.data.begin(), a.data.end());
  std::vector<double> values(2 * size_t(a.rows), -1);
  SpectrumStatus status;
  run_one(EigvalsArgs<double>{1, a.rows, in_double.data(), values.data(), &status}, cpu().eigvals_workspace,
          cpu().eigvals);
  return values;
}
inline std::vector<double> eigenvalue_moduli(const Matrix<float>& a) {
  const std::vector<double> values = eigenvalues(a);
  std::vector<double> moduli;
  for (size_t i = 0; i < values.size(); i += 2) moduli.push_back(std::hypot(values[i], values[i + 1]));
  return moduli;
}
inline Matrix<float> low_rank(Matrix<float> a, int32_t rank, LowRankScale scale = LowRankScale::none) {
  std::vector<double> in_double(a.data.begin(), a.data.end());
  SpectrumStatus status;
  run_one(LowRankArgs<double>{.n_matrices = 1,
                              .rows = a.rows,
                              .cols = a.cols,
                              .a = in_double.data(),
                              .rank = &rank,
                              .status = &status,
                              .scale = scale},
          cpu().low_rank_workspace, cpu().low_rank);
  for (size_t i = 0; i < a.data.size(); ++i) a.data[i] = float(in_double[i]);
  return a;
}

// Measures of singular values, descending.
inline SpectrumMeasures measures_of(const std::vector<double>& s) {
  SpectrumMeasures out;
  cpu().spectrum_measures({.n_matrices = 1, .k = int(s.size()), .s = s.data(), .measures = &out}, {0, 1});
  return out;
}
// Measures of eigenvalues [n][2] by falling modulus.
inline EigenvalueMeasures eigenvalue_measures_of(const std::vector<double>& values) {
  EigenvalueMeasures out;
  cpu().eigenvalue_measures(
      {.n_matrices = 1, .n = int(values.size() / 2), .eigenvalues = values.data(), .measures = &out}, {0, 1});
  return out;
}

}  // namespace cohort::engine::testing

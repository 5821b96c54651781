// Spectra of the matrices of a cohort, as starts and analyses ask for them. What comes out, and how far to trust it, is said in
// cohort/spectra.h; a matrix without a result has NaN.
#pragma once

#include <memory>
#include <vector>

#include "cohort/spectra.h"

namespace cohort::engine {

struct SpectraWanted {
  bool singular_values = false;
  bool eigenvalues = false;  // square matrices only
};

// One row per matrix, in host memory; empty where it was not wanted. k = min(rows, cols).
struct SpectraRows {
  std::vector<SpectrumMeasures> of_singular_values;
  std::vector<float> singular_values;  // [count][k], descending
  std::vector<EigenvalueMeasures> of_eigenvalues;
  std::vector<float> eigenvalues;  // [count][n][2] real and imaginary part, by falling modulus
};

// Spectra on their way.
class PendingSpectra {
 public:
  virtual ~PendingSpectra() = default;
  virtual SpectraRows wait() = 0;  // once
};

class Spectra {
 public:
  virtual ~Spectra() = default;
  // Of `count` matrices [rows][cols] in the device's memory, where they stay as they are until wait() returns. A device that can
  // works at them while it trains; matrices never come to the host.
  virtual std::unique_ptr<PendingSpectra> measure(const float* a, int64_t count, int rows, int cols,
                                                  SpectraWanted wanted) = 0;
  // max |lambda| [count] of n x n matrices in host memory.
  virtual void radius(const float* a, int64_t count, int n, double* radius) = 0;
  // Low-rank versions of n x n matrices in host memory, in place, in double: see LowRankArgs. Throws cohort::Error for a rank
  // outside 1..n, before any work.
  virtual void low_rank(float* a, int64_t count, int n, const LowRankArgs<double>& how) = 0;
  // Matrices [rows][cols] in host memory, square or not: `a` keeps its singular vectors and takes the singular values of `values`,
  // in double: see TransplantArgs. Where either is not finite, NaN.
  virtual void transplant(float* a, const float* values, int64_t count, int rows, int cols) = 0;
};

// Throws that Error.
void check_ranks(const int32_t* rank, int64_t count, int n);

}  // namespace cohort::engine

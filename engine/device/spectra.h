// Spectra of many small matrices at once.
#pragma once

#include <cstdint>

namespace cohort::engine {

// Values and low-rank approximations of `count` row-major matrices [rows][cols], stored one after another in host memory.
// A matrix that is not finite gives NaN for that matrix only.
class Spectra {
 public:
  virtual ~Spectra() = default;
  // s [count][min(rows, cols)], descending.
  virtual void singular_values(const float* a, int64_t count, int rows, int cols, double* s) = 0;
  // moduli [count][n] of the eigenvalues of n x n matrices, descending.
  virtual void eigenvalue_moduli(const float* a, int64_t count, int n, double* moduli) = 0;
  // Replaces each n x n matrix by its best approximation of rank `rank[i]` (1..n) in the Frobenius norm, unscaled.
  virtual void truncate(float* a, int64_t count, int n, const int* rank) = 0;
};

}  // namespace cohort::engine

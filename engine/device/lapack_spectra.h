// Spectra on the CPU by LAPACK, one matrix per worker at a time.
#pragma once

#include "device/spectra.h"

namespace cohort::engine {

// Everything is computed in double from the floats as they are: values are those of the stored matrix to about
// 1e-15 times its largest singular value, so the tail of a truncated matrix shows the rounding of its floats and
// nothing else. Results are the same bits at any number of threads. Zero matrices are ordinary. NaN stands for a matrix
// that holds a NaN or an infinity (LAPACK never sees it) and for one on which LAPACK's iteration fails. Several threads
// may use one object at once. Switches OpenBLAS to one thread (blas.h).
class LapackSpectra final : public Spectra {
 public:
  explicit LapackSpectra(int n_threads);  // at most so many threads, the caller's among them; below 1 counts as 1

  void singular_values(const float* a, int64_t count, int rows, int cols, double* s) override;
  void eigenvalue_moduli(const float* a, int64_t count, int n, double* moduli) override;
  // A matrix whose rank is n stays as it is, to the bit. Throws cohort::Error for a rank outside 1..n, before any work.
  void truncate(float* a, int64_t count, int n, const int* rank) override;

 private:
  int n_threads_;
};

}  // namespace cohort::engine

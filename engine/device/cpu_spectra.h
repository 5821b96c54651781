// Spectra on the CPU, one matrix per worker at a time.
#pragma once

#include "device/spectra.h"

namespace cohort::engine {

// Everything is computed in double from the floats as they are: values are those of the stored matrix to about 1e-15 times its
// largest singular value, so the tail of a truncated matrix shows the rounding of its floats and nothing else. Results are the
// same bits at any number of threads. measure() is done when it returns. Several threads may use one object at once. Switches
// OpenBLAS to one thread (blas.h).
class CpuSpectra final : public Spectra {
 public:
  explicit CpuSpectra(int n_threads);  // at most so many threads, the caller's among them; below 1 counts as 1

  std::unique_ptr<PendingSpectra> measure(const float* a, int64_t count, int rows, int cols,
                                          SpectraWanted wanted) override;
  void radius(const float* a, int64_t count, int n, double* radius) override;
  void low_rank(float* a, int64_t count, int n, const LowRankArgs<double>& how) override;
  void transplant(float* a, const float* values, int64_t count, int rows, int cols) override;

 private:
  int n_threads_;
};

}  // namespace cohort::engine

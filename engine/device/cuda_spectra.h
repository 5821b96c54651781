// Spectra on a CUDA device by cuSOLVER.
#pragma once

#include <memory>

#include "cuda/gpu.h"
#include "device/spectra.h"

namespace cohort::engine {

// Everything is computed in double from the floats as they are. Singular values and subspaces come from the
// eigenvectors of the smaller Gram matrix, all matrices in one batch: absolute errors are below 1e-7 times a matrix's
// largest singular value, about the rounding of its floats. Eigenvalues come from one matrix after another. NaN stands
// for a matrix that holds a NaN or an infinity and for one on which the iteration fails. One thread at a time.
class CudaSpectra final : public Spectra {
 public:
  // All work goes to `stream` of the current device, which outlives this object.
  explicit CudaSpectra(cudaStream_t stream);
  ~CudaSpectra() override;

  void singular_values(const float* a, int64_t count, int rows, int cols, double* s) override;
  void eigenvalue_moduli(const float* a, int64_t count, int n, double* moduli) override;
  // A matrix whose rank is n stays as it is, to the bit. Throws cohort::Error for a rank outside 1..n, before any work.
  void truncate(float* a, int64_t count, int n, const int* rank) override;

 private:
  struct Solver;
  Solver& solver();
  cudaStream_t stream_;
  std::unique_ptr<Solver> solver_;  // made at first use: cuSOLVER takes memory and a second of time
};

}  // namespace cohort::engine

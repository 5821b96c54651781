// Spectra on a CUDA device.
#pragma once

#include "cuda/gpu.h"
#include "device/spectra.h"

namespace cohort::engine {

// measure() works in a stream of its own, of low priority: matrices are read where they lie, measures are taken on the device,
// and only rows come to the host, in wait(). Singular values are those of float (4 n 2^-24 sigma_1), low ranks and eigenvalues
// are computed in double. One thread at a time.
class CudaSpectra final : public Spectra {
 public:
  // `stream` of the current device outlives this object. What was enqueued in it before measure() is done before the matrices are
  // read.
  explicit CudaSpectra(cudaStream_t stream);
  ~CudaSpectra() override;

  std::unique_ptr<PendingSpectra> measure(const float* a, int64_t count, int rows, int cols,
                                          SpectraWanted wanted) override;
  void radius(const float* a, int64_t count, int n, double* radius) override;
  void low_rank(float* a, int64_t count, int n, const LowRankArgs<double>& how) override;
  void transplant(float* a, const float* values, int64_t count, int rows, int cols) override;

 private:
  cudaStream_t stream_, side_ = nullptr;
  cudaEvent_t before_ = nullptr;
};

}  // namespace cohort::engine

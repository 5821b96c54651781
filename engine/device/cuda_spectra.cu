#include "device/cuda_spectra.h"

#include <cusolverDn.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <string>
#include <vector>

#include "cohort/error.h"
#include "team/cta.h"

COHORT_BEGIN
namespace {

constexpr int n_threads = CtaTeam::threads;

// Matrix i of a batch: d [tall][ld], the taller way round, in double; gram [n][ld] = d^T d with n = min(rows, cols) and
// ld = pad(n), its padding 0.
__global__ void __launch_bounds__(n_threads) gram_kernel(const float* a, int rows, int cols, double* d, double* gram) {
  const CtaTeam team;
  const bool as_is = cols <= rows;
  const int n = as_is ? cols : rows, tall = as_is ? rows : cols, ld = CtaTeam::pad<double>(n);
  const float* const from = a + ptrdiff_t(blockIdx.x) * rows * cols;
  double* const to = d + ptrdiff_t(blockIdx.x) * tall * ld;
  double* const g = gram + ptrdiff_t(blockIdx.x) * n * ld;
  team.for_each_2d(tall, ld, [=](int r, int c) {
    to[r * ld + c] = c < n ? double(from[as_is ? r * cols + c : c * cols + r]) : 0.0;
  });
  const Product<double> product[1] = {{to, 1, ld, to, ld, tall}};
  team.gemm(n, n, product, [=](int r, int c, double v) { g[r * ld + c] = v; });
}

// a = d V V^T with V the last rank[i] of the n eigenvectors vectors [n][ld]. `selected` and `product` [n][ld] are
// scratch.
__global__ void __launch_bounds__(n_threads) project_kernel(float* a, int n, const double* d, const double* vectors,
                                                            const int* rank, double* selected, double* product) {
  const CtaTeam team;
  const int ld = CtaTeam::pad<double>(n), r = rank[blockIdx.x], ld_r = CtaTeam::pad<double>(r);
  const ptrdiff_t at = ptrdiff_t(blockIdx.x) * n * ld;
  float* const to = a + ptrdiff_t(blockIdx.x) * n * n;
  const double* const basis = vectors + at + ptrdiff_t(n - r) * ld;
  double *const v = selected + at, *const dv = product + at;
  team.for_each_2d(n, ld_r, [=](int j, int k) { v[j * ld_r + k] = k < r ? basis[k * ld + j] : 0.0; });
  const Product<double> first[1] = {{d + at, ld, 1, v, ld_r, n}};
  team.gemm(n, r, first, [=](int i, int k, double value) { dv[i * ld_r + k] = value; });
  const Product<double> second[1] = {{dv, ld_r, 1, basis, ld, r}};
  team.gemm(n, n, second, [=](int i, int j, double value) {
    if (j < n) to[i * n + j] = float(value);
  });
}

__global__ void __launch_bounds__(n_threads) widen_kernel(const float* from, double* to, int64_t n) {
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += int64_t(gridDim.x) * blockDim.x)
    to[i] = double(from[i]);
}

}  // namespace
COHORT_END

namespace cohort::engine {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr size_t batch_bytes = size_t(256) << 20;  // of device memory that one batch of matrices takes, roughly

void check(cusolverStatus_t status, const char* what, std::source_location at = std::source_location::current()) {
  if (status != CUSOLVER_STATUS_SUCCESS)
    throw CudaError(int(status), std::string(what) + ": cuSOLVER status " + std::to_string(int(status)) + " at " +
                                     at.file_name() + ":" + std::to_string(at.line()));
}

// Device memory for one call, from the stream's pool.
template <class T>
class Memory {
 public:
  Memory(size_t n, cudaStream_t stream) : stream_(stream) {
    if (n > 0) gpu::check(cudaMallocAsync(&data_, n * sizeof(T), stream), "memory for spectra");
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    if (data_) cudaFreeAsync(data_, stream_);
  }
  T* data() const { return data_; }
  void upload(const T* from, size_t n) {
    gpu::check(cudaMemcpyAsync(data_, from, n * sizeof(T), cudaMemcpyHostToDevice, stream_), "upload");
  }
  // Done when it returns.
  void download(T* to, size_t n) const {
    gpu::check(cudaMemcpyAsync(to, data_, n * sizeof(T), cudaMemcpyDeviceToHost, stream_), "download");
    gpu::check(cudaStreamSynchronize(stream_), "spectra");
  }

 private:
  T* data_ = nullptr;
  cudaStream_t stream_;
};

// `count` matrices of `size` floats with zeros in place of those that are not finite, and which are.
struct Finite {
  std::vector<float> values;
  std::vector<char> good;
  Finite(const float* a, int64_t count, size_t size) : values(a, a + size_t(count) * size), good(size_t(count)) {
    for (size_t i = 0; i < good.size(); ++i) {
      float* const first = values.data() + i * size;
      good[i] = std::all_of(first, first + size, [](float x) { return std::isfinite(x); });
      if (!good[i]) std::fill(first, first + size, 0.0f);
    }
  }
};

// f(first, count) for consecutive batches that fit into batch_bytes.
template <class F>
void in_batches(int64_t count, size_t bytes_each, F f) {
  const int64_t most = std::clamp<int64_t>(int64_t(batch_bytes / bytes_each), 1, 65535);
  for (int64_t first = 0; first < count; first += most) f(first, std::min(most, count - first));
}

}  // namespace

struct CudaSpectra::Solver {
  cudaStream_t stream;
  cusolverDnHandle_t handle = nullptr;
  cusolverDnParams_t params = nullptr;

  explicit Solver(cudaStream_t stream_) : stream(stream_) {
    check(cusolverDnCreate(&handle), "cuSOLVER");
    try {
      check(cusolverDnSetStream(handle, stream), "stream of cuSOLVER");
      check(cusolverDnCreateParams(&params), "parameters of cuSOLVER");
    } catch (...) {
      cusolverDnDestroy(handle);
      throw;
    }
  }
  Solver(const Solver&) = delete;
  Solver& operator=(const Solver&) = delete;
  ~Solver() {
    cusolverDnDestroyParams(params);
    cusolverDnDestroy(handle);
  }

  // Eigenvalues [count][n], ascending, of symmetric matrices [n][ld]; with `vectors` these replace the matrices, one a
  // row.
  void symmetric(bool vectors, int n, int ld, double* matrices, double* values, int* info, int64_t count) {
    const cusolverEigMode_t mode = vectors ? CUSOLVER_EIG_MODE_VECTOR : CUSOLVER_EIG_MODE_NOVECTOR;
    size_t on_device = 0, on_host = 0;
    check(cusolverDnXsyevBatched_bufferSize(handle, params, mode, CUBLAS_FILL_MODE_LOWER, n, CUDA_R_64F, matrices, ld,
                                            CUDA_R_64F, values, CUDA_R_64F, &on_device, &on_host, count),
          "cusolverDnXsyevBatched_bufferSize");
    const Memory<unsigned char> device(on_device, stream);
    std::vector<unsigned char> host(on_host);
    check(cusolverDnXsyevBatched(handle, params, mode, CUBLAS_FILL_MODE_LOWER, n, CUDA_R_64F, matrices, ld, CUDA_R_64F,
                                 values, CUDA_R_64F, device.data(), on_device, host.data(), on_host, info, count),
          "cusolverDnXsyevBatched");
    gpu::check(cudaStreamSynchronize(stream),
               "eigenvalues of symmetric matrices");  // the host's buffer is in use until then
  }

  // Eigenvalues [count][n] of matrices [n][n], which are overwritten.
  void general(int n, double* matrices, std::complex<double>* values, int* info, int64_t count) {
    size_t on_device = 0, on_host = 0;
    check(cusolverDnXgeev_bufferSize(handle, params, CUSOLVER_EIG_MODE_NOVECTOR, CUSOLVER_EIG_MODE_NOVECTOR, n,
                                     CUDA_R_64F, matrices, n, CUDA_C_64F, values, CUDA_R_64F, nullptr, n, CUDA_R_64F,
                                     nullptr, n, CUDA_R_64F, &on_device, &on_host),
          "cusolverDnXgeev_bufferSize");
    const Memory<unsigned char> device(on_device, stream);
    std::vector<unsigned char> host(on_host);
    for (int64_t i = 0; i < count; ++i) {
      check(cusolverDnXgeev(handle, params, CUSOLVER_EIG_MODE_NOVECTOR, CUSOLVER_EIG_MODE_NOVECTOR, n, CUDA_R_64F,
                            matrices + i * n * n, n, CUDA_C_64F, values + i * n, CUDA_R_64F, nullptr, n, CUDA_R_64F,
                            nullptr, n, CUDA_R_64F, device.data(), on_device, host.data(), on_host, info + i),
            "cusolverDnXgeev");
      gpu::check(cudaStreamSynchronize(stream), "eigenvalues");
    }
  }
};

CudaSpectra::CudaSpectra(cudaStream_t stream) : stream_(stream) {}
CudaSpectra::~CudaSpectra() = default;

CudaSpectra::Solver& CudaSpectra::solver() {
  if (!solver_) solver_ = std::make_unique<Solver>(stream_);
  return *solver_;
}

void CudaSpectra::singular_values(const float* a, int64_t count, int rows, int cols, double* s) {
  const int n = std::min(rows, cols), ld = CtaTeam::pad<double>(n);
  const size_t size = size_t(rows) * size_t(cols), tall = size_t(std::max(rows, cols)) * size_t(ld),
               gram = size_t(n) * size_t(ld);
  in_batches(count, (size + 2 * tall + 4 * gram) * sizeof(double), [&](int64_t first, int64_t m) {
    const Finite matrices(a + size_t(first) * size, m, size);
    Memory<float> values(size_t(m) * size, stream_);
    const Memory<double> d(size_t(m) * tall, stream_), g(size_t(m) * gram, stream_), w(size_t(m) * size_t(n), stream_);
    const Memory<int> info(size_t(m), stream_);
    values.upload(matrices.values.data(), matrices.values.size());
    gpu::launch(gram_kernel, int(m), n_threads, 0, stream_, values.data(), rows, cols, d.data(), g.data());
    solver().symmetric(false, n, ld, g.data(), w.data(), info.data(), m);
    std::vector<double> eigenvalues(size_t(m) * size_t(n));
    std::vector<int> failed(size_t(m), 0);
    w.download(eigenvalues.data(), eigenvalues.size());
    info.download(failed.data(), failed.size());
    for (int64_t i = 0; i < m; ++i) {
      const bool good = matrices.good[size_t(i)] && failed[size_t(i)] == 0;
      const double* const ascending = eigenvalues.data() + i * n;
      double* const to = s + (first + i) * n;
      for (int k = 0; k < n; ++k) to[k] = good ? std::sqrt(std::max(0.0, ascending[n - 1 - k])) : nan;
    }
  });
}

void CudaSpectra::eigenvalue_moduli(const float* a, int64_t count, int n, double* moduli) {
  const size_t size = size_t(n) * size_t(n);
  in_batches(count, 2 * size * sizeof(double), [&](int64_t first, int64_t m) {
    const Finite matrices(a + size_t(first) * size, m, size);
    Memory<float> values(size_t(m) * size, stream_);
    const Memory<double> d(size_t(m) * size, stream_);
    const Memory<std::complex<double>> w(size_t(m) * size_t(n), stream_);
    const Memory<int> info(size_t(m), stream_);
    values.upload(matrices.values.data(), matrices.values.size());
    gpu::launch(widen_kernel, int(std::min<size_t>(1024, (size_t(m) * size + n_threads - 1) / n_threads)), n_threads, 0,
                stream_, values.data(), d.data(), m * int64_t(size));
    solver().general(n, d.data(), w.data(), info.data(), m);
    std::vector<std::complex<double>> eigenvalues(size_t(m) * size_t(n));
    std::vector<int> failed(size_t(m), 0);
    w.download(eigenvalues.data(), eigenvalues.size());
    info.download(failed.data(), failed.size());
    for (int64_t i = 0; i < m; ++i) {
      const bool good = matrices.good[size_t(i)] && failed[size_t(i)] == 0;
      double* const to = moduli + (first + i) * n;
      for (int k = 0; k < n; ++k) to[k] = good ? std::abs(eigenvalues[size_t(i * n + k)]) : nan;
      if (good) std::sort(to, to + n, std::greater<>());
    }
  });
}

void CudaSpectra::truncate(float* a, int64_t count, int n, const int* rank) {
  for (int64_t i = 0; i < count; ++i)
    if (rank[i] < 1 || rank[i] > n)
      throw Error("rank " + std::to_string(rank[i]) + " of matrix " + std::to_string(i) +
                  " is out of range; allowed: 1 to " + std::to_string(n));
  const int ld = CtaTeam::pad<double>(n);
  const size_t size = size_t(n) * size_t(n), padded = size_t(n) * size_t(ld);
  in_batches(count, (size + 6 * padded) * sizeof(double), [&](int64_t first, int64_t m) {
    float* const batch = a + size_t(first) * size;
    Finite matrices(batch, m, size);
    Memory<float> values(size_t(m) * size, stream_);
    const size_t all = size_t(m) * padded;
    const Memory<double> d(all, stream_), g(all, stream_), w(size_t(m) * size_t(n), stream_), selected(all, stream_),
        product(all, stream_);
    Memory<int> ranks(size_t(m), stream_);
    const Memory<int> info(size_t(m), stream_);
    values.upload(matrices.values.data(), matrices.values.size());
    ranks.upload(rank + first, size_t(m));
    gpu::launch(gram_kernel, int(m), n_threads, 0, stream_, values.data(), n, n, d.data(), g.data());
    solver().symmetric(true, n, ld, g.data(), w.data(), info.data(), m);
    gpu::launch(project_kernel, int(m), n_threads, 0, stream_, values.data(), n, d.data(), g.data(), ranks.data(),
                selected.data(), product.data());
    std::vector<int> failed(size_t(m), 0);
    info.download(failed.data(), failed.size());
    values.download(matrices.values.data(), matrices.values.size());
    for (int64_t i = 0; i < m; ++i) {
      float* const to = batch + size_t(i) * size;
      if (!matrices.good[size_t(i)] || failed[size_t(i)] != 0)
        std::fill(to, to + size, float(nan));
      else if (rank[first + i] < n)
        std::copy_n(matrices.values.data() + size_t(i) * size, size, to);
    }
  });
}

}  // namespace cohort::engine

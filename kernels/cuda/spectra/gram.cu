// Singular values as square roots of the eigenvalues of the smaller Gram matrix, in double by cuSOLVER, all matrices in one
// batch. Squaring halves the digits: sigma is good to 1e-6 relative down to 1e-5 sigma_1, of which in float nothing is lost
// (a Gram matrix in float would be useless: 23 % off at n = 512). Any shape; two doubles per element of scratch.
#include <cusolverDn.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/gpu.h"
#include "cuda/spectra/methods.h"
#include "team/arena.h"
#include "team/cta.h"

COHORT_BEGIN

namespace {

constexpr int n_threads = CtaTeam::threads;

// Matrix i: wide [tall][ld], the taller way round, in double; gram [n][ld] = wide^T wide with n = min(rows, cols), its padding
// 0. A matrix that is not finite becomes 0.
__global__ void __launch_bounds__(n_threads)
    gram_kernel(const float* a, int rows, int cols, double* wide, double* gram, SpectrumStatus* status) {
  const CtaTeam team;
  const bool as_is = cols <= rows;
  const int n = as_is ? cols : rows, tall = as_is ? rows : cols, ld = CtaTeam::pad<double>(n);
  const float* const from = a + ptrdiff_t(blockIdx.x) * rows * cols;
  double* const to = wide + ptrdiff_t(blockIdx.x) * tall * ld;
  double* const g = gram + ptrdiff_t(blockIdx.x) * n * ld;
  const bool finite = team.sum<double>(rows * cols, [=](int i) { return double(from[i]) * 0; }) == 0;
  team.for_each_2d(tall, ld, [=](int r, int c) {
    to[r * ld + c] = finite && c < n ? double(from[as_is ? r * cols + c : c * cols + r]) : 0.0;
  });
  if (team.lane() == 0) status[blockIdx.x] = finite ? SpectrumStatus::ok : SpectrumStatus::not_finite;
  const Product<double> product[1] = {{to, 1, ld, to, ld, tall}};
  team.gemm(n, n, product, [=](int r, int c, double v) { g[r * ld + c] = v; });
}

// s [n] descending from eigenvalues [n] ascending, and what became of the matrix.
__global__ void __launch_bounds__(n_threads)
    roots_kernel(const double* eigenvalues, const int* info, int n, int count, float* s, SpectrumStatus* status) {
  const int64_t size = int64_t(n) * count;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += int64_t(gridDim.x) * blockDim.x) {
    const int matrix = int(i / n), k = int(i % n);
    const bool finite = status[matrix] != SpectrumStatus::not_finite;
    const double square = eigenvalues[ptrdiff_t(matrix) * n + n - 1 - k];
    s[i] = finite && info[matrix] == 0 ? float(sqrt(square > 0 ? square : 0.0)) : __int_as_float(0x7fc00000);
    if (k == 0 && finite && info[matrix] != 0) status[matrix] = SpectrumStatus::not_converged;
  }
}

void check(cusolverStatus_t status, const char* what, std::source_location at = std::source_location::current()) {
  if (status != CUSOLVER_STATUS_SUCCESS)
    throw CudaError(int(status), std::string(what) + ": cuSOLVER status " + std::to_string(int(status)) + " at " +
                                     at.file_name() + ":" + std::to_string(at.line()));
}

// cuSOLVER's state on one device. Never freed: at exit the driver may be gone already.
struct Handle {
  cusolverDnHandle_t solver = nullptr;
  cusolverDnParams_t params = nullptr;
  Handle() {
    check(cusolverDnCreate(&solver), "cuSOLVER");
    check(cusolverDnCreateParams(&params), "parameters of cuSOLVER");
  }
};
std::mutex mutex;  // a handle has one stream at a time
Handle& handle() {
  static auto* const handles = new std::map<int, Handle>;
  int device = 0;
  gpu::check(cudaGetDevice(&device), "current device");
  return (*handles)[device];
}

struct Workspace {
  int n, tall, ld;
  double *wide, *gram, *eigenvalues;
  int* info;
  unsigned char* solver;
  size_t solver_bytes = 0, host_bytes = 0;

  static Workspace carve(Arena& arena, const SvdvalsArgs<float>& a, int32_t count) {
    Workspace w;
    w.n = a.rows < a.cols ? a.rows : a.cols;
    w.tall = a.rows < a.cols ? a.cols : a.rows;
    w.ld = CtaTeam::pad<double>(w.n);
    const size_t m = size_t(count);
    w.wide = arena.take<double>(m * size_t(w.tall) * size_t(w.ld));
    w.gram = arena.take<double>(m * size_t(w.n) * size_t(w.ld));
    w.eigenvalues = arena.take<double>(m * size_t(w.n));
    w.info = arena.take<int>(m);
    if (count > 0) {
      const std::lock_guard lock(mutex);
      check(cusolverDnXsyevBatched_bufferSize(handle().solver, handle().params, CUSOLVER_EIG_MODE_NOVECTOR,
                                              CUBLAS_FILL_MODE_LOWER, w.n, CUDA_R_64F, w.gram, w.ld, CUDA_R_64F,
                                              w.eigenvalues, CUDA_R_64F, &w.solver_bytes, &w.host_bytes, count),
            "cusolverDnXsyevBatched_bufferSize");
    }
    w.solver = arena.take<unsigned char>(w.solver_bytes);
    return w;
  }
};

const char* refuses(int, int) { return nullptr; }

size_t workspace(const SvdvalsArgs<float>& a, int32_t count) {
  Arena arena(nullptr);
  Workspace::carve(arena, a, count);
  return arena.used();
}

void svdvals(const SvdvalsArgs<float>& a, const Launch& l) {
  Arena arena(l.workspace);
  const Workspace w = Workspace::carve(arena, a, l.count);
  SpectrumStatus* const status = a.status + l.first;
  gpu::launch(gram_kernel, l.count, n_threads, 0, l.stream, a.a + ptrdiff_t(l.first) * a.rows * a.cols, a.rows, a.cols,
              w.wide, w.gram, status);
  {
    const std::lock_guard lock(mutex);
    check(cusolverDnSetStream(handle().solver, l.stream), "stream of cuSOLVER");
    std::vector<unsigned char> host(w.host_bytes);
    check(cusolverDnXsyevBatched(handle().solver, handle().params, CUSOLVER_EIG_MODE_NOVECTOR, CUBLAS_FILL_MODE_LOWER,
                                 w.n, CUDA_R_64F, w.gram, w.ld, CUDA_R_64F, w.eigenvalues, CUDA_R_64F, w.solver,
                                 w.solver_bytes, host.data(), host.size(), w.info, l.count),
          "cusolverDnXsyevBatched");
    if (!host.empty()) gpu::check(cudaStreamSynchronize(l.stream), "cusolverDnXsyevBatched");  // it may still read it
  }
  const int64_t size = int64_t(l.count) * w.n;
  gpu::launch(roots_kernel, int(size / n_threads < 1024 ? size / n_threads + 1 : 1024), n_threads, 0, l.stream,
              w.eigenvalues, w.info, w.n, l.count, a.s + ptrdiff_t(l.first) * w.n, status);
}

constexpr ValuesMethod<float> method = {SvdMethod::gram, refuses, workspace, svdvals};

}  // namespace

const ValuesMethod<float>& gram_method() { return method; }

COHORT_END

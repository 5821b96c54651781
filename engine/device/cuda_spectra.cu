#include "device/cuda_spectra.h"

#include <algorithm>
#include <utility>

#include "team/target.h"

COHORT_BEGIN
namespace {

template <class From, class To>
__global__ void convert_kernel(const From* from, To* to, int64_t n) {
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += int64_t(gridDim.x) * blockDim.x)
    to[i] = To(from[i]);
}

}  // namespace
COHORT_END

namespace cohort::engine {

namespace {

constexpr int n_threads = 256;
constexpr size_t batch_bytes = size_t(256) << 20;  // of device memory that one batch of matrices takes, roughly

int n_blocks(int64_t n) { return int(std::clamp<int64_t>((n + n_threads - 1) / n_threads, 1, 1024)); }

// Device memory from a stream's pool.
template <class T>
class Memory {
 public:
  Memory(size_t n, cudaStream_t stream) : size_(n), stream_(stream) {
    if (n > 0) gpu::check(cudaMallocAsync(&data_, n * sizeof(T), stream), "memory for spectra");
  }
  Memory(Memory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(other.size_), stream_(other.stream_) {}
  Memory& operator=(Memory&&) = delete;
  ~Memory() {
    if (data_) cudaFreeAsync(data_, stream_);
  }
  T* data() const { return data_; }
  void upload(const T* from) {
    if (size_) gpu::check(cudaMemcpyAsync(data_, from, size_ * sizeof(T), cudaMemcpyHostToDevice, stream_), "upload");
  }
  // Done when it returns.
  void download(T* to) const {
    if (size_) gpu::check(cudaMemcpyAsync(to, data_, size_ * sizeof(T), cudaMemcpyDeviceToHost, stream_), "download");
    gpu::check(cudaStreamSynchronize(stream_), "spectra");
  }
  std::vector<T> download() const {
    std::vector<T> host(size_);
    download(host.data());
    return host;
  }

 private:
  T* data_ = nullptr;
  size_t size_;
  cudaStream_t stream_;
};

// f(first, count) for consecutive batches of matrices that take so many bytes each.
template <class F>
void in_batches(int64_t count, size_t bytes_each, F f) {
  const int64_t most = std::clamp<int64_t>(int64_t(batch_bytes / std::max<size_t>(bytes_each, 1)), 1, 65535);
  for (int64_t first = 0; first < count; first += most) f(first, int32_t(std::min(most, count - first)));
}

// operation(args, launch) over all matrices, as many at a time as batch_bytes allow.
template <class Args>
void all(const Args& args, size_t (*workspace)(const Args&, int32_t), void (*operation)(const Args&, const Launch&),
         cudaStream_t stream) {
  const int32_t some = std::min<int32_t>(args.n_matrices, 64);
  in_batches(args.n_matrices, workspace(args, some) / size_t(std::max(some, 1)), [&](int64_t first, int32_t count) {
    const size_t bytes = workspace(args, count);
    const Memory<unsigned char> scratch(bytes, stream);
    operation(args, {int32_t(first), count, scratch.data(), bytes, stream});
  });
}

class OnDevice final : public PendingSpectra {
 public:
  OnDevice(const float* a, int32_t count, int rows, int cols, SpectraWanted wanted, cudaStream_t stream)
      : stream_(stream),
        of_singular_(wanted.singular_values ? size_t(count) : 0, stream),
        singular_(wanted.singular_values ? size_t(count) * size_t(std::min(rows, cols)) : 0, stream),
        of_eigen_(wanted.eigenvalues ? size_t(count) : 0, stream),
        eigen_(wanted.eigenvalues ? 2 * size_t(count) * size_t(rows) : 0, stream),
        status_(size_t(count), stream) {
    const SpectraProgram<float>& program = *cuda_spectra<float>();
    if (wanted.singular_values) {
      const int k = std::min(rows, cols);
      all(SvdvalsArgs<float>{count, rows, cols, a, singular_.data(), status_.data()}, program.svdvals_workspace,
          program.svdvals, stream);
      program.spectrum_measures({.n_matrices = count, .k = k, .s = singular_.data(), .measures = of_singular_.data()},
                                {0, count, nullptr, 0, stream});
    }
    if (wanted.eigenvalues) {
      all(EigvalsArgs<float>{count, rows, a, eigen_.data(), status_.data()}, program.eigvals_workspace, program.eigvals,
          stream);
      program.eigenvalue_measures(
          {.n_matrices = count, .n = rows, .eigenvalues = eigen_.data(), .measures = of_eigen_.data()},
          {0, count, nullptr, 0, stream});
    }
  }
  // The matrices may go away now.
  ~OnDevice() override { cudaStreamSynchronize(stream_); }
  SpectraRows wait() override {
    return {of_singular_.download(), singular_.download(), of_eigen_.download(), eigen_.download()};
  }

 private:
  cudaStream_t stream_;
  Memory<SpectrumMeasures> of_singular_;
  Memory<float> singular_;
  Memory<EigenvalueMeasures> of_eigen_;
  Memory<float> eigen_;
  Memory<SpectrumStatus> status_;
};

}  // namespace

CudaSpectra::CudaSpectra(cudaStream_t stream) : stream_(stream) {
  int least = 0, greatest = 0;
  gpu::check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "priorities of streams");
  gpu::check(cudaStreamCreateWithPriority(&side_, cudaStreamNonBlocking, least), "stream of spectra");
  gpu::check(cudaEventCreateWithFlags(&before_, cudaEventDisableTiming), "event of spectra");
}
CudaSpectra::~CudaSpectra() {
  cudaStreamSynchronize(side_);
  cudaEventDestroy(before_);
  cudaStreamDestroy(side_);
}

std::unique_ptr<PendingSpectra> CudaSpectra::measure(const float* a, int64_t count, int rows, int cols,
                                                     SpectraWanted wanted) {
  if (count == 0 || rows == 0 || cols == 0) wanted = {};
  gpu::check(cudaEventRecord(before_, stream_), "what comes before spectra");
  gpu::check(cudaStreamWaitEvent(side_, before_, 0), "what comes before spectra");
  return std::make_unique<OnDevice>(a, int32_t(count), rows, cols, wanted, side_);
}

void CudaSpectra::radius(const float* a, int64_t count, int n, double* radius) {
  if (n == 0) return;
  const size_t size = size_t(n) * size_t(n);
  in_batches(count, size * sizeof(float), [&](int64_t first, int32_t m) {
    Memory<float> matrices(size_t(m) * size, stream_), result(size_t(m), stream_);
    const Memory<SpectrumStatus> status(size_t(m), stream_);
    matrices.upload(a + size_t(first) * size);
    const SpectraProgram<float>& program = *cuda_spectra<float>();
    all(SpectralRadiusArgs<float>{m, n, matrices.data(), result.data(), status.data()},
        program.spectral_radius_workspace, program.spectral_radius, stream_);
    const std::vector<float> host = result.download();
    std::copy(host.begin(), host.end(), radius + first);
  });
}

void CudaSpectra::low_rank(float* a, int64_t count, int n, const LowRankArgs<double>& how) {
  check_ranks(how.rank, count, n);
  if (n == 0) return;
  const size_t size = size_t(n) * size_t(n);
  in_batches(count, size * (sizeof(float) + sizeof(double)), [&](int64_t first, int32_t m) {
    const size_t all_size = size_t(m) * size;
    Memory<float> matrices(all_size, stream_);
    const Memory<double> in_double(all_size, stream_);
    Memory<int32_t> rank(size_t(m), stream_);
    Memory<uint64_t> seed(how.seed ? size_t(m) : 0, stream_);
    const Memory<SpectrumStatus> status(size_t(m), stream_);
    matrices.upload(a + size_t(first) * size);
    rank.upload(how.rank + first);
    if (how.seed) seed.upload(how.seed + first);
    gpu::launch(convert_kernel<float, double>, n_blocks(int64_t(all_size)), n_threads, 0, stream_, matrices.data(),
                in_double.data(), int64_t(all_size));
    LowRankArgs<double> args = how;
    args.n_matrices = m;
    args.rows = args.cols = n;
    args.a = in_double.data();
    args.rank = rank.data();
    args.seed = how.seed ? seed.data() : nullptr;
    args.status = status.data();
    const SpectraProgram<double>& program = *cuda_spectra<double>();
    all(args, program.low_rank_workspace, program.low_rank, stream_);
    gpu::launch(convert_kernel<double, float>, n_blocks(int64_t(all_size)), n_threads, 0, stream_, in_double.data(),
                matrices.data(), int64_t(all_size));
    matrices.download(a + size_t(first) * size);
  });
}

void CudaSpectra::transplant(float* a, const float* values, int64_t count, int rows, int cols) {
  const size_t size = size_t(rows) * size_t(cols);
  if (size == 0) return;
  in_batches(count, 2 * size * (sizeof(float) + sizeof(double)), [&](int64_t first, int32_t m) {
    const size_t all_size = size_t(m) * size;
    const auto in_double = [&](const float* from, Memory<float>& host) {
      Memory<double> matrices(all_size, stream_);
      host.upload(from + size_t(first) * size);
      gpu::launch(convert_kernel<float, double>, n_blocks(int64_t(all_size)), n_threads, 0, stream_, host.data(),
                  matrices.data(), int64_t(all_size));
      return matrices;
    };
    Memory<float> matrices(all_size, stream_), donors(all_size, stream_);
    const Memory<double> vectors = in_double(a, matrices), spectra = in_double(values, donors);
    const Memory<SpectrumStatus> status(size_t(m), stream_);
    const SpectraProgram<double>& program = *cuda_spectra<double>();
    all(TransplantArgs<double>{m, rows, cols, vectors.data(), spectra.data(), vectors.data(), status.data()},
        program.transplant_workspace, program.transplant, stream_);
    gpu::launch(convert_kernel<double, float>, n_blocks(int64_t(all_size)), n_threads, 0, stream_, vectors.data(),
                matrices.data(), int64_t(all_size));
    matrices.download(a + size_t(first) * size);
  });
}

}  // namespace cohort::engine

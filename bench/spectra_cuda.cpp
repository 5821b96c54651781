// The part of bench_spectra that needs a card: every method of CUDA's spectra beside what cuSOLVER offers for batches. Skipped, with
// the reason, without one.
#include <benchmark/benchmark.h>
#include <cuda_runtime.h>
#include <cusolverDn.h>

#include <functional>
#include <string>
#include <vector>

#include "cohort/error.h"
#include "cohort/spectra.h"
#include "cuda/gpu.h"
#include "spectra_cases.h"

namespace {

using namespace cohort;

template <class T>
class Memory {
 public:
  explicit Memory(size_t n) { gpu::check(cudaMalloc(&data_, (n ? n : 1) * sizeof(T)), "memory of a benchmark"); }
  explicit Memory(const std::vector<T>& host) : Memory(host.size()) {
    gpu::check(cudaMemcpy(data_, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice), "upload");
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { cudaFree(data_); }
  T* data() const { return static_cast<T*>(data_); }

 private:
  void* data_ = nullptr;
};

void check(cusolverStatus_t status, const char* what) {
  if (status != CUSOLVER_STATUS_SUCCESS)
    throw CudaError(int(status), std::string(what) + ": cuSOLVER status " + std::to_string(int(status)));
}

// Matrices of a case on the device.
struct Case {
  int n, batch;
  Memory<float> a, s;
  Memory<SpectrumStatus> status;
  explicit Case(benchmark::State& state)
      : n(int(state.range(0))),
        batch(int(state.range(1))),
        a(bench::gaussian<float>(batch, n)),
        s(size_t(batch) * size_t(n)),
        status(size_t(batch)) {}
};

// Times enqueue(stream) by events after one run for warming up.
void timed(benchmark::State& state, int batch, const std::function<void(cudaStream_t)>& enqueue) {
  cudaStream_t stream;
  cudaEvent_t begin, end;
  gpu::check(cudaStreamCreate(&stream), "stream");
  gpu::check(cudaEventCreate(&begin), "event");
  gpu::check(cudaEventCreate(&end), "event");
  enqueue(stream);
  gpu::check(cudaStreamSynchronize(stream), "warming up");
  for (auto _ : state) {
    float ms = 0;
    gpu::check(cudaEventRecord(begin, stream), "event");
    enqueue(stream);
    gpu::check(cudaEventRecord(end, stream), "event");
    gpu::check(cudaEventSynchronize(end), "a benchmark");
    gpu::check(cudaEventElapsedTime(&ms, begin, end), "time");
    state.SetIterationTime(double(ms) * 1e-3);
  }
  state.SetItemsProcessed(state.iterations() * batch);
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  cudaStreamDestroy(stream);
}

void guarded(benchmark::State& state, const std::function<void()>& body) {
  int n_devices = 0;
  if (cudaGetDeviceCount(&n_devices) != cudaSuccess || n_devices == 0) {
    cudaGetLastError();
    state.SkipWithError("no CUDA device");
    return;
  }
  try {
    body();
  } catch (const std::exception& e) {
    state.SkipWithError(e.what());
  }
}

void svdvals(benchmark::State& state, SvdMethod method) {
  guarded(state, [&] {
    const Case c(state);
    const SpectraProgram<float>& program = *cuda_spectra<float>();
    const SvdvalsArgs<float> args{c.batch, c.n, c.n, c.a.data(), c.s.data(), c.status.data(), method};
    const size_t bytes = program.svdvals_workspace(args, c.batch);
    const Memory<unsigned char> workspace(bytes);
    timed(state, c.batch, [&](cudaStream_t stream) {
      program.svdvals(args, {0, c.batch, workspace.data(), bytes, stream});
    });
  });
}
void svd(benchmark::State& state) {
  guarded(state, [&] {
    const Case c(state);
    const size_t size = size_t(c.batch) * size_t(c.n) * size_t(c.n);
    const Memory<float> u(size), v(size);
    const SpectraProgram<float>& program = *cuda_spectra<float>();
    const SvdArgs<float> args{c.batch, c.n, c.n, c.a.data(), u.data(), c.s.data(), v.data(), c.status.data()};
    const size_t bytes = program.svd_workspace(args, c.batch);
    const Memory<unsigned char> workspace(bytes);
    timed(state, c.batch, [&](cudaStream_t stream) {
      program.svd(args, {0, c.batch, workspace.data(), bytes, stream});
    });
  });
}
void eigvals(benchmark::State& state) {
  guarded(state, [&] {
    const Case c(state);
    const Memory<float> values(2 * size_t(c.batch) * size_t(c.n));
    const SpectraProgram<float>& program = *cuda_spectra<float>();
    const EigvalsArgs<float> args{c.batch, c.n, c.a.data(), values.data(), c.status.data()};
    const size_t bytes = program.eigvals_workspace(args, c.batch);
    const Memory<unsigned char> workspace(bytes);
    timed(state, c.batch, [&](cudaStream_t stream) {
      program.eigvals(args, {0, c.batch, workspace.data(), bytes, stream});
    });
  });
}
// The first run leaves matrices of that rank behind, so later ones cut matrices that are cut already: the same work.
void low_rank(benchmark::State& state, LowRankMethod method) {
  guarded(state, [&] {
    const Case c(state);
    const Memory<int32_t> rank(std::vector<int32_t>(size_t(c.batch), std::max(1, c.n / 10)));
    const Memory<uint64_t> seed(std::vector<uint64_t>(size_t(c.batch), 1));
    const SpectraProgram<float>& program = *cuda_spectra<float>();
    const LowRankArgs<float> args{.n_matrices = c.batch,
                                  .rows = c.n,
                                  .cols = c.n,
                                  .a = c.a.data(),
                                  .rank = rank.data(),
                                  .status = c.status.data(),
                                  .method = method,
                                  .seed = seed.data()};
    const size_t bytes = program.low_rank_workspace(args, c.batch);
    const Memory<unsigned char> workspace(bytes);
    timed(state, c.batch, [&](cudaStream_t stream) {
      program.low_rank(args, {0, c.batch, workspace.data(), bytes, stream});
    });
  });
}

// ---- cuSOLVER's, values only; its matrices are destroyed, so each run works on the last one's remains: the same work
struct Solver {
  cusolverDnHandle_t handle = nullptr;
  gesvdjInfo_t jacobi = nullptr;
  Solver() {
    check(cusolverDnCreate(&handle), "cuSOLVER");
    check(cusolverDnCreateGesvdjInfo(&jacobi), "gesvdj");
  }
  Solver(const Solver&) = delete;
  Solver& operator=(const Solver&) = delete;
  ~Solver() {
    cusolverDnDestroyGesvdjInfo(jacobi);
    cusolverDnDestroy(handle);
  }
};
void gesvdj_batched(benchmark::State& state) {
  guarded(state, [&] {
    const Case c(state);
    const Solver solver;
    const Memory<int> info(static_cast<size_t>(c.batch));
    const size_t size = size_t(c.batch) * size_t(c.n) * size_t(c.n);
    const Memory<float> u(size), v(size);
    int n_work = 0;
    check(
        cusolverDnSgesvdjBatched_bufferSize(solver.handle, CUSOLVER_EIG_MODE_NOVECTOR, c.n, c.n, c.a.data(), c.n,
                                            c.s.data(), u.data(), c.n, v.data(), c.n, &n_work, solver.jacobi, c.batch),
        "gesvdjBatched");
    const Memory<float> work(static_cast<size_t>(n_work));
    timed(state, c.batch, [&](cudaStream_t stream) {
      check(cusolverDnSetStream(solver.handle, stream), "stream");
      check(cusolverDnSgesvdjBatched(solver.handle, CUSOLVER_EIG_MODE_NOVECTOR, c.n, c.n, c.a.data(), c.n, c.s.data(),
                                     u.data(), c.n, v.data(), c.n, work.data(), n_work, info.data(), solver.jacobi,
                                     c.batch),
            "gesvdjBatched");
    });
  });
}
void gesvda_batched(benchmark::State& state) {
  guarded(state, [&] {
    const Case c(state);
    const Solver solver;
    const Memory<int> info(static_cast<size_t>(c.batch));
    const long long area = (long long)(c.n) * c.n;
    const Memory<float> u(size_t(c.batch) * size_t(area)), v(size_t(c.batch) * size_t(area));
    int n_work = 0;
    check(cusolverDnSgesvdaStridedBatched_bufferSize(solver.handle, CUSOLVER_EIG_MODE_NOVECTOR, c.n, c.n, c.n,
                                                     c.a.data(), c.n, area, c.s.data(), c.n, u.data(), c.n, area,
                                                     v.data(), c.n, area, &n_work, c.batch),
          "gesvdaStridedBatched");
    const Memory<float> work(static_cast<size_t>(n_work));
    timed(state, c.batch, [&](cudaStream_t stream) {
      check(cusolverDnSetStream(solver.handle, stream), "stream");
      check(cusolverDnSgesvdaStridedBatched(solver.handle, CUSOLVER_EIG_MODE_NOVECTOR, c.n, c.n, c.n, c.a.data(), c.n,
                                            area, c.s.data(), c.n, u.data(), c.n, area, v.data(), c.n, area,
                                            work.data(), n_work, info.data(), nullptr, c.batch),
            "gesvdaStridedBatched");
    });
  });
}

void sizes(benchmark::internal::Benchmark* b) {
  for (const int n : {16, 32, 64, 128, 256, 512})
    for (const int batch : {1, 100, 10'000}) b->Args({n, batch});
  b->ArgNames({"n", "batch"})->UseManualTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(svdvals, automatic, SvdMethod::automatic)->Name("cuda/svdvals/cohort")->Apply(sizes);
BENCHMARK_CAPTURE(svdvals, bidiagonal, SvdMethod::bidiagonal)->Name("cuda/svdvals/cohort-bidiagonal")->Apply(sizes);
BENCHMARK_CAPTURE(svdvals, jacobi, SvdMethod::jacobi)->Name("cuda/svdvals/cohort-jacobi")->Apply(sizes);
BENCHMARK_CAPTURE(svdvals, gram, SvdMethod::gram)->Name("cuda/svdvals/cohort-gram")->Apply(sizes);
BENCHMARK(gesvdj_batched)->Name("cuda/svdvals/gesvdjBatched")->Apply(sizes);
BENCHMARK(gesvda_batched)->Name("cuda/svdvals/gesvdaStridedBatched")->Apply(sizes);
BENCHMARK(svd)->Name("cuda/svd/cohort")->Apply(sizes);
BENCHMARK(eigvals)->Name("cuda/eigvals/cohort")->Apply(sizes);
BENCHMARK_CAPTURE(low_rank, svd, LowRankMethod::svd)->Name("cuda/low_rank/cohort")->Apply(sizes)->Args({300, 1000});
BENCHMARK_CAPTURE(low_rank, finder, LowRankMethod::range_finder)
    ->Name("cuda/low_rank/cohort-range-finder")
    ->Apply(sizes)
    ->Args({300, 1000});

}  // namespace

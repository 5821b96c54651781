// How many matrices a second? On the CPU: the rows of cohort/spectra.h over all cores and on one, beside LAPACK called in a
// plain loop on one core. On a card (where CUDA is built): every method beside what cuSOLVER offers (spectra_cuda.cu). bench/spectra
// puts PyTorch and CuPy beside them. items/s are matrices a second; case names are operation/system/n/batch.
#include "cohort/spectra.h"

#include <benchmark/benchmark.h>
#include <cblas.h>
#include <lapacke.h>

#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "cohort/error.h"
#include "device/blas.h"
#include "device/device.h"
#include "device/device_array.h"
#include "device/parallel.h"
#include "runner/networks.h"
#include "spectra_cases.h"

namespace {

using namespace cohort;
using bench::gaussian;

const int n_cores = int(std::max(1u, std::thread::hardware_concurrency()));

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Scratch = std::unique_ptr<void, Free>;

// operation over all matrices by n_threads threads, a few matrices at a time.
template <class Args>
void over_threads(int n_threads, const Args& args, size_t (*workspace)(const Args&, int32_t),
                  void (*operation)(const Args&, const Launch&), std::vector<Scratch>& scratch) {
  const size_t bytes = (workspace(args, 1) + 255) / 256 * 256;
  scratch.resize(size_t(n_threads));
  const int32_t piece = std::max(1, std::min(16, args.n_matrices / n_threads / 4));
  engine::parallel_for(n_threads, (args.n_matrices + piece - 1) / piece, [&](int64_t i, int worker) {
    if (!scratch[size_t(worker)]) scratch[size_t(worker)].reset(std::aligned_alloc(256, bytes));
    const int32_t first = int32_t(i) * piece;
    operation(args, {first, std::min(piece, args.n_matrices - first), scratch[size_t(worker)].get(), bytes, nullptr});
  });
}
void count(benchmark::State& state, int batch) { state.SetItemsProcessed(state.iterations() * batch); }

// ---- singular values
template <class Real>
void svdvals(benchmark::State& state, int n_threads) {
  const int n = int(state.range(0)), batch = int(state.range(1));
  engine::single_threaded_blas();
  const std::vector<Real> a = gaussian<Real>(batch, n);
  std::vector<Real> s(size_t(batch) * size_t(n));
  std::vector<SpectrumStatus> status(static_cast<size_t>(batch));
  std::vector<Scratch> scratch;
  const auto* const program = cpu_spectra<Real>();
  for (auto _ : state)
    over_threads(n_threads, SvdvalsArgs<Real>{batch, n, n, a.data(), s.data(), status.data()},
                 program->svdvals_workspace, program->svdvals, scratch);
  count(state, batch);
}
int gesdd(int n, float* a, float* s, float* work, int n_work, lapack_int* iwork) {
  return LAPACKE_sgesdd_work(LAPACK_COL_MAJOR, 'N', n, n, a, n, s, nullptr, n, nullptr, n, work, n_work, iwork);
}
int gesdd(int n, double* a, double* s, double* work, int n_work, lapack_int* iwork) {
  return LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, 'N', n, n, a, n, s, nullptr, n, nullptr, n, work, n_work, iwork);
}
// The peer: one core, everything but the copy that gesdd destroys outside of the loop.
template <class Real>
void lapack(benchmark::State& state) {
  const int n = int(state.range(0)), batch = int(state.range(1));
  engine::single_threaded_blas();
  const std::vector<Real> a = gaussian<Real>(batch, n);
  std::vector<Real> copy(size_t(n) * size_t(n)), s(size_t(batch) * size_t(n));
  std::vector<lapack_int> iwork(8 * size_t(n));
  Real size = 0;
  gesdd(n, copy.data(), s.data(), &size, -1, iwork.data());
  std::vector<Real> work(size_t(size) + 1);
  for (auto _ : state)
    for (int i = 0; i < batch; ++i) {
      std::copy_n(a.begin() + ptrdiff_t(i) * n * n, n * n, copy.begin());
      gesdd(n, copy.data(), s.data() + ptrdiff_t(i) * n, work.data(), int(work.size()), iwork.data());
    }
  count(state, batch);
}

void svdvals_float(benchmark::State& state, int n_threads) { svdvals<float>(state, n_threads); }
void svdvals_double(benchmark::State& state, int n_threads) { svdvals<double>(state, n_threads); }

// ---- the other operations, on all cores
void eigvals(benchmark::State& state) {
  const int n = int(state.range(0)), batch = int(state.range(1));
  engine::single_threaded_blas();
  const std::vector<float> a = gaussian<float>(batch, n);
  std::vector<float> values(2 * size_t(batch) * size_t(n));
  std::vector<SpectrumStatus> status(static_cast<size_t>(batch));
  std::vector<Scratch> scratch;
  for (auto _ : state)
    over_threads(n_cores, EigvalsArgs<float>{batch, n, a.data(), values.data(), status.data()},
                 cpu_spectra<float>()->eigvals_workspace, cpu_spectra<float>()->eigvals, scratch);
  count(state, batch);
}
void radius(benchmark::State& state) {
  const int n = int(state.range(0)), batch = int(state.range(1));
  engine::single_threaded_blas();
  const std::vector<float> a = gaussian<float>(batch, n);
  std::vector<float> values(static_cast<size_t>(batch));
  std::vector<SpectrumStatus> status(static_cast<size_t>(batch));
  std::vector<Scratch> scratch;
  for (auto _ : state)
    over_threads(n_cores, SpectralRadiusArgs<float>{batch, n, a.data(), values.data(), status.data()},
                 cpu_spectra<float>()->spectral_radius_workspace, cpu_spectra<float>()->spectral_radius, scratch);
  count(state, batch);
}
// A tenth of the rank, rescaled to the norm.
void low_rank(benchmark::State& state, LowRankMethod method) {
  const int n = int(state.range(0)), batch = int(state.range(1));
  engine::single_threaded_blas();
  const std::vector<float> start = gaussian<float>(batch, n);
  std::vector<float> a;
  const std::vector<int32_t> rank(size_t(batch), std::max(1, n / 10));
  std::vector<uint64_t> seed(size_t(batch), 1);
  std::vector<SpectrumStatus> status(static_cast<size_t>(batch));
  std::vector<Scratch> scratch;
  for (auto _ : state) {
    state.PauseTiming();
    a = start;
    state.ResumeTiming();
    over_threads(n_cores,
                 LowRankArgs<float>{.n_matrices = batch,
                                    .rows = n,
                                    .cols = n,
                                    .a = a.data(),
                                    .rank = rank.data(),
                                    .status = status.data(),
                                    .method = method,
                                    .seed = seed.data()},
                 cpu_spectra<float>()->low_rank_workspace, cpu_spectra<float>()->low_rank, scratch);
  }
  count(state, batch);
}

// ---- alignment of the tangent kernels of networks with those of their starts, as Liu et al. (ICLR 2024) take it: n units, 8 steps,
// 3 inputs and outputs, 32 trials, every step. items/s are networks a second.
void kernel_alignment(benchmark::State& state, const char* which, TangentForm form) {
  const int n = int(state.range(0)), batch = int(state.range(1));
  std::unique_ptr<engine::Device> device;
  try {
    device = engine::open_device(which, 0);
  } catch (const CudaError& e) {
    state.SkipWithError(e.what());
    return;
  }
  engine::ResolvedNetwork network;
  network.signature = {.n_in = 3, .n_hidden = n, .n_out = 3, .n_inhibitory = 0, .batch = 32, .n_steps = 8};
  network.spec.activation = ActivationId::relu;
  network.spec.init.gain = 1.25;
  const double task[] = {7, 0.1, 1, 1};
  std::copy(std::begin(task), std::end(task), network.spec.task.param);
  std::vector<engine::ResolvedNetwork> resolved(size_t(batch), network);
  for (size_t i = 0; i < resolved.size(); ++i) resolved[i].spec.seed = i;
  const engine::Networks networks(*device, resolved, {});
  const engine::DeviceArray<float> start = networks.start(0, batch);
  engine::DeviceArray<TangentSums> sums(*device, size_t(batch));
  TangentArgs<float> args{networks.view(),     start.data(), 32,
                          recurrent_tensor(0), sums.data(),  networks.loss_steps(0, batch)};
  args.form = form;
  for (auto _ : state) device->run(args);
  count(state, batch);
}

// Sizes x batches, as far as a CPU does them in seconds.
void sizes(benchmark::internal::Benchmark* b) {
  for (const int n : {16, 32, 64, 128, 256, 512})
    for (const int batch : {1, 100, 10'000})
      if (double(batch) * n * n * n < 1.5e10) b->Args({n, batch});
  b->ArgNames({"n", "batch"})->UseRealTime()->Unit(benchmark::kMillisecond);
}
void some(benchmark::internal::Benchmark* b) {
  for (const int n : {16, 32, 64, 128, 256}) b->Args({n, n < 128 ? 512 : 64});
  b->ArgNames({"n", "batch"})->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(svdvals_float, cohort, n_cores)->Name("svdvals/cohort")->Apply(sizes)->Apply(some);
BENCHMARK_CAPTURE(svdvals_float, one_core, 1)->Name("svdvals/cohort-one-core")->Apply(some);
BENCHMARK(lapack<float>)->Name("svdvals/lapack-one-core")->Apply(some);
BENCHMARK_CAPTURE(svdvals_double, one_core, 1)->Name("svdvals-double/cohort-one-core")->Apply(some);
BENCHMARK(lapack<double>)->Name("svdvals-double/lapack-one-core")->Apply(some);
BENCHMARK_CAPTURE(svdvals_double, all_cores, n_cores)->Name("svdvals-double/cohort")->Apply(some);
BENCHMARK(eigvals)->Name("eigvals/cohort")->Apply(some);
BENCHMARK(radius)->Name("spectral_radius/cohort")->Apply(some);
BENCHMARK_CAPTURE(low_rank, svd, LowRankMethod::svd)->Name("low_rank/cohort")->Apply(some)->Args({300, 32});
BENCHMARK_CAPTURE(low_rank, finder, LowRankMethod::range_finder)
    ->Name("low_rank/cohort-range-finder")
    ->Apply(some)
    ->Args({300, 32});
BENCHMARK_CAPTURE(kernel_alignment, cohort, "cpu", TangentForm::cheaper)
    ->Name("kernel_alignment/cohort")
    ->ArgNames({"n", "batch"})
    ->Args({300, 8})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(kernel_alignment, cuda, "cuda", TangentForm::cheaper)
    ->Name("cuda/kernel_alignment/cohort")
    ->ArgNames({"n", "batch"})
    ->Args({300, 1000})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(kernel_alignment, columns, "cpu", TangentForm::columns)
    ->Name("kernel_alignment/cohort-columns")
    ->ArgNames({"n", "batch"})
    ->Args({300, 4})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

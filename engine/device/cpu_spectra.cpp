#include "device/cpu_spectra.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <new>

#include "device/blas.h"
#include "device/parallel.h"

namespace cohort::engine {
namespace {

// Memory on a cache line of its own. Equal alignment in every worker keeps results the same wherever BLAS kernels treat
// unaligned heads apart.
class Aligned {
 public:
  Aligned() = default;
  explicit Aligned(size_t bytes) : data_(std::aligned_alloc(line, (std::max(bytes, line) + line - 1) / line * line)) {
    if (!data_) throw std::bad_alloc();
  }
  void* get() const { return data_.get(); }
  double* doubles() const { return static_cast<double*>(data_.get()); }

 private:
  static constexpr size_t line = 256;
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> data_;
};

// What a worker keeps: one matrix in double, its results, and scratch.
struct Worker {
  Aligned matrix, results, scratch;
  Worker(size_t matrix_size, size_t n_results, size_t scratch_bytes)
      : matrix(matrix_size * sizeof(double)), results(n_results * sizeof(double)), scratch(scratch_bytes) {}
};

// body(index, worker) for every index; each worker is made when it gets its first index.
void for_each_with(int n_threads, int64_t count, const std::function<std::unique_ptr<Worker>()>& make,
                   const std::function<void(int64_t, Worker&)>& body) {
  std::vector<std::unique_ptr<Worker>> workers(size_t(std::max(n_threads, 1)));
  parallel_for(n_threads, count, [&](int64_t index, int worker) {
    std::unique_ptr<Worker>& mine = workers[size_t(worker)];
    if (!mine) mine = make();
    body(index, *mine);
  });
}

class Done final : public PendingSpectra {
 public:
  SpectraRows rows;
  SpectraRows wait() override { return std::move(rows); }
};

const SpectraProgram<double>& program() { return *cpu_spectra<double>(); }
Launch one(const Aligned& scratch, size_t bytes) { return {0, 1, scratch.get(), bytes, nullptr}; }

}  // namespace

CpuSpectra::CpuSpectra(int n_threads) : n_threads_(n_threads) { single_threaded_blas(); }

std::unique_ptr<PendingSpectra> CpuSpectra::measure(const float* a, int64_t count, int rows, int cols,
                                                    SpectraWanted wanted) {
  single_threaded_blas();
  auto done = std::make_unique<Done>();
  SpectraRows& out = done->rows;
  const size_t size = size_t(rows) * size_t(cols), k = size_t(std::min(rows, cols)), n = size_t(count);
  if (size == 0 || !(wanted.singular_values || wanted.eigenvalues)) return done;
  SvdvalsArgs<double> values{.n_matrices = 1, .rows = rows, .cols = cols};
  EigvalsArgs<double> eigen{.n_matrices = 1, .n = rows};
  if (wanted.singular_values) {
    out.of_singular_values.resize(n);
    out.singular_values.resize(n * k);
  }
  if (wanted.eigenvalues) {
    out.of_eigenvalues.resize(n);
    out.eigenvalues.resize(2 * n * k);
  }
  const size_t bytes = std::max(wanted.singular_values ? program().svdvals_workspace(values, 1) : 0,
                                wanted.eigenvalues ? program().eigvals_workspace(eigen, 1) : 0);
  for_each_with(
      n_threads_, count, [&] { return std::make_unique<Worker>(size, 2 * k, bytes); },
      [&](int64_t i, Worker& w) {
        const float* const matrix = a + size_t(i) * size;
        double* const results = w.results.doubles();
        SpectrumStatus status;
        std::copy(matrix, matrix + size, w.matrix.doubles());
        if (wanted.singular_values) {
          SvdvalsArgs<double> args = values;
          args.a = w.matrix.doubles();
          args.s = results;
          args.status = &status;
          program().svdvals(args, one(w.scratch, bytes));
          program().spectrum_measures(
              {.n_matrices = 1, .k = int(k), .s = results, .measures = &out.of_singular_values[size_t(i)]}, {0, 1});
          std::transform(results, results + k, &out.singular_values[size_t(i) * k], [](double x) { return float(x); });
        }
        if (wanted.eigenvalues) {
          EigvalsArgs<double> args = eigen;
          args.a = w.matrix.doubles();
          args.eigenvalues = results;
          args.status = &status;
          program().eigvals(args, one(w.scratch, bytes));
          program().eigenvalue_measures(
              {.n_matrices = 1, .n = rows, .eigenvalues = results, .measures = &out.of_eigenvalues[size_t(i)]}, {0, 1});
          std::transform(results, results + 2 * k, &out.eigenvalues[size_t(i) * 2 * k],
                         [](double x) { return float(x); });
        }
      });
  return done;
}

void CpuSpectra::radius(const float* a, int64_t count, int n, double* radius) {
  single_threaded_blas();
  if (n == 0) return;
  const size_t size = size_t(n) * size_t(n);
  const SpectralRadiusArgs<double> shape{.n_matrices = 1, .n = n};
  const size_t bytes = program().spectral_radius_workspace(shape, 1);
  for_each_with(
      n_threads_, count, [&] { return std::make_unique<Worker>(size, 0, bytes); },
      [&](int64_t i, Worker& w) {
        const float* const matrix = a + size_t(i) * size;
        std::copy(matrix, matrix + size, w.matrix.doubles());
        SpectrumStatus status;
        SpectralRadiusArgs<double> args = shape;
        args.a = w.matrix.doubles();
        args.radius = radius + i;
        args.status = &status;
        program().spectral_radius(args, one(w.scratch, bytes));
      });
}

void CpuSpectra::low_rank(float* a, int64_t count, int n, const LowRankArgs<double>& how) {
  check_ranks(how.rank, count, n);
  single_threaded_blas();
  if (n == 0) return;
  const size_t size = size_t(n) * size_t(n);
  LowRankArgs<double> shape = how;
  shape.n_matrices = 1;
  shape.rows = shape.cols = n;
  const size_t bytes = program().low_rank_workspace(shape, 1);
  for_each_with(
      n_threads_, count, [&] { return std::make_unique<Worker>(size, 0, bytes); },
      [&](int64_t i, Worker& w) {
        float* const matrix = a + size_t(i) * size;
        double* const in_double = w.matrix.doubles();
        std::copy(matrix, matrix + size, in_double);
        SpectrumStatus status;
        LowRankArgs<double> args = shape;
        args.a = in_double;
        args.rank = how.rank + i;
        args.seed = how.seed ? how.seed + i : nullptr;
        args.status = &status;
        program().low_rank(args, one(w.scratch, bytes));
        std::transform(in_double, in_double + size, matrix, [](double x) { return float(x); });
      });
}

void CpuSpectra::transplant(float* a, const float* values, int64_t count, int rows, int cols) {
  single_threaded_blas();
  const size_t size = size_t(rows) * size_t(cols);
  if (size == 0) return;
  const TransplantArgs<double> shape{.n_matrices = 1, .rows = rows, .cols = cols};
  const size_t bytes = program().transplant_workspace(shape, 1);
  for_each_with(
      n_threads_, count, [&] { return std::make_unique<Worker>(size, size, bytes); },
      [&](int64_t i, Worker& w) {
        float* const matrix = a + size_t(i) * size;
        const float* const donor = values + size_t(i) * size;
        std::copy(matrix, matrix + size, w.matrix.doubles());
        std::copy(donor, donor + size, w.results.doubles());
        SpectrumStatus status;
        TransplantArgs<double> args = shape;
        args.vectors = w.matrix.doubles();
        args.values = w.results.doubles();
        args.out = w.matrix.doubles();
        args.status = &status;
        program().transplant(args, one(w.scratch, bytes));
        std::transform(args.out, args.out + size, matrix, [](double x) { return float(x); });
      });
}

}  // namespace cohort::engine

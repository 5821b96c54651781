#include "device/lapack_spectra.h"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "cohort/error.h"
#include "device/blas.h"
#include "device/parallel.h"

namespace cohort::engine {
namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

// Doubles on cache lines of their own. Equal alignment in every worker keeps results the same wherever BLAS kernels
// treat unaligned heads apart.
class AlignedDoubles {
 public:
  static constexpr size_t line = 64;
  explicit AlignedDoubles(size_t size)
      : data_(static_cast<double*>(
            std::aligned_alloc(line, std::max((size * sizeof(double) + line - 1) / line * line, line)))) {
    if (!data_) throw std::bad_alloc();
  }
  double* get() const { return data_.get(); }

 private:
  struct Free {
    void operator()(double* memory) const { std::free(memory); }
  };
  std::unique_ptr<double[], Free> data_;
};

bool all_finite(const float* a, size_t size) {
  return std::all_of(a, a + size, [](float value) { return std::isfinite(value); });
}

// LAPACK's verdict: a wrong argument is a bug of this file, a failed iteration (> 0) is the matrix's.
bool converged(const char* routine, lapack_int info) {
  if (info < 0) throw std::logic_error(std::string(routine) + ": argument " + std::to_string(-info) + " is wrong");
  return info == 0;
}

// Scratch for one n_rows x n_cols singular value decomposition; vectors only for square matrices.
// A row-major matrix read as column-major is its transpose, which has the same singular values and, with U and V
// exchanged, the same truncations.
class Svd {
 public:
  Svd(int rows, int cols, bool vectors)
      : m_(cols),
        n_(rows),
        job_(vectors ? 'S' : 'N'),
        matrix_(size_t(rows) * size_t(cols)),
        s_(size_t(std::min(rows, cols))),
        u_(vectors ? matrix_size() : 1),
        vt_(vectors ? matrix_size() : 1),
        iwork_(8 * size_t(std::min(rows, cols))),
        n_work_(work_size()),
        work_(size_t(n_work_)) {}

  // False if the iteration fails.
  bool operator()(const float* a) {
    std::copy(a, a + matrix_size(), matrix_.get());
    return converged("dgesdd", call(work_.get(), n_work_));
  }
  const double* values() const { return s_.get(); }

  // After a decomposition with vectors: the leading r triplets summed up, row-major.
  void rebuild(int r, float* out) {
    for (int k = 0; k < r; ++k) cblas_dscal(m_, s_.get()[k], u_.get() + size_t(k) * size_t(m_), 1);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m_, n_, r, 1.0, u_.get(), m_, vt_.get(), n_, 0.0,
                matrix_.get(), m_);
    std::transform(matrix_.get(), matrix_.get() + matrix_size(), out, [](double value) { return float(value); });
  }

 private:
  size_t matrix_size() const { return size_t(m_) * size_t(n_); }
  lapack_int work_size() {
    double size = 0;
    converged("dgesdd", call(&size, -1));
    return lapack_int(size);
  }
  lapack_int call(double* work, lapack_int n_work) {
    const lapack_int ld_vt = job_ == 'N' ? 1 : n_;
    return LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, job_, m_, n_, matrix_.get(), m_, s_.get(), u_.get(), m_, vt_.get(),
                               ld_vt, work, n_work, iwork_.data());
  }

  lapack_int m_, n_;
  char job_;
  AlignedDoubles matrix_, s_, u_, vt_;
  std::vector<lapack_int> iwork_;
  lapack_int n_work_;
  AlignedDoubles work_;
};

// Scratch for the eigenvalues of one n x n matrix.
class Eigenvalues {
 public:
  explicit Eigenvalues(int n)
      : n_(n), matrix_(matrix_size()), re_(size_t(n)), im_(size_t(n)), n_work_(work_size()), work_(size_t(n_work_)) {}

  bool operator()(const float* a) {
    std::copy(a, a + matrix_size(), matrix_.get());
    return converged("dgeev", call(work_.get(), n_work_));
  }
  double modulus(int i) const { return std::hypot(re_.get()[i], im_.get()[i]); }

 private:
  size_t matrix_size() const { return size_t(n_) * size_t(n_); }
  lapack_int work_size() {
    double size = 0;
    converged("dgeev", call(&size, -1));
    return lapack_int(size);
  }
  lapack_int call(double* work, lapack_int n_work) {
    return LAPACKE_dgeev_work(LAPACK_COL_MAJOR, 'N', 'N', n_, matrix_.get(), n_, re_.get(), im_.get(), nullptr, 1,
                              nullptr, 1, work, n_work);
  }

  lapack_int n_;
  AlignedDoubles matrix_, re_, im_;
  lapack_int n_work_;
  AlignedDoubles work_;
};

// body(index, scratch) for every index; each worker makes its scratch when it gets its first index.
template <class Scratch>
void for_each_with(int n_threads, int64_t count, const std::function<std::unique_ptr<Scratch>()>& make,
                   const std::function<void(int64_t, Scratch&)>& body) {
  std::vector<std::unique_ptr<Scratch>> scratch(size_t(std::max(n_threads, 1)));
  parallel_for(n_threads, count, [&](int64_t index, int worker) {
    std::unique_ptr<Scratch>& mine = scratch[size_t(worker)];
    if (!mine) mine = make();
    body(index, *mine);
  });
}

}  // namespace

LapackSpectra::LapackSpectra(int n_threads) : n_threads_(n_threads) { single_threaded_blas(); }

void LapackSpectra::singular_values(const float* a, int64_t count, int rows, int cols, double* s) {
  const size_t size = size_t(rows) * size_t(cols), n_values = size_t(std::min(rows, cols));
  if (n_values == 0) return;
  single_threaded_blas();
  for_each_with<Svd>(
      n_threads_, count, [&] { return std::make_unique<Svd>(rows, cols, false); },
      [&](int64_t i, Svd& svd) {
        const float* matrix = a + size_t(i) * size;
        double* out = s + size_t(i) * n_values;
        if (all_finite(matrix, size) && svd(matrix))
          std::copy(svd.values(), svd.values() + n_values, out);
        else
          std::fill_n(out, n_values, no_value);
      });
}

void LapackSpectra::eigenvalue_moduli(const float* a, int64_t count, int n, double* moduli) {
  const size_t size = size_t(n) * size_t(n);
  if (n == 0) return;
  single_threaded_blas();
  for_each_with<Eigenvalues>(
      n_threads_, count, [&] { return std::make_unique<Eigenvalues>(n); },
      [&](int64_t i, Eigenvalues& eigenvalues) {
        const float* matrix = a + size_t(i) * size;
        double* out = moduli + size_t(i) * size_t(n);
        if (!all_finite(matrix, size) || !eigenvalues(matrix)) {
          std::fill_n(out, n, no_value);
          return;
        }
        for (int k = 0; k < n; ++k) out[k] = eigenvalues.modulus(k);
        std::sort(out, out + n, std::greater<>());
      });
}

void LapackSpectra::truncate(float* a, int64_t count, int n, const int* rank) {
  const size_t size = size_t(n) * size_t(n);
  for (int64_t i = 0; i < count; ++i)
    if (rank[i] < 1 || rank[i] > n)
      throw Error("rank of matrix " + std::to_string(i) + " is " + std::to_string(rank[i]) + ", allowed are 1.." +
                  std::to_string(n));
  if (n == 0) return;
  single_threaded_blas();
  for_each_with<Svd>(
      n_threads_, count, [&] { return std::make_unique<Svd>(n, n, true); },
      [&](int64_t i, Svd& svd) {
        float* matrix = a + size_t(i) * size;
        if (!all_finite(matrix, size) || (rank[i] < n && !svd(matrix)))
          std::fill_n(matrix, size, std::numeric_limits<float>::quiet_NaN());
        else if (rank[i] < n)
          svd.rebuild(rank[i], matrix);
      });
}

}  // namespace cohort::engine

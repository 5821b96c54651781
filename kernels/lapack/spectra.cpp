// The CPU's spectra (cohort/spectra.h): LAPACK, one matrix after another in the calling thread.
#include "cohort/spectra.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "lapack/blas_team.h"
#include "lapack/routines.h"
#include "spectra/arguments.h"
#include "spectra/gain.h"
#include "spectra/measures.h"
#include "spectra/radius.h"
#include "spectra/range_finder.h"
#include "team/arena.h"

COHORT_BEGIN

namespace {

template <class Real>
constexpr Real nan = std::numeric_limits<Real>::quiet_NaN();

template <class Real>
bool all_finite(const Real* a, size_t n) {
  return measures::all_finite(SerialTeam{}, a, int(n));
}

int smaller(int rows, int cols) { return std::min(rows, cols); }
size_t area(int rows, int cols) { return size_t(rows) * size_t(cols); }

// ---- singular values and vectors: scratch of one decomposition
template <class Real>
struct Decomposition {
  int m, n, k, n_work;  // of the transpose
  char job;
  Real *matrix, *s, *u, *vt, *work;
  lapack_int* iwork;

  static Decomposition carve(Arena& arena, int rows, int cols, bool vectors) {
    Decomposition d;
    d.m = cols;
    d.n = rows;
    d.k = smaller(rows, cols);
    d.job = vectors ? 'S' : 'N';
    d.n_work = lapack::gesdd_work<Real>(d.job, d.m, d.n);
    d.matrix = arena.take<Real>(area(rows, cols));
    d.s = arena.take<Real>(size_t(d.k));
    d.u = arena.take<Real>(vectors ? area(d.m, d.k) : 1);
    d.vt = arena.take<Real>(vectors ? area(d.k, d.n) : 1);
    d.work = arena.take<Real>(size_t(d.n_work));
    d.iwork = arena.take<lapack_int>(8 * size_t(d.k));
    return d;
  }
  // Values in s; with vectors, those of the matrix as it is: right ones u [k][cols], left ones vt [rows][k], both by rows.
  SpectrumStatus operator()(const Real* a) const {
    const size_t size = area(m, n);
    if (!all_finite(a, size)) return SpectrumStatus::not_finite;
    std::copy_n(a, size, matrix);
    return lapack::gesdd(job, m, n, matrix, s, u, vt, work, n_work, iwork) ? SpectrumStatus::ok
                                                                           : SpectrumStatus::not_converged;
  }
};
template <class Real>
size_t decomposition_bytes(int rows, int cols, bool vectors) {
  Arena arena(nullptr);
  Decomposition<Real>::carve(arena, rows, cols, vectors);
  return arena.used();
}

template <class Real>
size_t svdvals_workspace(const SvdvalsArgs<Real>& a, int32_t) {
  return decomposition_bytes<Real>(a.rows, a.cols, false);
}
template <class Real>
void svdvals(const SvdvalsArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  const SpectraArguments arguments("svdvals");
  arguments.require(a.method == SvdMethod::automatic || a.method == SvdMethod::lapack, "method", int(a.method),
                    "automatic (0) or lapack (1) on the CPU");
  Arena arena(l.workspace);
  const auto decompose = Decomposition<Real>::carve(arena, a.rows, a.cols, false);
  arguments.workspace(l, arena.used());
  for (ptrdiff_t i = l.first; i < ptrdiff_t(l.first) + l.count; ++i) {
    a.status[i] = decompose(a.a + i * ptrdiff_t(area(a.rows, a.cols)));
    Real* const s = a.s + i * decompose.k;
    if (a.status[i] == SpectrumStatus::ok)
      std::copy_n(decompose.s, decompose.k, s);
    else
      std::fill_n(s, decompose.k, nan<Real>);
  }
}

template <class Real>
size_t svd_workspace(const SvdArgs<Real>& a, int32_t) {
  return decomposition_bytes<Real>(a.rows, a.cols, true);
}
template <class Real>
void svd(const SvdArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  Arena arena(l.workspace);
  const auto decompose = Decomposition<Real>::carve(arena, a.rows, a.cols, true);
  SpectraArguments("svd").workspace(l, arena.used());
  const int k = decompose.k;
  for (ptrdiff_t i = l.first; i < ptrdiff_t(l.first) + l.count; ++i) {
    a.status[i] = decompose(a.a + i * ptrdiff_t(area(a.rows, a.cols)));
    Real *const u = a.u + i * ptrdiff_t(area(a.rows, k)), *const s = a.s + i * k,
                *const v = a.v + i * ptrdiff_t(area(a.cols, k));
    if (a.status[i] != SpectrumStatus::ok) {
      std::fill_n(u, area(a.rows, k), nan<Real>);
      std::fill_n(s, k, nan<Real>);
      std::fill_n(v, area(a.cols, k), nan<Real>);
      continue;
    }
    std::copy_n(decompose.s, k, s);
    std::copy_n(decompose.vt, area(a.rows, k), u);
    for (int c = 0; c < a.cols; ++c)
      for (int j = 0; j < k; ++j) v[c * k + j] = decompose.u[j * a.cols + c];
  }
}

// ---- what is put together again
// out [rows][cols] = gain U_r diag(s) V_r^T of a decomposition, r = rank.
template <class Real>
void compose(const Decomposition<Real>& d, const Real* s, int rank, Real gain, Real* out) {
  for (int j = 0; j < rank; ++j)
    for (int c = 0; c < d.m; ++c) d.u[j * d.m + c] *= gain * s[j];
  lapack::gemm(false, d.n, d.m, rank, d.vt, d.k, d.u, d.m, Real(0), out, d.m);
}

template <class Real>
size_t low_rank_workspace(const LowRankArgs<Real>& a, int32_t) {
  return a.method == LowRankMethod::svd ? decomposition_bytes<Real>(a.rows, a.cols, true)
                                        : finder::Room<BlasTeam, Real>(nullptr, a.rows, a.cols).bytes;
}
template <class Real>
void low_rank(const LowRankArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  const SpectraArguments arguments("low_rank");
  arguments.workspace(l, low_rank_workspace(a, l.count));
  const size_t size = area(a.rows, a.cols);
  if (a.method == LowRankMethod::range_finder) {
    const finder::Room<BlasTeam, Real> room(l.workspace, a.rows, a.cols);
    for (ptrdiff_t i = l.first; i < ptrdiff_t(l.first) + l.count; ++i)
      a.status[i] = range_finder_of(BlasTeam{}, a.a + i * ptrdiff_t(size), a.rows, a.cols, a.rank[i], a.seed[i],
                                    a.scale == LowRankScale::frobenius, room);
    return;
  }
  Arena arena(l.workspace);
  const auto decompose = Decomposition<Real>::carve(arena, a.rows, a.cols, true);
  for (ptrdiff_t i = l.first; i < ptrdiff_t(l.first) + l.count; ++i) {
    Real* const w = a.a + i * ptrdiff_t(size);
    const int rank = a.rank[i];
    SpectrumStatus& status = a.status[i];
    if (rank < 1 || rank > decompose.k || !all_finite(w, size))
      status = SpectrumStatus::not_finite;
    else
      status = rank == decompose.k ? SpectrumStatus::ok : decompose(w);
    if (status != SpectrumStatus::ok)
      std::fill_n(w, size, nan<Real>);
    else if (rank < decompose.k)
      compose(
          decompose, decompose.s, rank,
          a.scale == LowRankScale::frobenius ? frobenius_gain(SerialTeam{}, decompose.s, decompose.k, rank) : Real(1),
          w);
  }
}

template <class Real>
size_t transplant_workspace(const TransplantArgs<Real>& a, int32_t) {
  return decomposition_bytes<Real>(a.rows, a.cols, true) + decomposition_bytes<Real>(a.rows, a.cols, false);
}
template <class Real>
void transplant(const TransplantArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  Arena arena(l.workspace);
  const auto vectors = Decomposition<Real>::carve(arena, a.rows, a.cols, true);
  const auto values = Decomposition<Real>::carve(arena, a.rows, a.cols, false);
  SpectraArguments("transplant").workspace(l, arena.used());
  for (ptrdiff_t i = l.first; i < ptrdiff_t(l.first) + l.count; ++i) {
    const ptrdiff_t at = i * ptrdiff_t(area(a.rows, a.cols));
    const SpectrumStatus of_values = values(a.values + at), of_vectors = vectors(a.vectors + at);
    a.status[i] = of_values != SpectrumStatus::ok ? of_values : of_vectors;
    if (a.status[i] == SpectrumStatus::ok)
      compose(vectors, values.s, vectors.k, Real(1), a.out + at);
    else
      std::fill_n(a.out + at, area(a.rows, a.cols), nan<Real>);
  }
}

// ---- eigenvalues, always in double
struct Eigenvalues {
  int n, n_work;
  double *matrix, *re, *im, *work;
  int* order;
  static Eigenvalues carve(Arena& arena, int n) {
    Eigenvalues e;
    e.n = n;
    e.n_work = lapack::geev_work(n);
    e.matrix = arena.take<double>(area(n, n));
    e.re = arena.take<double>(size_t(n));
    e.im = arena.take<double>(size_t(n));
    e.work = arena.take<double>(size_t(e.n_work));
    e.order = arena.take<int>(size_t(n));
    return e;
  }
  template <class Real>
  SpectrumStatus operator()(const Real* a) const {
    if (!all_finite(a, area(n, n))) return SpectrumStatus::not_finite;
    std::copy_n(a, area(n, n), matrix);
    if (!lapack::geev(n, matrix, re, im, work, n_work)) return SpectrumStatus::not_converged;
    std::iota(order, order + n, 0);
    // Both of a pair have the same modulus to the bit and stay neighbours, as LAPACK has them.
    std::stable_sort(order, order + n,
                     [&](int i, int j) { return std::hypot(re[i], im[i]) > std::hypot(re[j], im[j]); });
    return SpectrumStatus::ok;
  }
};

template <class Real>
size_t eigvals_workspace(const EigvalsArgs<Real>& a, int32_t) {
  Arena arena(nullptr);
  Eigenvalues::carve(arena, a.n);
  return arena.used();
}
template <class Real>
void eigvals(const EigvalsArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  Arena arena(l.workspace);
  const auto solve = Eigenvalues::carve(arena, a.n);
  SpectraArguments("eigvals").workspace(l, arena.used());
  for (ptrdiff_t i = l.first; i < ptrdiff_t(l.first) + l.count; ++i) {
    a.status[i] = solve(a.a + i * ptrdiff_t(area(a.n, a.n)));
    Real* const out = a.eigenvalues + 2 * i * a.n;
    if (a.status[i] != SpectrumStatus::ok)
      std::fill_n(out, 2 * a.n, nan<Real>);
    else
      for (int j = 0; j < a.n; ++j) {
        out[2 * j] = Real(solve.re[solve.order[j]]);
        out[2 * j + 1] = Real(solve.im[solve.order[j]]);
      }
  }
}

struct Squaring {
  double *b, *c;  // [n][pad]
  static Squaring carve(Arena& arena, int n) {
    const size_t size = size_t(n) * size_t(BlasTeam::pad<double>(n));
    Squaring s;
    s.b = arena.take<double>(size);
    s.c = arena.take<double>(size);
    return s;
  }
};
template <class Real>
size_t radius_workspace(const SpectralRadiusArgs<Real>& a, int32_t) {
  Arena arena(nullptr);
  Squaring::carve(arena, a.n);
  return arena.used();
}
template <class Real>
void radius(const SpectralRadiusArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  Arena arena(l.workspace);
  const Squaring scratch = Squaring::carve(arena, a.n);
  SpectraArguments("spectral_radius").workspace(l, arena.used());
  for (ptrdiff_t i = l.first; i < ptrdiff_t(l.first) + l.count; ++i)
    a.radius[i] = Real(
        spectral_radius_of(BlasTeam{}, a.a + i * ptrdiff_t(area(a.n, a.n)), a.n, scratch.b, scratch.c, &a.status[i]));
}

// ---- measures
template <class Real>
void spectrum_measures(const SpectrumMeasuresArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  for (ptrdiff_t i = l.first; i < ptrdiff_t(l.first) + l.count; ++i) {
    const Real* const s = a.s + i * a.k;
    a.measures[i] = spectrum_measures_of(SerialTeam{}, s, a.k);
    if (a.n_bins > 0) histogram_of(SerialTeam{}, s, a.k, a.n_bins, a.low, a.high, a.histogram + i * a.n_bins);
  }
}
template <class Real>
void eigenvalue_measures(const EigenvalueMeasuresArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  for (ptrdiff_t i = l.first; i < ptrdiff_t(l.first) + l.count; ++i)
    a.measures[i] = eigenvalue_measures_of(SerialTeam{}, a.eigenvalues + 2 * i * a.n, a.n);
}
template <class Real>
size_t svd_entropy_workspace(const SvdEntropyArgs<Real>& a, int32_t) {
  return decomposition_bytes<Real>(a.rows, a.cols, false);
}
template <class Real>
void svd_entropy(const SvdEntropyArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  Arena arena(l.workspace);
  const auto decompose = Decomposition<Real>::carve(arena, a.rows, a.cols, false);
  SpectraArguments("svd_entropy").workspace(l, arena.used());
  for (ptrdiff_t i = l.first; i < ptrdiff_t(l.first) + l.count; ++i) {
    a.status[i] = decompose(a.a + i * ptrdiff_t(area(a.rows, a.cols)));
    a.entropy[i] = a.status[i] == SpectrumStatus::ok ? Real(spectrum_entropy_of(SerialTeam{}, decompose.s, decompose.k))
                                                     : nan<Real>;
  }
}

template <class Real>
constexpr SpectraProgram<Real> program = {
    .backend = "cpu",
    .svdvals_workspace = svdvals_workspace<Real>,
    .svdvals = svdvals<Real>,
    .svd_workspace = svd_workspace<Real>,
    .svd = svd<Real>,
    .eigvals_workspace = eigvals_workspace<Real>,
    .eigvals = eigvals<Real>,
    .spectral_radius_workspace = radius_workspace<Real>,
    .spectral_radius = radius<Real>,
    .low_rank_workspace = low_rank_workspace<Real>,
    .low_rank = low_rank<Real>,
    .transplant_workspace = transplant_workspace<Real>,
    .transplant = transplant<Real>,
    .svd_entropy_workspace = svd_entropy_workspace<Real>,
    .svd_entropy = svd_entropy<Real>,
    .spectrum_measures = spectrum_measures<Real>,
    .eigenvalue_measures = eigenvalue_measures<Real>,
};

}  // namespace

COHORT_END

namespace cohort {

template <>
const SpectraProgram<float>* cpu_spectra<float>() {
  return &COHORT_TARGET::program<float>;
}
template <>
const SpectraProgram<double>* cpu_spectra<double>() {
  return &COHORT_TARGET::program<double>;
}

}  // namespace cohort

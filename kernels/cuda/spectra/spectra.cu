// The table of CUDA's spectra (cohort/spectra.h): arguments are checked and methods chosen here.
#include "cuda/gpu.h"
#include "cuda/spectra/methods.h"
#include "cuda/spectra/table.h"
#include "spectra/arguments.h"
#include "team/arena.h"

COHORT_BEGIN

namespace {

const char* name(SvdMethod method) {
  switch (method) {
    case SvdMethod::automatic:
      return "automatic";
    case SvdMethod::lapack:
      return "lapack";
    case SvdMethod::bidiagonal:
      return "bidiagonal";
    case SvdMethod::jacobi:
      return "jacobi";
    case SvdMethod::gram:
      return "gram";
  }
  return "?";
}

template <class Real>
const ValuesMethod<Real>* find(SvdMethod id) {
  if (id == SvdMethod::jacobi) return &jacobi_method<Real>();
  if constexpr (sizeof(Real) == sizeof(float)) {
    if (id == SvdMethod::bidiagonal) return &bidiagonal_method();
    if (id == SvdMethod::gram) return &gram_method();
  }
  return nullptr;
}

// Throws Error where the method that was asked for does not take the shape.
template <class Real>
const ValuesMethod<Real>& choose(const SvdvalsArgs<Real>& a) {
  if (a.method != SvdMethod::automatic) {
    const ValuesMethod<Real>* const method = find<Real>(a.method);
    const char* const why = method ? method->refuses(a.rows, a.cols) : "CUDA has it not in this precision";
    if (why)
      throw Error(std::string("svdvals: method is ") + name(a.method) + "; allowed here: automatic (" + why + ")");
    return *method;
  }
  for (const ValuesChoice& choice : values_table) {
    const ValuesMethod<Real>* const method = find<Real>(choice.method);
    if (a.rows <= choice.most && a.cols <= choice.most && method && !method->refuses(a.rows, a.cols)) return *method;
  }
  return jacobi_method<Real>();
}

template <class Real>
size_t svdvals_workspace(const SvdvalsArgs<Real>& a, int32_t count) {
  return choose(a).workspace(a, count);
}
template <class Real>
void svdvals(const SvdvalsArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  const ValuesMethod<Real>& method = choose(a);
  SpectraArguments("svdvals").workspace(l, method.workspace(a, l.count));
  method.svdvals(a, l);
}

template <class Real>
void svd(const SvdArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  SpectraArguments("svd").workspace(l, jacobi_svd_workspace(a, l.count));
  jacobi_svd(a, l);
}

template <class Real>
void eigvals(const EigvalsArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  SpectraArguments("eigvals").workspace(l, hessenberg_eigvals_workspace(a, l.count));
  hessenberg_eigvals(a, l);
}

template <class Real>
void radius(const SpectralRadiusArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  SpectraArguments("spectral_radius").workspace(l, squaring_radius_workspace(a, l.count));
  squaring_radius(a, l);
}

// A decomposition of `count` matrices in the workspace, and what is left of it for the decomposition's own.
template <class Real>
struct Decomposed {
  SvdArgs<Real> svd;
  Real* s_other;  // [count][k]
  size_t bytes;
  Decomposed(int rows, int cols, int32_t count, const Launch& l) {
    Arena arena(l.workspace);
    const size_t n = size_t(count), k = size_t(rows < cols ? rows : cols);
    svd = {.n_matrices = count, .rows = rows, .cols = cols};
    svd.u = arena.template take<Real>(n * size_t(rows) * k);
    svd.s = arena.template take<Real>(n * k);
    svd.v = arena.template take<Real>(n * size_t(cols) * k);
    s_other = arena.template take<Real>(n * k);
    bytes = arena.used();
  }
  // The matrices from a on.
  void run(const Real* a, SpectrumStatus* status, const Launch& l) {
    svd.a = a;
    svd.status = status;
    jacobi_svd(svd, rest(l));
  }
  Launch rest(const Launch& l) const {
    return {0, l.count, static_cast<unsigned char*>(l.workspace) + bytes, l.workspace_bytes - bytes, l.stream};
  }
};

template <class Real>
size_t low_rank_workspace(const LowRankArgs<Real>& a, int32_t count) {
  if (a.method == LowRankMethod::range_finder) return range_finder_workspace(a, count);
  const Decomposed<Real> d(a.rows, a.cols, count, {});
  return d.bytes + jacobi_svd_workspace(d.svd, count);
}
template <class Real>
void low_rank(const LowRankArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  SpectraArguments("low_rank").workspace(l, low_rank_workspace(a, l.count));
  if (a.method == LowRankMethod::range_finder) return range_finder(a, l);
  Decomposed<Real> d(a.rows, a.cols, l.count, l);
  Real* const first = a.a + ptrdiff_t(l.first) * a.rows * a.cols;
  d.run(first, a.status + l.first, l);
  compose(ComposeArgs<Real>{a.rows, a.cols, d.svd.u, d.svd.s, d.svd.v, a.rank + l.first, a.status + l.first,
                            a.scale == LowRankScale::frobenius, true, first},
          l.count, l.stream);
}

template <class Real>
SvdvalsArgs<Real> values_of(const TransplantArgs<Real>& a, const Launch& l, Real* s, SpectrumStatus* status) {
  SvdvalsArgs<Real> values{.n_matrices = l.count, .rows = a.rows, .cols = a.cols};
  values.a = a.values + ptrdiff_t(l.first) * a.rows * a.cols;
  values.s = s;
  values.status = status;
  return values;
}
template <class Real>
size_t transplant_workspace(const TransplantArgs<Real>& a, int32_t count) {
  const Decomposed<Real> d(a.rows, a.cols, count, {});
  const SvdvalsArgs<Real> values{.n_matrices = count, .rows = a.rows, .cols = a.cols};
  const size_t vectors = jacobi_svd_workspace(d.svd, count), other = svdvals_workspace(values, count);
  return d.bytes + (vectors > other ? vectors : other);
}
template <class Real>
void transplant(const TransplantArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  SpectraArguments("transplant").workspace(l, transplant_workspace(a, l.count));
  Decomposed<Real> d(a.rows, a.cols, l.count, l);
  const ptrdiff_t first = ptrdiff_t(l.first) * a.rows * a.cols;
  // Y first: a status that is not ok and NaN values survive in s_other, the status of X is written after it.
  const SvdvalsArgs<Real> values = values_of(a, l, d.s_other, a.status + l.first);
  choose(values).svdvals(values, d.rest(l));
  d.run(a.vectors + first, a.status + l.first, l);
  compose(ComposeArgs<Real>{a.rows, a.cols, d.svd.u, d.s_other, d.svd.v, nullptr, a.status + l.first, false, false,
                            a.out + first},
          l.count, l.stream);
}

template <class Real>
size_t svd_entropy_workspace(const SvdEntropyArgs<Real>& a, int32_t count) {
  const SvdvalsArgs<Real> values{.n_matrices = count, .rows = a.rows, .cols = a.cols};
  Arena arena(nullptr);
  arena.take<Real>(size_t(count) * size_t(a.rows < a.cols ? a.rows : a.cols));
  return arena.used() + svdvals_workspace(values, count);
}
template <class Real>
void svd_entropy(const SvdEntropyArgs<Real>& a, const Launch& l) {
  if (!check(a, l)) return;
  SpectraArguments("svd_entropy").workspace(l, svd_entropy_workspace(a, l.count));
  const int k = a.rows < a.cols ? a.rows : a.cols;
  Arena arena(l.workspace);
  SvdvalsArgs<Real> values{.n_matrices = l.count, .rows = a.rows, .cols = a.cols};
  values.a = a.a + ptrdiff_t(l.first) * a.rows * a.cols;
  values.s = arena.take<Real>(size_t(l.count) * size_t(k));
  values.status = a.status + l.first;
  choose(values).svdvals(values, {0, l.count, static_cast<unsigned char*>(l.workspace) + arena.used(),
                                  l.workspace_bytes - arena.used(), l.stream});
  entropies(k, values.s, a.entropy + l.first, l.count, l.stream);
}

template <class Real, class Args, void (*operation)(const Args&, const Launch&)>
void checked(const Args& a, const Launch& l) {
  if (check(a, l)) operation(a, l);
}

template <class Real>
constexpr SpectraProgram<Real> program = {
    .backend = "cuda",
    .svdvals_workspace = svdvals_workspace<Real>,
    .svdvals = svdvals<Real>,
    .svd_workspace = jacobi_svd_workspace<Real>,
    .svd = svd<Real>,
    .eigvals_workspace = hessenberg_eigvals_workspace<Real>,
    .eigvals = eigvals<Real>,
    .spectral_radius_workspace = squaring_radius_workspace<Real>,
    .spectral_radius = radius<Real>,
    .low_rank_workspace = low_rank_workspace<Real>,
    .low_rank = low_rank<Real>,
    .transplant_workspace = transplant_workspace<Real>,
    .transplant = transplant<Real>,
    .svd_entropy_workspace = svd_entropy_workspace<Real>,
    .svd_entropy = svd_entropy<Real>,
    .spectrum_measures = checked<Real, SpectrumMeasuresArgs<Real>, spectrum_measures<Real>>,
    .eigenvalue_measures = checked<Real, EigenvalueMeasuresArgs<Real>, eigenvalue_measures<Real>>,
};

}  // namespace

COHORT_END

namespace cohort {

template <>
const SpectraProgram<float>* cuda_spectra<float>() {
  return &COHORT_TARGET::program<float>;
}
template <>
const SpectraProgram<double>* cuda_spectra<double>() {
  return &COHORT_TARGET::program<double>;
}

}  // namespace cohort

// What the spectra of every backend ask of their arguments (cohort/spectra.h). Throws cohort::Error: operation, field, value,
// what is allowed. Each check returns whether there is anything to do.
#pragma once

#include "cohort/spectra.h"
#include "team/call_arguments.h"

COHORT_BEGIN

class SpectraArguments : public CallArguments {
 public:
  using CallArguments::CallArguments;

  void size(int32_t value, const char* field) const {
    require(value >= 1 && value <= most_rows_of_spectra, field, value, "1 to " + std::to_string(most_rows_of_spectra));
  }
  bool range(int32_t n_matrices, const Launch& l) const { return CallArguments::range(n_matrices, "n_matrices", l); }
  void workspace(const Launch& l, size_t needed) const {
    require(l.workspace_bytes >= needed, "workspace_bytes", int64_t(l.workspace_bytes),
            "at least " + std::to_string(needed));
    if (needed > 0 && (!l.workspace || reinterpret_cast<uintptr_t>(l.workspace) % 256))
      fail("workspace", "is null or not aligned; allowed: multiples of 256 bytes");
  }
};

template <class Args>
bool check_matrices(const SpectraArguments& arguments, const Args& a, const Launch& l) {
  arguments.size(a.rows, "rows");
  arguments.size(a.cols, "cols");
  if (!arguments.range(a.n_matrices, l)) return false;
  arguments.needed(a.status, "status");
  return true;
}
template <class Args>
bool check_square(const SpectraArguments& arguments, const Args& a, const Launch& l) {
  arguments.size(a.n, "n");
  if (!arguments.range(a.n_matrices, l)) return false;
  arguments.needed(a.a, "a");
  arguments.needed(a.status, "status");
  return true;
}

template <class Real>
bool check(const SvdvalsArgs<Real>& a, const Launch& l) {
  const SpectraArguments arguments("svdvals");
  if (!check_matrices(arguments, a, l)) return false;
  arguments.needed(a.a, "a");
  arguments.needed(a.s, "s");
  return true;
}
template <class Real>
bool check(const SvdArgs<Real>& a, const Launch& l) {
  const SpectraArguments arguments("svd");
  if (!check_matrices(arguments, a, l)) return false;
  arguments.needed(a.a, "a");
  arguments.needed(a.u, "u");
  arguments.needed(a.s, "s");
  arguments.needed(a.v, "v");
  return true;
}
template <class Real>
bool check(const EigvalsArgs<Real>& a, const Launch& l) {
  const SpectraArguments arguments("eigvals");
  if (!check_square(arguments, a, l)) return false;
  arguments.needed(a.eigenvalues, "eigenvalues");
  return true;
}
template <class Real>
bool check(const SpectralRadiusArgs<Real>& a, const Launch& l) {
  const SpectraArguments arguments("spectral_radius");
  if (!check_square(arguments, a, l)) return false;
  arguments.needed(a.radius, "radius");
  return true;
}
template <class Real>
bool check(const LowRankArgs<Real>& a, const Launch& l) {
  const SpectraArguments arguments("low_rank");
  if (!check_matrices(arguments, a, l)) return false;
  arguments.needed(a.a, "a");
  arguments.needed(a.rank, "rank");
  if (a.method == LowRankMethod::range_finder) arguments.needed(a.seed, "seed");
  return true;
}
template <class Real>
bool check(const TransplantArgs<Real>& a, const Launch& l) {
  const SpectraArguments arguments("transplant");
  if (!check_matrices(arguments, a, l)) return false;
  arguments.needed(a.vectors, "vectors");
  arguments.needed(a.values, "values");
  arguments.needed(a.out, "out");
  return true;
}
template <class Real>
bool check(const SvdEntropyArgs<Real>& a, const Launch& l) {
  const SpectraArguments arguments("svd_entropy");
  if (!check_matrices(arguments, a, l)) return false;
  arguments.needed(a.a, "a");
  arguments.needed(a.entropy, "entropy");
  return true;
}
template <class Real>
bool check(const SpectrumMeasuresArgs<Real>& a, const Launch& l) {
  const SpectraArguments arguments("spectrum_measures");
  arguments.size(a.k, "k");
  arguments.at_least_0(a.n_bins, "n_bins");
  if (a.n_bins > 0 && !(a.low < a.high)) arguments.fail("low", "is not below high");
  if (!arguments.range(a.n_matrices, l)) return false;
  arguments.needed(a.s, "s");
  arguments.needed(a.measures, "measures");
  if (a.n_bins > 0) arguments.needed(a.histogram, "histogram");
  return true;
}
template <class Real>
bool check(const EigenvalueMeasuresArgs<Real>& a, const Launch& l) {
  const SpectraArguments arguments("eigenvalue_measures");
  arguments.size(a.n, "n");
  if (!arguments.range(a.n_matrices, l)) return false;
  arguments.needed(a.eigenvalues, "eigenvalues");
  arguments.needed(a.measures, "measures");
  return true;
}

COHORT_END

// What the files of this folder offer to the table in spectra.cu. Arguments have been checked, launches have at least the
// workspace that was asked for; every function enqueues its work and returns. float and double unless it says otherwise.
#pragma once

#include "cohort/spectra.h"
#include "team/target.h"

COHORT_BEGIN

// A way to singular values. refuses: why it does not take matrices of this shape on the current device; nullptr where it does.
template <class Real>
struct ValuesMethod {
  SvdMethod id;
  const char* (*refuses)(int rows, int cols);
  size_t (*workspace)(const SvdvalsArgs<Real>&, int32_t count);
  void (*svdvals)(const SvdvalsArgs<Real>&, const Launch&);
};
const ValuesMethod<float>& bidiagonal_method();  // bidiagonal.cu
const ValuesMethod<float>& gram_method();        // gram.cu
template <class Real>
const ValuesMethod<Real>& jacobi_method();  // jacobi.cu

// jacobi.cu: singular values and vectors.
template <class Real>
size_t jacobi_svd_workspace(const SvdArgs<Real>&, int32_t count);
template <class Real>
void jacobi_svd(const SvdArgs<Real>&, const Launch&);

// compose.cu: out = gain U diag(s) V^T cut to each matrix's rank, from U [rows][k], s, V [cols][k] of matrices 0..count - 1.
// With `frobenius` the gain makes the norm that of all s. A matrix whose rank is k is left alone where `keep_full`, one whose
// status is not ok becomes NaN, and so does one whose rank is outside 1..k; its status becomes not_finite.
template <class Real>
struct ComposeArgs {
  int rows, cols;
  const Real *u, *s, *v;
  const int32_t* rank;  // nullptr: k
  SpectrumStatus* status;
  bool frobenius, keep_full;
  Real* out;
};
template <class Real>
void compose(const ComposeArgs<Real>&, int32_t count, CUstream_st* stream);

// eigenvalues.cu
template <class Real>
size_t hessenberg_eigvals_workspace(const EigvalsArgs<Real>&, int32_t count);
template <class Real>
void hessenberg_eigvals(const EigvalsArgs<Real>&, const Launch&);

// radius.cu
template <class Real>
size_t squaring_radius_workspace(const SpectralRadiusArgs<Real>&, int32_t count);
template <class Real>
void squaring_radius(const SpectralRadiusArgs<Real>&, const Launch&);

// range_finder.cu: low_rank by LowRankMethod::range_finder, scaling included.
template <class Real>
size_t range_finder_workspace(const LowRankArgs<Real>&, int32_t count);
template <class Real>
void range_finder(const LowRankArgs<Real>&, const Launch&);

// measures.cu
template <class Real>
void spectrum_measures(const SpectrumMeasuresArgs<Real>&, const Launch&);
template <class Real>
void eigenvalue_measures(const EigenvalueMeasuresArgs<Real>&, const Launch&);
// entropy [count] of s [count][k]
template <class Real>
void entropies(int k, const Real* s, Real* entropy, int32_t count, CUstream_st* stream);

COHORT_END

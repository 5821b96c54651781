// Spectra of many small matrices at once, for the engine and for other people's matrices: singular values and vectors,
// eigenvalues, low-rank approximations, transplanted spectra and the measures that papers take of them. Needs no CUDA header;
// every pointer is in the memory of the backend it is given to.
//
// Matrices are [n_matrices][rows][cols], row-major and contiguous, 1 <= rows, cols <= 16384 (tuned up to 1024); k = min(rows, cols). eps is half the
// distance from 1 to the next Real, 2^-24 or 2^-53, and sigma_1 the largest singular value of the matrix in question.
// A matrix that holds a NaN or an infinity gets NaN for all its results and SpectrumStatus::not_finite, and touches no other
// one. Matrices may be of any magnitude: they are scaled by a power of two first. A matrix's bits depend on nothing but the
// matrix: not on n_matrices, Launch::first and count, or on where the arrays lie in memory.
#pragma once

#include "cohort/kernels.h"

namespace cohort {

inline constexpr int32_t most_rows_of_spectra = 16384;

enum class SpectrumStatus : int32_t { ok = 0, not_finite = 1, not_converged = 2 };

// How singular values are found.
//   lapack      the CPU's only one: xgesdd, one matrix after another
//   bidiagonal  CUDA, float, up to 256 rows and columns: Householder bidiagonalisation with the matrix in registers, then
//               bisection (Golub and Kahan 1965; qd form of the Sturm count as in Fernando 1998)
//   jacobi      CUDA: one-sided Jacobi rotations (Hestenes 1958; Demmel and Veselic 1992), a warp a matrix up to 32 columns
//   gram        CUDA, float: eigenvalues of the smaller Gram matrix in double by cuSOLVER: 1e-6 relative down to 1e-5 sigma_1
//   automatic   the fastest by the table in kernels/cuda/spectra/table.h
// Values are within 4 n eps sigma_1 of the exact ones, n = max(rows, cols), gram apart.
enum class SvdMethod : int32_t { automatic = 0, lapack, bidiagonal, jacobi, gram };

template <class Real>
struct SvdvalsArgs {
  int32_t n_matrices = 0, rows = 0, cols = 0;
  const Real* a = nullptr;
  Real* s = nullptr;                 // [n_matrices][k], descending
  SpectrumStatus* status = nullptr;  // [n_matrices]
  SvdMethod method = SvdMethod::automatic;
};

// A = U diag(s) V^T. U^T U - I and V^T V - I are within 4 n eps in the 2-norm, A - U diag(s) V^T within 4 n eps sigma_1 in the
// Frobenius norm; of LAPACK, on the CPU, a matrix of few rows may be 1.4 times as far off.
template <class Real>
struct SvdArgs {
  int32_t n_matrices = 0, rows = 0, cols = 0;
  const Real* a = nullptr;
  Real* u = nullptr;                 // [n_matrices][rows][k], columns are left singular vectors
  Real* s = nullptr;                 // [n_matrices][k], descending
  Real* v = nullptr;                 // [n_matrices][cols][k], columns are right singular vectors
  SpectrumStatus* status = nullptr;  // [n_matrices]
};

// Eigenvalues of square matrices: Householder reduction to Hessenberg form and shifted QR (Francis 1961), in double, within
// a backward error of 4 n 2^-53 ||A||_F. Complex ones come in neighbouring conjugate pairs, the positive imaginary part first.
template <class Real>
struct EigvalsArgs {
  int32_t n_matrices = 0, n = 0;
  const Real* a = nullptr;
  Real* eigenvalues = nullptr;       // [n_matrices][n][2] real and imaginary part, by falling modulus
  SpectrumStatus* status = nullptr;  // [n_matrices]
};

// max |lambda| alone, by power iteration with squared matrices: |lambda_1| = lim ||A^m||_F^(1/m) (Gelfand 1941), m = 1, 2, 4,
// ..., in double, to a relative 1e-6 where A is not far from normal. Products only, so it suits a device; eigvals gives more.
template <class Real>
struct SpectralRadiusArgs {
  int32_t n_matrices = 0, n = 0;
  const Real* a = nullptr;
  Real* radius = nullptr;            // [n_matrices]
  SpectrumStatus* status = nullptr;  // [n_matrices]
};

// The best approximation of rank r in the Frobenius norm (svd), or one that is good enough to start from (range_finder: the
// range of (A A^T)^4 A Omega with Gaussian Omega [cols][r], Halko, Martinsson and Tropp 2011), then scaled as a whole.
enum class LowRankScale : int32_t { none = 0, frobenius };  // frobenius: ||W||_F = ||A||_F (Liu et al., ICLR 2024)
template <class Real>
struct LowRankArgs {
  int32_t n_matrices = 0, rows = 0, cols = 0;
  Real* a = nullptr;                 // in place; a matrix of rank k stays as it is, to the bit
  const int32_t* rank = nullptr;     // [n_matrices], 1..k; others leave NaN and not_finite
  SpectrumStatus* status = nullptr;  // [n_matrices]
  LowRankScale scale = LowRankScale::frobenius;
  LowRankMethod method = LowRankMethod::svd;
  const uint64_t* seed = nullptr;  // [n_matrices] of Omega; needed by range_finder only
};

// U_X diag(s_Y) V_X^T: the singular vectors of X with the singular values of Y, matched by rank (Li et al., NeurIPS 2023). X, Y
// and the result have the one shape [rows][cols], square or not; spectra of another shape have other ranks and are not taken.
template <class Real>
struct TransplantArgs {
  int32_t n_matrices = 0, rows = 0, cols = 0;
  const Real* vectors = nullptr;     // X
  const Real* values = nullptr;      // Y, of the same shape
  Real* out = nullptr;               // may be either of them
  SpectrumStatus* status = nullptr;  // [n_matrices]
};

// One row of measures per matrix. NaN = no value: not defined for this matrix, or not finite.
struct SpectrumMeasures {
  double entropy;              // -sum p ln p / ln k, p = s / sum s, 0 ln 0 = 0 (Li et al., NeurIPS 2023); k > 1
  double participation_ratio;  // (sum s^2)^2 / sum s^4 (Gao et al. 2017)
  double stable_rank;          // sum s^2 / s_1^2 (Rudelson and Vershynin 2007)
  double nuclear;              // sum s
  double frobenius;            // sqrt(sum s^2)
  double largest, median, mean, smallest;  // the median of an even number is the mean of the middle two
  double gap;                              // (s_1 - s_2) / s_1; k > 1
  double above_below;                      // count(s > 1.5) / count(s < 1.5) (Li et al., NeurIPS 2023)
};
template <class Real>
struct SpectrumMeasuresArgs {
  int32_t n_matrices = 0, k = 0;
  const Real* s = nullptr;               // [n_matrices][k], descending
  SpectrumMeasures* measures = nullptr;  // [n_matrices]
  // Histogram of s: n_bins equal bins over [low, high), values outside them are in none. n_bins = 0: none wanted.
  int32_t n_bins = 0;
  double low = 0, high = 0;
  int32_t* histogram = nullptr;  // [n_matrices][n_bins]
};

// One row of measures per spectrum of eigenvalues.
struct EigenvalueMeasures {
  double radius;          // max |lambda|
  double effective_rank;  // sum |lambda| / (n |lambda_1|) (Liu et al., ICLR 2024)
  double gap;  // 1 - |lambda'| / |lambda_1| with lambda' the largest that is neither lambda_1 nor its conjugate
};
template <class Real>
struct EigenvalueMeasuresArgs {
  int32_t n_matrices = 0, n = 0;
  const Real* eigenvalues = nullptr;       // [n_matrices][n][2] by falling modulus
  EigenvalueMeasures* measures = nullptr;  // [n_matrices]
};

// svdvals and SpectrumMeasures::entropy in one call.
template <class Real>
struct SvdEntropyArgs {
  int32_t n_matrices = 0, rows = 0, cols = 0;
  const Real* a = nullptr;
  Real* entropy = nullptr;           // [n_matrices]
  SpectrumStatus* status = nullptr;  // [n_matrices]
};

// One row per (backend, Real). Operations treat matrices [first, first + count) of the Launch; x_workspace(args, count) is what
// a Launch of `count` matrices needs at least. On CUDA they are enqueued in its stream, on the CPU the calling thread does the
// work. Nothing is allocated or synchronised - but for `gram`, which keeps a handle of cuSOLVER per device. Throw cohort::Error
// for arguments (operation, field, value, what is allowed) and cohort::CudaError for the device.
template <class Real>
struct SpectraProgram {
  const char* backend;  // "cpu", "cuda"
  size_t (*svdvals_workspace)(const SvdvalsArgs<Real>&, int32_t count);
  void (*svdvals)(const SvdvalsArgs<Real>&, const Launch&);
  size_t (*svd_workspace)(const SvdArgs<Real>&, int32_t count);
  void (*svd)(const SvdArgs<Real>&, const Launch&);
  size_t (*eigvals_workspace)(const EigvalsArgs<Real>&, int32_t count);
  void (*eigvals)(const EigvalsArgs<Real>&, const Launch&);
  size_t (*spectral_radius_workspace)(const SpectralRadiusArgs<Real>&, int32_t count);
  void (*spectral_radius)(const SpectralRadiusArgs<Real>&, const Launch&);
  size_t (*low_rank_workspace)(const LowRankArgs<Real>&, int32_t count);
  void (*low_rank)(const LowRankArgs<Real>&, const Launch&);
  size_t (*transplant_workspace)(const TransplantArgs<Real>&, int32_t count);
  void (*transplant)(const TransplantArgs<Real>&, const Launch&);
  size_t (*svd_entropy_workspace)(const SvdEntropyArgs<Real>&, int32_t count);
  void (*svd_entropy)(const SvdEntropyArgs<Real>&, const Launch&);
  void (*spectrum_measures)(const SpectrumMeasuresArgs<Real>&, const Launch&);      // no workspace
  void (*eigenvalue_measures)(const EigenvalueMeasuresArgs<Real>&, const Launch&);  // no workspace
};

// The CPU's row, on LAPACK (library cohort::spectra).
template <class Real>
const SpectraProgram<Real>* cpu_spectra();

// CUDA's row (library cohort::spectra_cuda), for the current device.
template <class Real>
const SpectraProgram<Real>* cuda_spectra();

}  // namespace cohort

// Measures of many spectra: a warp per matrix.
#include "spectra/measures.h"

#include "cuda/gpu.h"
#include "cuda/spectra/methods.h"
#include "team/warp.h"

COHORT_BEGIN

namespace {

constexpr int n_threads = 128;
int n_blocks(int32_t n_warps) {
  constexpr int per_block = n_threads / WarpTeam::lanes;
  return (n_warps - 1) / per_block + 1;
}

template <class Real>
__global__ void __launch_bounds__(n_threads)
    spectrum_measures_kernel(const __grid_constant__ SpectrumMeasuresArgs<Real> a, int32_t first, int32_t count) {
  const WarpTeam team;
  if (team.number() >= count) return;
  const ptrdiff_t i = ptrdiff_t(first) + team.number();
  const Real* const s = a.s + i * a.k;
  const SpectrumMeasures measures = spectrum_measures_of(team, s, a.k);
  if (team.lane() == 0) a.measures[i] = measures;
  if (a.n_bins > 0) histogram_of(team, s, a.k, a.n_bins, a.low, a.high, a.histogram + i * a.n_bins);
}

template <class Real>
__global__ void __launch_bounds__(n_threads)
    eigenvalue_measures_kernel(const __grid_constant__ EigenvalueMeasuresArgs<Real> a, int32_t first, int32_t count) {
  const WarpTeam team;
  if (team.number() >= count) return;
  const ptrdiff_t i = ptrdiff_t(first) + team.number();
  const EigenvalueMeasures measures = eigenvalue_measures_of(team, a.eigenvalues + i * a.n * 2, a.n);
  if (team.lane() == 0) a.measures[i] = measures;
}

template <class Real>
__global__ void __launch_bounds__(n_threads)
    entropies_kernel(int k, const Real* __restrict__ s, Real* __restrict__ entropy, int32_t count) {
  const WarpTeam team;
  const ptrdiff_t i = team.number();
  if (i >= count) return;
  const double value = spectrum_entropy_of(team, s + i * k, k);
  if (team.lane() == 0) entropy[i] = Real(value);
}

}  // namespace

template <class Real>
void spectrum_measures(const SpectrumMeasuresArgs<Real>& a, const Launch& l) {
  gpu::launch(spectrum_measures_kernel<Real>, n_blocks(l.count), n_threads, 0, l.stream, a, l.first, l.count);
}
template <class Real>
void eigenvalue_measures(const EigenvalueMeasuresArgs<Real>& a, const Launch& l) {
  gpu::launch(eigenvalue_measures_kernel<Real>, n_blocks(l.count), n_threads, 0, l.stream, a, l.first, l.count);
}
template <class Real>
void entropies(int k, const Real* s, Real* entropy, int32_t count, CUstream_st* stream) {
  gpu::launch(entropies_kernel<Real>, n_blocks(count), n_threads, 0, stream, k, s, entropy, count);
}

template void spectrum_measures(const SpectrumMeasuresArgs<float>&, const Launch&);
template void spectrum_measures(const SpectrumMeasuresArgs<double>&, const Launch&);
template void eigenvalue_measures(const EigenvalueMeasuresArgs<float>&, const Launch&);
template void eigenvalue_measures(const EigenvalueMeasuresArgs<double>&, const Launch&);
template void entropies(int, const float*, float*, int32_t, CUstream_st*);
template void entropies(int, const double*, double*, int32_t, CUstream_st*);

COHORT_END

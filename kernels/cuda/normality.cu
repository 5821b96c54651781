// CUDA's program of cohort/normality.h: samples in slices that the workspace holds, one block a sample to draw and standardise it,
// then a sort of all of the slice, then one block a sample to compare.
#include "program/normality.h"

#include <algorithm>

#include "cuda/gpu.h"
#include "cuda/segmented_sort.h"
#include "program/normality_arguments.h"
#include "team/arena.h"
#include "team/cta.h"

COHORT_BEGIN

namespace {

constexpr size_t slice_bytes = size_t(256) << 20;  // beyond it, more memory makes nothing faster

struct Slice {
  double* x;
  float *keys, *other;
  int32_t* offsets;
  void* sort;
  size_t sort_bytes;
  Slice(Arena& arena, int64_t n_samples, int64_t n)
      : x(arena.take<double>(size_t(n_samples * n))),
        keys(arena.take<float>(size_t(n_samples * n))),
        other(arena.take<float>(size_t(n_samples * n))),
        offsets(arena.take<int32_t>(size_t(n_samples) + 1)),
        sort_bytes(std::max<size_t>(1, segmented_sort_bytes(n_samples, n))) {
    sort = arena.take<unsigned char>(sort_bytes);
  }
};
size_t bytes_of(int64_t n_samples, int64_t n) {
  Arena arena(nullptr);
  Slice(arena, n_samples, n);
  return arena.used();
}

// As many samples as fit into so many bytes, at least one and no more than there are.
int64_t samples_in(size_t bytes, int64_t n_samples, int64_t n) {
  const int64_t each = int64_t(sizeof(double) + 2 * sizeof(float)) * std::max<int64_t>(n, 1);
  int64_t fit = std::min({n_samples, int64_t(bytes) / each, most_sorted / std::max<int64_t>(n, 1)});
  while (fit > 1 && bytes_of(fit, n) > bytes) fit -= (fit + 63) / 64;
  return std::max<int64_t>(fit, 1);
}

__device__ __forceinline__ void draw(const CtaTeam& team, const DualChangeArgs& a, int64_t sample, double* x) {
  draw_sample(team, a, int(sample / a.n_potentials), int(sample % a.n_potentials), x);
}
__device__ __forceinline__ void draw(const CtaTeam& team, const LogWeightsArgs& a, int64_t sample, double* x) {
  draw_sample(team, a, int(sample), x);
}

// Block b: sample first + b.
template <class Args>
__global__ void __launch_bounds__(CtaTeam::threads)
    standardise_kernel(const __grid_constant__ Args a, int64_t first, const __grid_constant__ Slice s) {
  const CtaTeam team;
  const int64_t here = blockIdx.x, sample = first + here;
  draw(team, a, sample, s.x + here * a.n);
  standardise(team, int(a.n), s.x + here * a.n, s.keys + here * a.n, fit_of(a, sample));
  if (team.lane() == 0) {
    s.offsets[here] = int32_t(here * a.n);
    if (blockIdx.x + 1 == gridDim.x) s.offsets[here + 1] = int32_t((here + 1) * a.n);
  }
}
template <class Args>
__global__ void __launch_bounds__(CtaTeam::threads)
    compare_kernel(const __grid_constant__ Args a, int64_t first, const float* sorted) {
  const int64_t here = blockIdx.x;
  compare(CtaTeam{}, sorted + here * a.n, fit_of(a, first + here));
}

template <class Args>
size_t workspace_bytes(const Args& a, int32_t count) {
  const int64_t n_samples = std::max<int64_t>(1, int64_t(count) * samples_per_network(a));
  return bytes_of(samples_in(slice_bytes, n_samples, a.n), a.n);
}

template <class Args>
void run(const Args& a, const Launch& l) {
  if (!check_normality(a, l, bytes_of(1, a.n))) return;
  const int64_t end = (int64_t(l.first) + l.count) * samples_per_network(a);
  int64_t first = int64_t(l.first) * samples_per_network(a);
  const int64_t most = samples_in(l.workspace_bytes, end - first, a.n);
  for (; first < end; first += most) {
    const int64_t count = std::min(most, end - first);
    Arena arena(l.workspace);
    const Slice slice(arena, count, a.n);
    gpu::launch(standardise_kernel<Args>, int(count), CtaTeam::threads, 0, l.stream, a, first, slice);
    const float* const sorted =
        segmented_sort(slice.sort, slice.sort_bytes, slice.keys, slice.other, slice.offsets, count, a.n, l.stream);
    gpu::launch(compare_kernel<Args>, int(count), CtaTeam::threads, 0, l.stream, a, first, sorted);
  }
}

constexpr NormalityProgram normality_program = {.backend = "cuda",
                                                .isa = COHORT_ISA,
                                                .dual_change_workspace = workspace_bytes<DualChangeArgs>,
                                                .dual_change = run<DualChangeArgs>,
                                                .log_weights_workspace = workspace_bytes<LogWeightsArgs>,
                                                .log_weights = run<LogWeightsArgs>};

}  // namespace

const NormalityProgram& normality_row() { return normality_program; }

COHORT_END

namespace cohort {

const NormalityProgram* cuda_normality() { return &COHORT_TARGET::normality_row(); }

}  // namespace cohort

// Low-rank approximations of many matrices by random projections: a block per matrix; as many matrices as run at once have a
// place in the workspace.
#include "spectra/range_finder.h"

#include "cuda/spectra/methods.h"
#include "team/cta.h"

COHORT_BEGIN

namespace {

template <class Real>
using Room = finder::Room<CtaTeam, Real>;

template <class Real>
__global__ void __launch_bounds__(CtaTeam::threads)
    range_finder_kernel(const __grid_constant__ LowRankArgs<Real> a, int32_t first, int32_t count,
                        unsigned char* workspace, size_t slot) {
  const CtaTeam team;
  const Room<Real> room(workspace + blockIdx.x * slot, a.rows, a.cols);
  for (int32_t i = int32_t(blockIdx.x); i < count; i += int32_t(gridDim.x)) {
    const ptrdiff_t matrix = ptrdiff_t(first) + i;
    const SpectrumStatus status = range_finder_of(team, a.a + matrix * a.rows * a.cols, a.rows, a.cols, a.rank[matrix],
                                                  a.seed[matrix], a.scale == LowRankScale::frobenius, room);
    if (team.lane() == 0) a.status[matrix] = status;
  }
}

template <class Real>
int n_blocks(int32_t count) {
  const int resident = gpu::n_resident_blocks(range_finder_kernel<Real>, CtaTeam::threads, 0);
  return count < resident ? count : resident;
}

}  // namespace

template <class Real>
size_t range_finder_workspace(const LowRankArgs<Real>& a, int32_t count) {
  return Room<Real>(nullptr, a.rows, a.cols).bytes * size_t(n_blocks<Real>(count));
}

template <class Real>
void range_finder(const LowRankArgs<Real>& a, const Launch& l) {
  gpu::launch(range_finder_kernel<Real>, n_blocks<Real>(l.count), CtaTeam::threads, 0, l.stream, a, l.first, l.count,
              static_cast<unsigned char*>(l.workspace), Room<Real>(nullptr, a.rows, a.cols).bytes);
}

template size_t range_finder_workspace(const LowRankArgs<float>&, int32_t);
template size_t range_finder_workspace(const LowRankArgs<double>&, int32_t);
template void range_finder(const LowRankArgs<float>&, const Launch&);
template void range_finder(const LowRankArgs<double>&, const Launch&);

COHORT_END

// Spectral radii of many matrices: a block per matrix; the powers are in the workspace, as many of them as run at once.
#include "spectra/radius.h"

#include "cuda/spectra/methods.h"
#include "team/arena.h"
#include "team/cta.h"

COHORT_BEGIN

namespace {

struct Powers {
  double *b, *c;
  size_t bytes;
  COHORT_FN Powers(void* base, int n) {
    Arena arena(base);
    const size_t size = size_t(n) * size_t(CtaTeam::pad<double>(n));
    b = arena.take<double>(size);
    c = arena.take<double>(size);
    bytes = arena.used();
  }
};

template <class Real>
__global__ void __launch_bounds__(CtaTeam::threads)
    radius_kernel(const __grid_constant__ SpectralRadiusArgs<Real> a, int32_t first, int32_t count,
                  unsigned char* workspace, size_t slot) {
  const CtaTeam team;
  const Powers powers(workspace + blockIdx.x * slot, a.n);
  for (int32_t i = int32_t(blockIdx.x); i < count; i += int32_t(gridDim.x)) {
    const ptrdiff_t matrix = ptrdiff_t(first) + i;
    SpectrumStatus status;
    const double radius = spectral_radius_of(team, a.a + matrix * a.n * a.n, a.n, powers.b, powers.c, &status);
    if (team.lane() == 0) {
      a.radius[matrix] = Real(radius);
      a.status[matrix] = status;
    }
  }
}

template <class Real>
int n_blocks(int32_t count) {
  const int resident = gpu::n_resident_blocks(radius_kernel<Real>, CtaTeam::threads, 0);
  return count < resident ? count : resident;
}

}  // namespace

template <class Real>
size_t squaring_radius_workspace(const SpectralRadiusArgs<Real>& a, int32_t count) {
  return Powers(nullptr, a.n).bytes * size_t(n_blocks<Real>(count));
}

template <class Real>
void squaring_radius(const SpectralRadiusArgs<Real>& a, const Launch& l) {
  gpu::launch(radius_kernel<Real>, n_blocks<Real>(l.count), CtaTeam::threads, 0, l.stream, a, l.first, l.count,
              static_cast<unsigned char*>(l.workspace), Powers(nullptr, a.n).bytes);
}

template size_t squaring_radius_workspace(const SpectralRadiusArgs<float>&, int32_t);
template size_t squaring_radius_workspace(const SpectralRadiusArgs<double>&, int32_t);
template void squaring_radius(const SpectralRadiusArgs<float>&, const Launch&);
template void squaring_radius(const SpectralRadiusArgs<double>&, const Launch&);

COHORT_END

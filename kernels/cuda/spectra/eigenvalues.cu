// Eigenvalues of many matrices: a block per matrix, the matrix in shared memory where it fits, else in the workspace.
#include "cuda/spectra/eigenvalues.h"

#include "cuda/spectra/methods.h"
#include "team/arena.h"

COHORT_BEGIN

namespace {

template <class Real, bool in_shared>
__global__ void __launch_bounds__(CtaTeam::threads)
    eigenvalues_kernel(const __grid_constant__ EigvalsArgs<Real> a, int32_t first, int32_t count, double* workspace,
                       size_t slot) {
  GPU_DYN_SMEM(base);
  gpu::Smem memory(base);
  eigen::Room room;
  room.take_small(memory, a.n);
  if constexpr (in_shared)
    room.h = memory.take<double>(size_t(a.n) * size_t(room.ld));
  else
    room.h = workspace + blockIdx.x * slot;
  const CtaTeam team;
  const ptrdiff_t n = a.n;
  for (int32_t i = int32_t(blockIdx.x); i < count; i += int32_t(gridDim.x)) {
    const ptrdiff_t matrix = ptrdiff_t(first) + i;
    const SpectrumStatus status =
        eigen::eigenvalues_of(team, a.a + matrix * n * n, a.n, room, !in_shared, a.eigenvalues + matrix * n * 2);
    if (team.lane() == 0) a.status[matrix] = status;
  }
}

// How a launch of `count` matrices is made. As many matrices as run at once have a place in the workspace.
template <class Real>
struct Plan {
  int n_threads, n_blocks;
  size_t smem_bytes, slot, workspace_bytes = 0;  // slot: doubles of a matrix in the workspace
  bool in_shared;
  Plan(int n, int32_t count) {
    // A sweep has one column and one row per lane to do, up to n of them, and a barrier is dearer the more warps there are.
    const int wanted = n <= 48 ? 32 : n <= 96 ? 64 : n <= 192 ? 128 : 256;
    n_threads = wanted < CtaTeam::threads ? wanted : CtaTeam::threads;
    slot = size_t(n) * size_t(eigen::Room::odd(n));
    gpu::Smem memory(nullptr);
    eigen::Room room;
    room.take_small(memory, n);
    smem_bytes = memory.bytes();
    memory.take<double>(slot);
    in_shared = memory.bytes() + static_shared <= gpu::smem_per_block();
    if (in_shared) smem_bytes = memory.bytes();
    n_blocks = count;
    if (!in_shared) {
      const int resident = gpu::n_resident_blocks(eigenvalues_kernel<Real, false>, n_threads, smem_bytes);
      n_blocks = count < resident ? count : resident;
      Arena arena(nullptr);
      arena.take<double>(slot * size_t(n_blocks));
      workspace_bytes = arena.used();
    }
  }

 private:
  static constexpr size_t static_shared = 1024;  // the team's own, and what the device takes for itself
};

}  // namespace

template <class Real>
size_t hessenberg_eigvals_workspace(const EigvalsArgs<Real>& a, int32_t count) {
  return Plan<Real>(a.n, count).workspace_bytes;
}

template <class Real>
void hessenberg_eigvals(const EigvalsArgs<Real>& a, const Launch& l) {
  const Plan<Real> plan(a.n, l.count);
  Arena arena(l.workspace);
  double* const workspace = plan.in_shared ? nullptr : arena.take<double>(plan.slot * size_t(plan.n_blocks));
  gpu::launch(plan.in_shared ? eigenvalues_kernel<Real, true> : eigenvalues_kernel<Real, false>, plan.n_blocks,
              plan.n_threads, plan.smem_bytes, l.stream, a, l.first, l.count, workspace, plan.slot);
}

template size_t hessenberg_eigvals_workspace(const EigvalsArgs<float>&, int32_t);
template size_t hessenberg_eigvals_workspace(const EigvalsArgs<double>&, int32_t);
template void hessenberg_eigvals(const EigvalsArgs<float>&, const Launch&);
template void hessenberg_eigvals(const EigvalsArgs<double>&, const Launch&);

COHORT_END

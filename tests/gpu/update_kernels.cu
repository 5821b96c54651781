#include "gpu/update_kernels.h"

#include "program/update.h"
#include "team/cta.h"

namespace cohort::testing {
namespace {

template <class Real>
__global__ void update_kernel(const __grid_constant__ MirrorUpdateArgs<Real> a) {
  const int64_t net = blockIdx.x, at = net * a.n;
  update_tensor(CtaTeam{}, a.rules[net], a.lr[net], a.first_step, int(a.n), a.scale ? a.scale[net] : Real(1),
                a.gradient + at, a.weights + at, a.momentum + at, a.mask ? a.mask + at : nullptr);
}
template <class Real>
__global__ void project_kernel(const __grid_constant__ SignProjectArgs<Real> a) {
  const int64_t net = blockIdx.x, at = net * a.n;
  project_tensor(CtaTeam{}, a.projections[net], int(a.n), a.reference ? a.reference + at : nullptr, a.weights + at);
}

}  // namespace

template <class Real>
void run_update_tensor(const MirrorUpdateArgs<Real>& a) {
  gpu::launch(update_kernel<Real>, a.n_nets, 64, 0, nullptr, a);
  gpu::check(cudaDeviceSynchronize(), "update_tensor");
}
template <class Real>
void run_project_tensor(const SignProjectArgs<Real>& a) {
  gpu::launch(project_kernel<Real>, a.n_nets, 64, 0, nullptr, a);
  gpu::check(cudaDeviceSynchronize(), "project_tensor");
}

template void run_update_tensor<float>(const MirrorUpdateArgs<float>&);
template void run_update_tensor<double>(const MirrorUpdateArgs<double>&);
template void run_project_tensor<float>(const SignProjectArgs<float>&);
template void run_project_tensor<double>(const SignProjectArgs<double>&);

}  // namespace cohort::testing

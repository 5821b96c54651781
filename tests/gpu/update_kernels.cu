#include "gpu/update_kernels.h"

#include "program/update.h"
#include "team/cta.h"

namespace cohort::testing {
namespace {

template <class Real>
__global__ void update_kernel(const __grid_constant__ MirrorUpdateArgs<Real> a, Real* directions) {
  const int64_t net = blockIdx.x, at = net * a.n;
  const RuleSpec& rule = a.rules[net];
  const Real scale = a.scale ? a.scale[net] : Real(1);
  const Real* gradient = a.gradient + at;
  Real* momentum = a.momentum + at;
  if (rule.adam) {
    adam_tensor(CtaTeam{}, rule, a.lr[net], a.step, int(a.n), scale, directions + at, a.weights + at, momentum,
                a.second_moment + at, a.mask ? a.mask + at : nullptr);
    gradient = momentum = directions + at;
  }
  update_tensor(CtaTeam{}, rule, a.lr[net], a.step == 0, int(a.n), scale, gradient, a.weights + at, momentum,
                a.mask ? a.mask + at : nullptr);
}
template <class Real>
__global__ void project_kernel(const __grid_constant__ SignProjectArgs<Real> a) {
  const int64_t net = blockIdx.x, at = net * a.n;
  project_tensor(CtaTeam{}, a.projections[net], int(a.n), a.reference ? a.reference + at : nullptr, a.weights + at);
}

}  // namespace

template <class Real>
void run_update_tensor(const MirrorUpdateArgs<Real>& a, Real* directions) {
  gpu::launch(update_kernel<Real>, a.n_nets, 64, 0, nullptr, a, directions);
  gpu::check(cudaDeviceSynchronize(), "update_tensor");
}
template <class Real>
void run_project_tensor(const SignProjectArgs<Real>& a) {
  gpu::launch(project_kernel<Real>, a.n_nets, 64, 0, nullptr, a);
  gpu::check(cudaDeviceSynchronize(), "project_tensor");
}

template void run_update_tensor<float>(const MirrorUpdateArgs<float>&, float*);
template void run_update_tensor<double>(const MirrorUpdateArgs<double>&, double*);
template void run_project_tensor<float>(const SignProjectArgs<float>&);
template void run_project_tensor<double>(const SignProjectArgs<double>&);

}  // namespace cohort::testing

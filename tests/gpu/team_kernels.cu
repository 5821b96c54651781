#include "gpu/team_kernels.h"

#include "team/cta.h"

namespace cohort::testing {
namespace {

template <class Real>
__global__ void gemm_kernel(const __grid_constant__ GemmCase<Real> c) {
  const CtaTeam team;
  const int ld = CtaTeam::pad<Real>(c.n);
  for (int i = team.lane(); i < c.m * ld; i += team.size()) c.hits[i] = 0;
  const Product<Real> products[2] = {{c.a[0], c.a_row[0], c.a_k[0], c.b[0], c.ldb[0], c.k[0]},
                                     {c.a[1], c.a_row[1], c.a_k[1], c.b[1], c.ldb[1], c.k[1]}};
  team.gemm(c.m, c.n, products, [=](int row, int col, Real value) {
    c.out[row * ld + col] = value;
    ++c.hits[row * ld + col];
  });
}

template <class Real>
__global__ void sum_kernel(const Real* x, int n, Real* out) {
  const CtaTeam team;
  for (int turn = 0; turn < 2; ++turn)
    out[turn * team.size() + team.lane()] = team.sum<Real>(n, [=](int i) { return x[i]; });
}

__global__ void for_each_kernel(int n, int* hits, int rows, int cols, int* hits_2d) {
  const CtaTeam team;
  team.for_each(n, [=](int i) { atomicAdd(&hits[i], 1); });
  team.for_each_2d(rows, cols, [=](int r, int c) { atomicAdd(&hits_2d[r * cols + c], 1); });
}

}  // namespace

template <class Real>
void run_gemm(const GemmCase<Real>& c, int n_threads) {
  gpu::launch(gemm_kernel<Real>, 1, unsigned(n_threads), 0, nullptr, c);
  gpu::check(cudaDeviceSynchronize(), "gemm");
}
template <class Real>
void run_sum(const Real* x, int n, Real* out, int n_threads) {
  gpu::launch(sum_kernel<Real>, 1, unsigned(n_threads), 0, nullptr, x, n, out);
  gpu::check(cudaDeviceSynchronize(), "sum");
}
void run_for_each(int n, int* hits, int rows, int cols, int* hits_2d, int n_threads) {
  gpu::launch(for_each_kernel, 1, unsigned(n_threads), 0, nullptr, n, hits, rows, cols, hits_2d);
  gpu::check(cudaDeviceSynchronize(), "for_each");
}

template void run_gemm<float>(const GemmCase<float>&, int);
template void run_gemm<double>(const GemmCase<double>&, int);
template void run_sum<float>(const float*, int, float*, int);
template void run_sum<double>(const double*, int, double*, int);

}  // namespace cohort::testing

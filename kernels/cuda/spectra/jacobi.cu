// Singular values and vectors by one-sided Jacobi: a warp or half a warp per matrix up to 32 rows and columns, a block beyond.
#include <type_traits>

#include "cuda/spectra/jacobi_block.h"
#include "cuda/spectra/jacobi_warp.h"
#include "cuda/spectra/methods.h"

COHORT_BEGIN

namespace {

// ---- how a launch is made
template <class Real>
struct JacobiPlan {
  JacobiArgs<Real> args;
  bool in_shared = false;
  int n_blocks = 0, n_threads = 0;
  size_t smem_bytes = 0, workspace_bytes = 0;

  explicit JacobiPlan(const JacobiArgs<Real>& a) : args(a) {
    args.length = a.rows > a.cols ? a.rows : a.cols;
    args.k = a.rows > a.cols ? a.cols : a.rows;
    if (args.length <= 32) return;
    smem_bytes = BlockMemory<Real>::bytes_shared(args);
    in_shared = smem_bytes + static_smem <= gpu::smem_per_block();
    const int wanted = ((args.k + 1) / 2 * lanes_per_pair + 31) / 32 * 32;
    n_threads = wanted < most_block_threads ? wanted : most_block_threads;
    n_blocks = a.count;
    if (in_shared) return;
    smem_bytes = 0;
    const int resident = gpu::n_resident_blocks(jacobi_block_kernel<Real, false>, n_threads, 0);
    n_blocks = a.count < resident ? a.count : resident;
    workspace_bytes = size_t(n_blocks) * BlockMemory<Real>::bytes_in_workspace(args);
  }
  void launch(const Launch& l) const {
    if (args.length <= 16) return in_warps<16>(l);
    if (args.length <= 32) return in_warps<32>(l);
    gpu::launch(in_shared ? jacobi_block_kernel<Real, true> : jacobi_block_kernel<Real, false>, n_blocks, n_threads,
                smem_bytes, l.stream, args, static_cast<unsigned char*>(l.workspace));
  }

 private:
  static constexpr size_t static_smem = 256;  // of block_max and of decompose
  template <int n>
  void in_warps(const Launch& l) const {
    constexpr int per_block = warp_kernel_threads / n;
    gpu::launch(args.vectors ? jacobi_warp_kernel<Real, n, true> : jacobi_warp_kernel<Real, n, false>,
                (args.count + per_block - 1) / per_block, warp_kernel_threads, 0, l.stream, args);
  }
};

// Of matrices first..first + count - 1. Pointers may be null with first = 0, to ask for the workspace.
template <class Real, class Args>
JacobiPlan<Real> plan(const Args& a, int32_t first, int32_t count) {
  JacobiArgs<Real> args{};
  const ptrdiff_t n = first, rows = a.rows, cols = a.cols, k = rows < cols ? rows : cols;
  args.a = a.a + n * rows * cols;
  args.s = a.s + n * k;
  if constexpr (std::is_same_v<Args, SvdArgs<Real>>) {
    args.u = a.u + n * rows * k;
    args.v = a.v + n * cols * k;
    args.vectors = true;
  }
  args.status = a.status + n;
  args.rows = a.rows;
  args.cols = a.cols;
  args.count = count;
  return JacobiPlan<Real>(args);
}

const char* refuses(int, int) { return nullptr; }
template <class Real>
size_t values_workspace(const SvdvalsArgs<Real>& a, int32_t count) {
  return plan<Real>(a, 0, count).workspace_bytes;
}
template <class Real>
void svdvals(const SvdvalsArgs<Real>& a, const Launch& l) {
  plan<Real>(a, l.first, l.count).launch(l);
}
template <class Real>
constexpr ValuesMethod<Real> method = {SvdMethod::jacobi, refuses, values_workspace<Real>, svdvals<Real>};

}  // namespace

template <class Real>
const ValuesMethod<Real>& jacobi_method() {
  return method<Real>;
}
template <class Real>
size_t jacobi_svd_workspace(const SvdArgs<Real>& a, int32_t count) {
  return plan<Real>(a, 0, count).workspace_bytes;
}
template <class Real>
void jacobi_svd(const SvdArgs<Real>& a, const Launch& l) {
  plan<Real>(a, l.first, l.count).launch(l);
}

template const ValuesMethod<float>& jacobi_method<float>();
template const ValuesMethod<double>& jacobi_method<double>();
template size_t jacobi_svd_workspace(const SvdArgs<float>&, int32_t);
template size_t jacobi_svd_workspace(const SvdArgs<double>&, int32_t);
template void jacobi_svd(const SvdArgs<float>&, const Launch&);
template void jacobi_svd(const SvdArgs<double>&, const Launch&);

COHORT_END

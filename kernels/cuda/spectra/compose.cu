// Matrices put together again from singular values and vectors: a block per matrix, tiles of the result in registers, factors
// through shared memory.
#include "cuda/spectra/methods.h"
#include "cuda/spectra/warp.h"
#include "spectra/gain.h"

COHORT_BEGIN

namespace {

constexpr int across = CtaTeam::threads >= 256 ? 16 : 8;  // threads in a row and in a column of a block
constexpr int n_threads = across * across;
constexpr int side = 4 * across;  // of a tile; a thread has 4 x 4 of its elements, `across` apart
constexpr int depth = 16;         // singular vectors in shared memory at a time

template <class Real>
struct Sums {
  Real v[4][4] = {};
};

// `vectors` [rows][k], rows first_row.. and vectors first.. of it times `weight` of each vector, to to[depth][side + 1]; zero beyond
// `rows` and `rank`.
template <class Real, class Weight>
__device__ __forceinline__ void stage(Real* to, const Real* vectors, int rows, int k, int rank, int first_row,
                                      int first, Weight weight) {
  for (int i = int(threadIdx.x); i < side * depth; i += n_threads) {
    const int r = i / depth, j = i % depth, row = first_row + r, vector = first + j;
    to[j * (side + 1) + r] =
        row < rows && vector < rank ? vectors[ptrdiff_t(row) * k + vector] * weight(vector) : Real(0);
  }
}

template <class Real>
__global__ void __launch_bounds__(n_threads) compose_kernel(const ComposeArgs<Real> args) {
  GPU_SHARED(Real, u, depth * (side + 1));
  GPU_SHARED(Real, v, depth * (side + 1));
  const int rows = args.rows, cols = args.cols, k = rows < cols ? rows : cols;
  const ptrdiff_t m = blockIdx.x;
  const Real* const s = args.s + m * k;
  Real* const out = args.out + m * rows * cols;
  const int rank = args.rank ? args.rank[m] : k;
  const SpectrumStatus status = args.status[m];
  __syncthreads();  // all have read the status
  const bool undefined = status == SpectrumStatus::not_finite || rank < 1 || rank > k || s[0] != s[0];
  if (undefined && threadIdx.x == 0) args.status[m] = SpectrumStatus::not_finite;
  if (!undefined && args.keep_full && rank == k) return;
  if (undefined || status != SpectrumStatus::ok) {
    CtaTeam{}.for_each(rows * cols, [&](int i) { out[i] = not_a_number<Real>(); });
    return;
  }

  const Real gain = args.frobenius ? frobenius_gain(CtaTeam{}, s, k, rank) : Real(1);
  const int tx = int(threadIdx.x) % across, ty = int(threadIdx.x) / across;
  for (int row = 0; row < rows; row += side)
    for (int col = 0; col < cols; col += side) {
      Sums<Real> sums;
      for (int first = 0; first < rank; first += depth) {
        stage(u, args.u + m * rows * k, rows, k, rank, row, first, [&](int j) { return gain * s[j]; });
        stage(v, args.v + m * cols * k, cols, k, rank, col, first, [](int) { return Real(1); });
        __syncthreads();
        COHORT_UNROLL_4
        for (int j = 0; j < depth; ++j) {
          Real a[4], b[4];
          COHORT_UNROLL
          for (int i = 0; i < 4; ++i) {
            a[i] = u[j * (side + 1) + ty + across * i];
            b[i] = v[j * (side + 1) + tx + across * i];
          }
          COHORT_UNROLL
          for (int i = 0; i < 4; ++i) {
            COHORT_UNROLL
            for (int l = 0; l < 4; ++l) sums.v[i][l] = ::fma(a[i], b[l], sums.v[i][l]);
          }
        }
        __syncthreads();
      }
      COHORT_UNROLL
      for (int i = 0; i < 4; ++i) {
        COHORT_UNROLL
        for (int l = 0; l < 4; ++l) {
          const int r = row + ty + across * i, c = col + tx + across * l;
          if (r < rows && c < cols) out[ptrdiff_t(r) * cols + c] = sums.v[i][l];
        }
      }
    }
}

}  // namespace

template <class Real>
void compose(const ComposeArgs<Real>& args, int32_t count, CUstream_st* stream) {
  gpu::launch(compose_kernel<Real>, count, n_threads, 0, stream, args);
}
template void compose(const ComposeArgs<float>&, int32_t, CUstream_st*);
template void compose(const ComposeArgs<double>&, int32_t, CUstream_st*);

COHORT_END

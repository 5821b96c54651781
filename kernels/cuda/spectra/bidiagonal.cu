// Singular values only: bidiagonalisation, then bisection with one value per thread, in one kernel.
#include "cuda/spectra/bidiagonal.h"

#include "cuda/ptx.h"
#include "cuda/spectra/methods.h"

COHORT_BEGIN

namespace {

// How many singular values of the bidiagonal lie below x: the negative pivots of B^T B - x^2 I in stationary qd form, with
// one division a row. squares[i] = (diag^2, super^2), all at most one.
__device__ __forceinline__ int count_below(const float2* squares, int n, float x) {
  constexpr float tiny = 1e-30f;
  const float shift = x * x;
  float s = -shift;
  int count = 0;
  COHORT_UNROLL_4
  for (int i = 0; i < n; ++i) {
    float pivot = squares[i].x + s;
    if (::fabsf(pivot) < tiny) pivot = -tiny;
    count += pivot < 0;
    s = ::fmaf(squares[i].y, s * ptx::reciprocal_approx(pivot), -shift);
  }
  return count;
}

// sigma [n] falls, in [0, 1]. All threads first count on a common grid, which replaces log2(threads) bisections. Threads
// with the same bracket see the same counts and brackets only ever split, so sigma is sorted whatever the rounding of counts.
template <int n_threads>
__device__ __forceinline__ void bisect(const float2* squares, int n, int* counts, float* sigma) {
  constexpr float width = 1.0f / n_threads, last = 1.0f / (1 << 25);
  counts[threadIdx.x] = count_below(squares, n, float(threadIdx.x) * width);
  __syncthreads();
  for (int i = int(threadIdx.x); i < n; i += n_threads) {
    int cell = 0;
    for (int half = n_threads / 2; half > 0; half /= 2)
      if (counts[cell + half] < n - i) cell += half;
    float low = float(cell) * width;
    COHORT_ROLLED
    for (float half = width / 2; half >= last; half /= 2)
      if (count_below(squares, n, low + half) < n - i) low += half;
    sigma[i] = low + last / 2;
  }
}

template <class Shape>
struct ValuesMemory {
  BidiagonalMemory<Shape> bidiagonal;
  float2* squares;  // [most]
  float* values;    // [most]
  int* counts;      // [n_threads]
  COHORT_FN explicit ValuesMemory(gpu::Smem& smem) : bidiagonal(smem) {
    squares = smem.take<float2>(Shape::most);
    values = smem.take<float>(Shape::most);
    counts = smem.take<int>(Shape::n_threads);
  }
  static size_t bytes() {
    gpu::Smem smem(nullptr);
    const ValuesMemory memory(smem);
    return smem.bytes();
  }
};

struct Values {
  const float* a;
  float* s;
  SpectrumStatus* status;
  int rows, cols;
};

template <class Shape>
__global__ void __launch_bounds__(Shape::n_threads, 1) bidiagonal_values_kernel(const Values v) {
  GPU_DYN_SMEM(base);
  gpu::Smem smem(base);
  const ValuesMemory<Shape> memory(smem);
  Bidiagonalisation<Shape> b(memory.bidiagonal, v.rows, v.cols);
  const int tid = int(threadIdx.x), n = b.n_cols();
  float* const s = v.s + ptrdiff_t(blockIdx.x) * n;

  const unsigned largest = b.read(v.a + ptrdiff_t(blockIdx.x) * v.rows * v.cols, v.rows, v.cols);
  const bool finite = is_finite<float>(largest);
  if (tid == 0) v.status[blockIdx.x] = finite ? SpectrumStatus::ok : SpectrumStatus::not_finite;
  if (!finite || largest == 0) {
    for (int i = tid; i < n; i += Shape::n_threads) s[i] = finite ? 0.0f : not_a_number<float>();
    return;
  }
  const PowerOfTwo<float> scale(largest);
  b.run(scale.down);

  // ||B|| <= the largest row sum of [0 B; B^T 0] <= sqrt 2 ||B||.
  const float *diag = memory.bidiagonal.diag, *super = memory.bidiagonal.super;
  float bound = 0;
  for (int i = tid; i < n; i += Shape::n_threads) {
    const float right = i < n - 1 ? ::fabsf(super[i]) : 0.0f, above = i > 0 ? ::fabsf(super[i - 1]) : 0.0f;
    bound = ::fmaxf(bound, ::fabsf(diag[i]) + ::fmaxf(right, above));
  }
  bound = 1.00001f * math::bits<float>(block_max(magnitude(bound)));
  for (int i = tid; i < n; i += Shape::n_threads) {
    const float d = diag[i] / bound, e = i < n - 1 ? super[i] / bound : 0.0f;
    memory.squares[i] = make_float2(d * d, e * e);
  }
  __syncthreads();
  bisect<Shape::n_threads>(memory.squares, n, memory.counts, memory.values);
  __syncthreads();
  for (int i = tid; i < n; i += Shape::n_threads) s[i] = bound * memory.values[i] * scale.up;
}

// f(shape) with the smallest shape that holds rows x cols. Those of 256 were the ones without spills.
template <class F>
auto with_shape(int rows, int cols, F f) {
  const int n = rows > cols ? rows : cols;
  if (n <= 16) return f(BidiagonalShape<16, 1>{});
  if (n <= 32) return f(BidiagonalShape<32, 1>{});
  if (n <= 64) return f(BidiagonalShape<64, 2>{});
  if (n <= 128) return f(BidiagonalShape<128, 8>{});
  return f(BidiagonalShape<256, 8, 16, 4>{});
}

const char* refuses(int rows, int cols) {
  if (rows > 256 || cols > 256) return "more than 256 rows or columns";
  const size_t bytes = with_shape(rows, cols, [](auto shape) { return ValuesMemory<decltype(shape)>::bytes(); });
  return bytes > gpu::smem_per_block() ? "the device has too little shared memory" : nullptr;
}

size_t workspace(const SvdvalsArgs<float>&, int32_t) { return 0; }

void svdvals(const SvdvalsArgs<float>& a, const Launch& l) {
  const ptrdiff_t k = a.rows < a.cols ? a.rows : a.cols;
  const Values values{a.a + ptrdiff_t(l.first) * a.rows * a.cols, a.s + l.first * k, a.status + l.first, a.rows,
                      a.cols};
  with_shape(a.rows, a.cols, [&](auto shape) {
    using Shape = decltype(shape);
    gpu::launch(bidiagonal_values_kernel<Shape>, l.count, Shape::n_threads, ValuesMemory<Shape>::bytes(), l.stream,
                values);
  });
}

constexpr ValuesMethod<float> method = {SvdMethod::bidiagonal, refuses, workspace, svdvals};

}  // namespace

const ValuesMethod<float>& bidiagonal_method() { return method; }

COHORT_END

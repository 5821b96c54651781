// Jacobi of any size, a block per matrix: eight lanes rotate a pair of columns in memory, one barrier per round.
#pragma once

#include "cuda/spectra/jacobi.h"
#include "team/arena.h"

COHORT_BEGIN

template <class Real>
struct alignas(16) Pack {
  static constexpr int size = 16 / int(sizeof(Real));
  Real v[size];
};

inline constexpr int lanes_per_pair = 8;
inline constexpr int most_block_threads = 2 * CtaTeam::threads;

// The columns of a matrix in memory, one after another: `length` elements of X, then, if vectors are wanted, k of W, both
// padded to whole packs with zeros.
template <class Real>
struct ColumnShape {
  int x_packs, packs;
  COHORT_FN ColumnShape(int length, int k, bool vectors) {
    constexpr int size = Pack<Real>::size;
    x_packs = (length + size - 1) / size;
    packs = x_packs + (vectors ? (k + size - 1) / size : 0);
  }
  COHORT_FN int stride() const { return packs * Pack<Real>::size; }
  COHORT_FN int w() const { return x_packs * Pack<Real>::size; }  // where W begins
};

// Arrays of a block: in shared memory (gpu::Smem) if they fit, else in the workspace (Arena).
template <class Real>
struct BlockMemory {
  Real* columns;
  Real *norm, *dot;  // [k]
  Real* rest;        // [length] 1 - what of the row's unit vector the columns represent
  int* order;        // [k] column that comes in place p
  template <class Memory>
  COHORT_FN BlockMemory(Memory& memory, const JacobiArgs<Real>& a) {
    const size_t k = size_t(a.k), length = size_t(a.length);
    columns = memory.template take<Real>(k * size_t(ColumnShape<Real>(a.length, a.k, a.vectors).stride()));
    norm = memory.template take<Real>(k);
    dot = memory.template take<Real>(k);
    rest = memory.template take<Real>(length);
    order = memory.template take<int>(k);
  }
  static size_t bytes_shared(const JacobiArgs<Real>& a) {
    gpu::Smem smem(nullptr);
    const BlockMemory memory(smem, a);
    return smem.bytes();
  }
  COHORT_FN static size_t bytes_in_workspace(const JacobiArgs<Real>& a) {
    Arena arena(nullptr);
    const BlockMemory memory(arena, a);
    return arena.used();
  }
};

template <class Real>
class BlockJacobi {
 public:
  __device__ __forceinline__ BlockJacobi(const JacobiArgs<Real>& args, const BlockMemory<Real>& memory, int* flags)
      : args_(args), memory_(memory), flags_(flags), shape_(args.length, args.k, args.vectors) {}

  // Matrix m, by all threads of the block.
  __device__ __forceinline__ void run(int32_t m) {
    const unsigned largest = read(m);
    if (!is_finite<Real>(largest)) {
      const Real nan = not_a_number<Real>();
      for_each(args_.k, [&](int p) { args_.s[ptrdiff_t(m) * args_.k + p] = nan; });
      if (args_.vectors) {
        for_each(args_.length * args_.k, [&](int i) { args_.of_x(m)[i] = nan; });
        for_each(args_.k * args_.k, [&](int i) { args_.of_w(m)[i] = nan; });
      }
      if (threadIdx.x == 0) args_.status[m] = SpectrumStatus::not_finite;
      return;
    }
    const PowerOfTwo<Real> scale(largest);
    scale_down(scale.down);
    const bool converged = rotate_all();
    if (threadIdx.x == 0) args_.status[m] = status_of(converged);
    sort();
    for_each(args_.k, [&](int p) { args_.s[ptrdiff_t(m) * args_.k + p] = memory_.norm[memory_.order[p]] * scale.up; });
    if (!args_.vectors) return;
    normalise();
    complete();
    write(args_.of_x(m), args_.length, 0);
    write(args_.of_w(m), args_.k, shape_.w());
  }

 private:
  const JacobiArgs<Real>& args_;
  const BlockMemory<Real>& memory_;
  int* flags_;  // [3] last sweep with a rotation, rank, row
  ColumnShape<Real> shape_;

  template <class F>
  static __device__ __forceinline__ void for_each(int n, F f) {
    CtaTeam{}.for_each(n, f);
  }
  static __device__ __forceinline__ int group() { return int(threadIdx.x) / lanes_per_pair; }
  static __device__ __forceinline__ int n_groups() { return int(blockDim.x) / lanes_per_pair; }
  static __device__ __forceinline__ int lane() { return int(threadIdx.x) % lanes_per_pair; }
  __device__ __forceinline__ Real* column(int c) const { return memory_.columns + ptrdiff_t(c) * shape_.stride(); }
  __device__ __forceinline__ Pack<Real>* packs(int c) const { return reinterpret_cast<Pack<Real>*>(column(c)); }

  __device__ __forceinline__ unsigned read(int32_t m) {
    const int length = args_.length, k = args_.k, w = shape_.w(), stride = shape_.stride();
    unsigned largest = 0;
    const auto take = [&](int c, int i) {
      const Real x = i < length ? args_.element(m, i, c) : i >= w && i - w == c ? Real(1) : Real(0);
      column(c)[i] = x;
      const unsigned e = i < length ? magnitude(x) : 0;
      largest = largest < e ? e : largest;
    };
    if (args_.transposed())  // neighbouring threads to neighbouring addresses
      CtaTeam{}.for_each_2d(k, stride, [&](int c, int i) { take(c, i); });
    else
      CtaTeam{}.for_each_2d(stride, k, [&](int i, int c) { take(c, i); });
    return block_max(largest);
  }
  __device__ __forceinline__ void scale_down(Real factor) {
    CtaTeam{}.for_each_2d(args_.k, args_.length, [&](int c, int i) { column(c)[i] *= factor; });
    if (threadIdx.x == 0) flags_[0] = flags_[1] = 0;
    __syncthreads();
  }

  // Rounds by the circle method: all players but the last one move on by one seat. Returns whether the last sweep found nothing.
  __device__ __forceinline__ bool rotate_all() {
    const int k = args_.k, players = k + k % 2, n_pairs = players / 2;
    const Real tolerance = jacobi_tolerance<Real>(args_.length);
    bool converged = false;
    for (int sweep = 1; sweep <= most_sweeps && !converged; ++sweep) {
      for (int round = 0; round < players - 1; ++round) {
        for (int first = 0; first < n_pairs; first += n_groups()) {
          const int pair = first + group();
          const int a = pair ? (round + pair) % (players - 1) : players - 1;
          const int b = (round - pair + players - 1) % (players - 1);
          const int p = a < b ? a : b, q = a < b ? b : a;
          if (rotate_pair(pair < n_pairs && q < k, p, q, tolerance) && lane() == 0) atomicMax(&flags_[0], sweep);
        }
        __syncthreads();
      }
      converged = flags_[0] != sweep;
      __syncthreads();
    }
    return converged;
  }
  // By the lanes of a group, all groups of a warp together. Returns whether there was anything to rotate.
  __device__ __forceinline__ bool rotate_pair(bool active, int p, int q, Real tolerance) {
    Pack<Real>*const a = packs(active ? p : 0), *const b = packs(active ? q : 0);
    Real aa = 0, bb = 0, ab = 0;
    if (active)
      for (int i = lane(); i < shape_.x_packs; i += lanes_per_pair) {
        const Pack<Real> x = a[i], y = b[i];
        COHORT_UNROLL
        for (int e = 0; e < Pack<Real>::size; ++e) {
          aa = ::fma(x.v[e], x.v[e], aa);
          bb = ::fma(y.v[e], y.v[e], bb);
          ab = ::fma(x.v[e], y.v[e], ab);
        }
      }
    const Rotation<Real> g(lane_sum<lanes_per_pair>(aa), lane_sum<lanes_per_pair>(bb), lane_sum<lanes_per_pair>(ab),
                           tolerance);
    if (g.s == 0) return false;
    for (int i = lane(); i < shape_.packs; i += lanes_per_pair) {
      Pack<Real> x = a[i], y = b[i];
      COHORT_UNROLL
      for (int e = 0; e < Pack<Real>::size; ++e) g.rotate(x.v[e], y.v[e]);
      a[i] = x;
      b[i] = y;
    }
    return true;
  }

  // X of column c times v [length, padded], by the lanes of a group, all groups of a warp together.
  __device__ __forceinline__ Real dot(int c, const Pack<Real>* v) const {
    const Pack<Real>* const x = packs(c);
    Real sum = 0;
    for (int i = lane(); i < shape_.x_packs; i += lanes_per_pair) {
      COHORT_UNROLL
      for (int e = 0; e < Pack<Real>::size; ++e) sum = ::fma(x[i].v[e], v[i].v[e], sum);
    }
    return lane_sum<lanes_per_pair>(sum);
  }

  // norm, order and rank.
  __device__ __forceinline__ void sort() {
    const int k = args_.k;
    for (int first = 0; first < k; first += n_groups()) {
      const int c = first + group(), inside = c < k ? c : k - 1;
      const Real norm = math::sqrt(dot(inside, packs(inside)));
      if (c < k && lane() == 0) {
        memory_.norm[c] = norm;
        if (norm >= null_column<Real>()) atomicAdd(&flags_[1], 1);
      }
    }
    __syncthreads();
    const Real* const norm = memory_.norm;
    for_each(k, [&](int c) {
      int place = 0;
      for (int other = 0; other < k; ++other) place += norm[other] > norm[c] || (norm[other] == norm[c] && other < c);
      memory_.order[place] = c;
    });
    __syncthreads();
  }
  __device__ __forceinline__ void normalise() {
    CtaTeam{}.for_each_2d(args_.k, args_.length, [&](int c, int i) {
      const Real norm = memory_.norm[c];
      if (norm >= null_column<Real>()) column(c)[i] /= norm;
    });
    __syncthreads();
  }

  // The columns in places from the rank on become orthonormal to each other and to those before: the unit vector of the row that is
  // represented worst, minus its projection, taken twice.
  __device__ __forceinline__ void complete() {
    const int length = args_.length, k = args_.k, rank = flags_[1], *const order = memory_.order;
    if (rank == k) return;
    for_each(length, [&](int i) {
      Real rest = 1;
      for (int p = 0; p < rank; ++p) rest = ::fma(-column(order[p])[i], column(order[p])[i], rest);
      memory_.rest[i] = rest;
    });
    for (int p = rank; p < k; ++p) {
      Real* const x = column(order[p]);
      __syncthreads();
      if (threadIdx.x < 32) choose_row();
      __syncthreads();
      const int row = flags_[2];
      for_each(length, [&](int i) {
        Real sum = i == row;
        for (int before = 0; before < p; ++before) {
          const Real* const y = column(order[before]);
          sum = ::fma(-y[row], y[i], sum);
        }
        x[i] = sum;
      });
      __syncthreads();
      for (int first = 0; first < p; first += n_groups()) {
        const int before = first + group();
        const Real d = dot(order[before < p ? before : 0], packs(order[p]));
        if (before < p && lane() == 0) memory_.dot[before] = d;
      }
      __syncthreads();
      for_each(length, [&](int i) {
        Real sum = x[i];
        for (int before = 0; before < p; ++before) sum = ::fma(-memory_.dot[before], column(order[before])[i], sum);
        x[i] = sum;
      });
      __syncthreads();
      const Real norm = math::sqrt(dot(order[p], packs(order[p])));
      __syncthreads();
      for_each(length, [&](int i) {
        x[i] /= norm;
        memory_.rest[i] = ::fma(-x[i], x[i], memory_.rest[i]);
      });
    }
    __syncthreads();
  }
  // By the first warp: the first of the rows with the largest rest.
  __device__ __forceinline__ void choose_row() {
    Real best = -2;
    int row = 0;
    for (int i = int(threadIdx.x); i < args_.length; i += 32)
      if (memory_.rest[i] > best) {
        best = memory_.rest[i];
        row = i;
      }
    for (int distance = 1; distance < 32; distance *= 2) {
      const Real other = __shfl_xor_sync(full_warp, best, distance);
      const int other_row = __shfl_xor_sync(full_warp, row, distance);
      if (other > best || (other == best && other_row < row)) {
        best = other;
        row = other_row;
      }
    }
    if (threadIdx.x == 0) flags_[2] = row;
  }

  // to [rows][k] from the rows of the columns from `first` on, in order.
  __device__ __forceinline__ void write(Real* to, int rows, int first) {
    const int k = args_.k;
    CtaTeam{}.for_each_2d(rows, k,
                          [&](int i, int p) { to[ptrdiff_t(i) * k + p] = column(memory_.order[p])[first + i]; });
  }
};

template <class Real>
__device__ __forceinline__ void decompose(const JacobiArgs<Real>& args, const BlockMemory<Real>& memory) {
  GPU_SHARED(int, flags, 3);
  BlockJacobi<Real> jacobi(args, memory, flags);
  for (int32_t m = int32_t(blockIdx.x); m < args.count; m += int32_t(gridDim.x)) {
    jacobi.run(m);
    __syncthreads();
  }
}
template <class Real, bool in_shared>
__global__ void __launch_bounds__(most_block_threads, 1)
    jacobi_block_kernel(const __grid_constant__ JacobiArgs<Real> args, unsigned char* workspace) {
  if constexpr (in_shared) {
    GPU_DYN_SMEM(base);
    gpu::Smem smem(base);
    decompose(args, BlockMemory<Real>(smem, args));
  } else {
    Arena arena(workspace + blockIdx.x * BlockMemory<Real>::bytes_in_workspace(args));
    decompose(args, BlockMemory<Real>(arena, args));
  }
}

COHORT_END

// The update programs of CUDA (cohort/update.h), one pass over memory. Weights go through registers in windows of 16 bytes,
// a few per lane: all their loads are in flight before the rule is known, then comes one branch for geometry and
// projection, then the stores. Compiled once per Real (COHORT_TARGET, COHORT_REAL, COHORT_ISA come from the build).
#include <bit>

#include "cuda/gpu.h"
#include "program/rule.h"
#include "program/update_arguments.h"

#if defined(__CUDACC__)
#define COHORT_UNROLLED _Pragma("unroll")
#define COHORT_NOT_UNROLLED _Pragma("unroll 1")
#else
#define COHORT_UNROLLED
#define COHORT_NOT_UNROLLED
#endif

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

constexpr int n_threads = 128;
constexpr int min_blocks =
    sizeof(Real) == 4 ? 7 : 4;                 // in flight per multiprocessor: leaves a thread 72 (120) registers
constexpr int width = 16 / int(sizeof(Real));  // weights of a window
constexpr int n_windows = 2;                   // of a lane
constexpr int n_weights = n_windows * width;

// ---- how a launch is cut into pieces of rows (a row is one network's weights); neighbouring lanes share a piece
struct Cut {
  int32_t first, count;    // networks
  int64_t n;               // weights of a row
  uint32_t pieces, lanes;  // pieces per row, lanes per piece: a power of two, at most 32
  unsigned n_blocks() const {
    const uint32_t per_block = n_threads / lanes;
    return unsigned((uint64_t(count) * pieces + per_block - 1) / per_block);
  }
};

// Windows lie at multiples of 16 bytes in memory: the first and the last of a row may reach beyond it.
Cut cut(const Real* rows, int64_t n, const Launch& l) {
  const bool skewed = reinterpret_cast<uintptr_t>(rows) % 16 != 0 || n % width != 0;
  const auto over = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
  const int64_t windows = over(n + (skewed ? width - 1 : 0), width), per_lane = over(windows, n_windows);
  const uint32_t lanes = per_lane < 32 ? std::bit_ceil(uint32_t(per_lane)) : 32;
  return {l.first, l.count, n, uint32_t(over(windows, int64_t(lanes) * n_windows)), lanes};
}

// The windows of this lane: neighbouring lanes have neighbouring windows.
struct Place {
  int32_t network = 0;
  int64_t first = 0;    // where the first window begins, in weights from the first network's; maybe before the row
  int64_t stride = 0;   // from a window to the next
  uint32_t inside = 0;  // bit i: is weight i of the lane one of the row? 0 where the grid is larger than the cut
  __device__ __forceinline__ Place(const Cut& cut, const Real* rows) {
    const uint32_t item = blockIdx.x * (n_threads / cut.lanes) + threadIdx.x / cut.lanes;
    const uint32_t number = item / cut.pieces, piece = item % cut.pieces;
    if (number >= uint32_t(cut.count)) return;
    network = cut.first + int32_t(number);
    const int64_t row = network * cut.n;
    const int before = int(reinterpret_cast<uintptr_t>(rows + row) / sizeof(Real) % width);
    const int64_t window = int64_t(piece) * (cut.lanes * n_windows) + threadIdx.x % cut.lanes;
    stride = cut.lanes * width;
    first = row + window * width - before;
    COHORT_UNROLLED
    for (int i = 0; i < n_weights; ++i) {
      const int64_t k = first + i / width * stride + i % width - row;
      inside |= uint32_t(k >= 0 && k < cut.n) << i;
    }
  }
  __device__ __forceinline__ bool has(int u, int j) const { return (inside >> (u * width + j) & 1) != 0; }
  __device__ __forceinline__ bool whole(int u) const {
    constexpr uint32_t all = (1u << width) - 1;
    return (inside >> u * width & all) == all;
  }
};

// One array as a lane sees it: its windows in registers. 16-byte accesses where a window is whole and aligned.
template <class T>
struct Windows {
  struct alignas(sizeof(T) * width) Pack {
    T v[width];
  };
  Pack pack[n_windows];

  __device__ __forceinline__ T& operator[](int i) { return pack[i / width].v[i % width]; }
  __device__ __forceinline__ const T& operator[](int i) const { return pack[i / width].v[i % width]; }

  // Weights that are not in the row become 0.
  __device__ __forceinline__ void load(const T* array, const Place& p) {
    COHORT_UNROLLED
    for (int u = 0; u < n_windows; ++u) {
      const T* const from = array + (p.first + u * p.stride);
      if (p.whole(u) && aligned(from)) {
        pack[u] = *reinterpret_cast<const Pack*>(from);
      } else {
        COHORT_UNROLLED
        for (int j = 0; j < width; ++j) pack[u].v[j] = p.has(u, j) ? from[j] : T(0);
      }
    }
  }
  __device__ __forceinline__ void store(T* array, const Place& p) const {
    COHORT_UNROLLED
    for (int u = 0; u < n_windows; ++u) {
      T* const to = array + (p.first + u * p.stride);
      if (p.whole(u) && aligned(to)) {
        *reinterpret_cast<Pack*>(to) = pack[u];
      } else {
        COHORT_UNROLLED
        for (int j = 0; j < width; ++j)
          if (p.has(u, j)) to[j] = pack[u].v[j];
      }
    }
  }
  // Weight i + 1 becomes weight i; the first, the last.
  __device__ __forceinline__ void rotate() {
    const T first = (*this)[0];
    COHORT_UNROLLED
    for (int i = 0; i + 1 < n_weights; ++i) (*this)[i] = (*this)[i + 1];
    (*this)[n_weights - 1] = first;
  }

 private:
  static __device__ __forceinline__ bool aligned(const T* p) {
    return reinterpret_cast<uintptr_t>(p) % alignof(Pack) == 0;
  }
};

// with_adam: there are second moments, so rules may have Adam; it takes more registers.
template <bool with_adam>
__global__ void __launch_bounds__(n_threads, with_adam ? min_blocks - 2 : min_blocks)
    mirror_update_kernel(const __grid_constant__ MirrorUpdateArgs<Real> a, const __grid_constant__ Cut cut) {
  const Place place(cut, a.weights);
  if (!place.inside) return;
  Windows<Real> w, g, m = {};
  w.load(a.weights, place);
  g.load(a.gradient, place);
  if (a.momentum && a.step > 0) m.load(a.momentum, place);
  uint32_t fixed = 0;  // a bit per weight
  if (a.mask) {
    Windows<uint8_t> free;
    free.load(a.mask, place);
    COHORT_UNROLLED
    for (int i = 0; i < n_weights; ++i) fixed |= uint32_t(free[i] == 0) << i;
  }
  const RuleSpec& rule = a.rules[place.network];
  const Real scale = a.scale ? a.scale[place.network] : Real(1);
  const Step<Real> step(rule, a.lr[place.network], a.step == 0, scale);
  if (rule.adam && !(with_adam && a.momentum)) return;
  if constexpr (with_adam)
    if (rule.adam) {
      const Adam<Real> adam(rule, a.lr[place.network], a.step, scale);
      Windows<Real> v = {};
      if (a.step > 0) v.load(a.second_moment, place);
      COHORT_UNROLLED
      for (int i = 0; i < n_weights; ++i) {
        g[i] = adam.direction(g[i], m[i], v[i]);
        w[i] = adam.decayed(w[i], (fixed >> i & 1) != 0);
      }
      m.store(a.momentum, place);
      v.store(a.second_moment, place);
    }
  with_rule(rule, [&](auto map, auto projection) {
    COHORT_NOT_UNROLLED  // one weight at a time through one copy of the formula: several do not fit into registers
        for (int i = 0; i < n_weights; ++i) {
      w[0] = step.move(map, projection, g[0], w[0], m[0], (fixed >> i & 1) != 0);
      w.rotate();
      g.rotate();
      m.rotate();
    }
  });
  w.store(a.weights, place);
  if (a.momentum && !rule.adam) m.store(a.momentum, place);
}

__global__ void __launch_bounds__(n_threads, min_blocks)
    sign_project_kernel(const __grid_constant__ SignProjectArgs<Real> a, const __grid_constant__ Cut cut) {
  const Place place(cut, a.weights);
  if (!place.inside) return;
  Windows<Real> w, reference;
  w.load(a.weights, place);
  if (a.reference) reference.load(a.reference, place);
  with_projection(a.projections[place.network], [&](auto projection) {
    COHORT_UNROLLED
    for (int i = 0; i < n_weights; ++i) w[i] = projection.apply(a.reference ? reference[i] : Real(1), w[i]);
  });
  w.store(a.weights, place);
}

void mirror_update(const MirrorUpdateArgs<Real>& a, const Launch& l) {
  if (!check_update(a, l)) return;
  const Cut c = cut(a.weights, a.n, l);
  gpu::launch(a.second_moment ? mirror_update_kernel<true> : mirror_update_kernel<false>, c.n_blocks(), n_threads, 0,
              l.stream, a, c);
}

void sign_project(const SignProjectArgs<Real>& a, const Launch& l) {
  if (!check_update(a, l)) return;
  const Cut c = cut(a.weights, a.n, l);
  gpu::launch(sign_project_kernel, c.n_blocks(), n_threads, 0, l.stream, a, c);
}

constexpr UpdateProgram<Real> update_program = {
    .backend = "cuda", .isa = COHORT_ISA, .mirror_update = mirror_update, .sign_project = sign_project};

}  // namespace

const UpdateProgram<Real>& update_row() { return update_program; }

COHORT_END

namespace cohort {

template <>
const UpdateProgram<COHORT_REAL>* cuda_update<COHORT_REAL>() {
  return &COHORT_TARGET::update_row();
}

}  // namespace cohort

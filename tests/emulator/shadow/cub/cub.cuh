// The block and warp primitives of CUB for one-dimensional blocks, with CUB's contracts: results of reductions are for
// the first thread only (NaN in the others), and temporary storage is used again only after a barrier (the reading
// threads are late). The order of additions is not CUB's.
#pragma once

#include "cuda/gpu.h"

namespace cub {

enum BlockReduceAlgorithm { BLOCK_REDUCE_RAKING_COMMUTATIVE_ONLY, BLOCK_REDUCE_RAKING, BLOCK_REDUCE_WARP_REDUCTIONS };
enum BlockScanAlgorithm { BLOCK_SCAN_RAKING, BLOCK_SCAN_RAKING_MEMOIZE, BLOCK_SCAN_WARP_SCANS };

namespace detail {

struct Plus {
  template <class T>
  T operator()(const T& a, const T& b) const {
    return a + b;
  }
};

template <class T>
T undefined() {
  T value;
  std::memset(&value, 0xff, sizeof value);
  return value;
}

template <class T, class F>
T fold(const T* values, int n, F f) {
  T total = values[0];
  for (int i = 1; i < n; ++i) total = f(total, values[i]);
  return total;
}

inline void check_block(int n_threads, const char* what, const emulator::Site& site) {
  if (blockDim.x != unsigned(n_threads) || blockDim.y * blockDim.z != 1)
    emulator::fail("%s at %s:%u is for %d threads in one dimension, the block has %u x %u x %u", what, site.file_name(),
                   site.line(), n_threads, blockDim.x, blockDim.y, blockDim.z);
}

}  // namespace detail

template <class T, int n_threads, BlockReduceAlgorithm = BLOCK_REDUCE_WARP_REDUCTIONS>
class BlockReduce {
 public:
  struct TempStorage {
    T values[n_threads];
  };
  explicit BlockReduce(TempStorage& storage) : storage_(storage) {}

  // Of the first n_valid threads.
  template <class F>
  T Reduce(T value, F f, int n_valid, EMULATOR_SITE) {
    detail::check_block(n_threads, "cub::BlockReduce", site);
    storage_.values[threadIdx.x] = value;
    __syncthreads(site);
    if (threadIdx.x != 0) return detail::undefined<T>();
    emulator::be_late();
    return detail::fold(storage_.values, n_valid, f);
  }
  template <class F>
  T Reduce(T value, F f, EMULATOR_SITE) {
    return Reduce(value, f, n_threads, site);
  }
  T Sum(T value, int n_valid, EMULATOR_SITE) { return Reduce(value, detail::Plus{}, n_valid, site); }
  T Sum(T value, EMULATOR_SITE) { return Reduce(value, detail::Plus{}, n_threads, site); }

 private:
  TempStorage& storage_;
};

template <class T, int n_threads, BlockScanAlgorithm = BLOCK_SCAN_RAKING>
class BlockScan {
 public:
  struct TempStorage {
    T values[n_threads];
  };
  explicit BlockScan(TempStorage& storage) : storage_(storage) {}

  void InclusiveSum(T value, T& sum, EMULATOR_SITE) {
    publish(value, site);
    sum = detail::fold(storage_.values, int(threadIdx.x) + 1, detail::Plus{});
  }
  void InclusiveSum(T value, T& sum, T& total, EMULATOR_SITE) {
    publish(value, site);
    sum = detail::fold(storage_.values, int(threadIdx.x) + 1, detail::Plus{});
    total = detail::fold(storage_.values, n_threads, detail::Plus{});
  }
  void ExclusiveSum(T value, T& sum, EMULATOR_SITE) {
    publish(value, site);
    sum = before();
  }
  void ExclusiveSum(T value, T& sum, T& total, EMULATOR_SITE) {
    publish(value, site);
    sum = before();
    total = detail::fold(storage_.values, n_threads, detail::Plus{});
  }

 private:
  void publish(T value, const emulator::Site& site) {
    detail::check_block(n_threads, "cub::BlockScan", site);
    storage_.values[threadIdx.x] = value;
    __syncthreads(site);
    emulator::be_late();
  }
  T before() const { return threadIdx.x == 0 ? T{} : detail::fold(storage_.values, int(threadIdx.x), detail::Plus{}); }
  TempStorage& storage_;
};

// Parts of a warp of n_threads neighbours each, a power of two.
template <class T, int n_threads = 32>
class WarpReduce {
 public:
  struct TempStorage {
    T values[n_threads];
  };
  explicit WarpReduce(TempStorage& storage) : storage_(storage) {}

  template <class F>
  T Reduce(T value, F f, EMULATOR_SITE) {
    static_assert(n_threads >= 1 && n_threads <= 32 && (n_threads & (n_threads - 1)) == 0);
    const int lane = int(emulator::lane()), first = emulator::segment(lane, n_threads);
    storage_.values[lane - first] = value;
    __syncwarp((n_threads == 32 ? ~0u : (1u << n_threads % 32) - 1) << first, site);
    if (lane != first) return detail::undefined<T>();
    emulator::be_late();
    return detail::fold(storage_.values, n_threads, f);
  }
  T Sum(T value, EMULATOR_SITE) { return Reduce(value, detail::Plus{}, site); }

 private:
  TempStorage& storage_;
};

}  // namespace cub

// The stand-ins for CUB compute what CUB does and keep nothing that CUB does not promise.
#include <cub/cub.cuh>

#include "emulator/testing.h"

using namespace emulator::testing;

namespace {

constexpr int n = 96;
using Reduce = cub::BlockReduce<float, n>;
using Scan = cub::BlockScan<int, n>;
using Warp = cub::WarpReduce<float>;
using Part = cub::WarpReduce<float, 8>;

struct Larger {
  float operator()(float a, float b) const { return a < b ? b : a; }
};

__global__ void reduce_kernel(float* y, bool sync) {
  GPU_SHARED(Reduce::TempStorage, storage, 1);
  const float t = float(threadIdx.x);
  float results[4];
  results[0] = Reduce(*storage).Sum(t);
  if (sync) __syncthreads();
  results[1] = Reduce(*storage).Sum(t, 10);
  if (sync) __syncthreads();
  results[2] = Reduce(*storage).Reduce(100 - t, Larger{});
  if (sync) __syncthreads();
  results[3] = Reduce(*storage).Reduce(t, Larger{}, 50);
  for (int i = 0; i < 4; ++i) y[4 * threadIdx.x + unsigned(i)] = results[i];
}
TEST(Cub, BlockReduceGivesTheFirstThreadTheResult) {
  const Buffer<float> y(4 * n);
  run_block(reduce_kernel, n, y.data(), true);
  const std::vector<float> got = y.host();
  EXPECT_EQ(std::vector<float>(got.begin(), got.begin() + 4), (std::vector<float>{4560, 45, 100, 49}));
  EXPECT_TRUE(std::all_of(got.begin() + 4, got.end(), [](float v) { return std::isnan(v); }));
}
TEST(CubDeathTest, StorageUsedAgainWithoutABarrier) {
  const Buffer<float> y(4 * n);
  if (has_tsan) {
    EXPECT_DEATH(run_block(reduce_kernel, n, y.data(), false), "data race");
    return;
  }
  run_block(reduce_kernel, n, y.data(), false);
  const std::vector<float> got = y.host();
  EXPECT_NE(std::vector<float>(got.begin(), got.begin() + 4), (std::vector<float>{4560, 45, 100, 49}));
}
TEST(CubDeathTest, ABlockOfAnotherSize) {
  const Buffer<float> y(4 * n);
  EXPECT_DEATH(
      run_block(reduce_kernel, 64, y.data(), true),
      "cub::BlockReduce at .*cub_test.cpp:[0-9]+ is for 96 threads in one dimension, the block has 64 x 1 x 1");
}

__global__ void scan_kernel(int* y) {
  GPU_SHARED(Scan::TempStorage, storage, 1);
  const int t = int(threadIdx.x);
  int results[6];
  Scan(*storage).InclusiveSum(t, results[0]);
  __syncthreads();
  Scan(*storage).ExclusiveSum(t, results[1]);
  __syncthreads();
  Scan(*storage).InclusiveSum(1, results[2], results[3]);
  __syncthreads();
  Scan(*storage).ExclusiveSum(1, results[4], results[5]);
  for (int i = 0; i < 6; ++i) y[6 * t + i] = results[i];
}
TEST(Cub, BlockScan) {
  const Buffer<int> y(6 * n);
  run_block(scan_kernel, n, y.data());
  const std::vector<int> got = y.host();
  for (int t = 0; t < n; ++t)
    EXPECT_EQ(std::vector<int>(got.begin() + 6 * t, got.begin() + 6 * t + 6),
              (std::vector<int>{t * (t + 1) / 2, t * (t - 1) / 2, t + 1, n, t, n}));
}

__global__ void warp_kernel(float* y) {
  GPU_SHARED(Warp::TempStorage, whole, n / 32);
  GPU_SHARED(Part::TempStorage, parts, n / 8);
  const unsigned t = threadIdx.x;
  y[2 * t] = Warp(whole[t / 32]).Sum(float(t));
  y[2 * t + 1] = Part(parts[t / 8]).Reduce(float(t), Larger{});
}
TEST(Cub, WarpReduce) {
  const Buffer<float> y(2 * n);
  run_block(warp_kernel, n, y.data());
  const std::vector<float> got = y.host();
  for (size_t t = 0; t < n; ++t) {
    if (t % 32 == 0)
      EXPECT_EQ(got[2 * t], float(32 * t + 496));
    else
      EXPECT_TRUE(std::isnan(got[2 * t]));
    if (t % 8 == 0)
      EXPECT_EQ(got[2 * t + 1], float(t + 7));
    else
      EXPECT_TRUE(std::isnan(got[2 * t + 1]));
  }
}

}  // namespace

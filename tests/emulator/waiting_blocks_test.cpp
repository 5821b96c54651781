// Blocks of a launch that wait for one another make progress as long as the device would hold them all, in every order;
// waits that cannot end are noticed.
#include <set>

#include "cuda/ptx.h"
#include "emulator/testing.h"

using namespace emulator::testing;
namespace ptx = cohort::ptx;

namespace {

// Block b adds 1 to what block b + step wrote, as soon as its flag is set.
__global__ void chain_kernel(int* value, int* flag, int step) {
  GPU_SHARED(int, before, 1);
  const int b = int(blockIdx.x), other = b + step;
  if (threadIdx.x == 0) {
    before[0] = 0;
    if (other >= 0 && other < int(gridDim.x)) {
      while (!ptx::load_acquire(flag + other)) gpu::spin_hint();
      before[0] = value[other];
    }
  }
  __syncthreads();
  if (threadIdx.x == blockDim.x - 1) {
    value[b] = before[0] + 1;
    ptx::store_release(flag + b, 1);
  }
}

TEST(WaitingBlocks, AChainInEitherDirection) {
  constexpr int n_blocks = 6;
  for (const int step : {-1, 1}) {
    const Buffer<int> value(n_blocks), flag(std::vector<int>(n_blocks, 0));
    gpu::launch(chain_kernel, n_blocks, 64, 0, nullptr, value.data(), flag.data(), step);
    const std::vector<int> got = value.host();
    for (int b = 0; b < n_blocks; ++b) EXPECT_EQ(got[size_t(b)], step < 0 ? b + 1 : n_blocks - b);
  }
}

// A persistent kernel: items from a counter, each waits for the one before it and notes the block that had it.
__global__ void queue_kernel(int* next, int n_items, int* sum, int* done, int* taken_by) {
  GPU_SHARED(int, item, 1);
  for (;;) {
    __syncthreads();
    if (threadIdx.x == 0) item[0] = atomicAdd(next, 1);
    __syncthreads();
    const int i = item[0];
    if (i >= n_items) return;
    if (threadIdx.x == 0) {
      while (i > 0 && !ptx::load_acquire(done + i - 1)) gpu::spin_hint();
      sum[i] = (i > 0 ? sum[i - 1] : 0) + i;
      taken_by[i] = int(blockIdx.x);
    }
    __syncthreads();
    if (threadIdx.x == 0) ptx::store_release(done + i, 1);
  }
}

TEST(WaitingBlocks, AWorkQueueWithFlags) {
  constexpr int n_items = 50;
  const Buffer<int> next(std::vector<int>{0}), sum(n_items), done(std::vector<int>(n_items, 0)), taken_by(n_items);
  gpu::launch(queue_kernel, 4, 64, 0, nullptr, next.data(), n_items, sum.data(), done.data(), taken_by.data());
  const std::vector<int> got = sum.host(), blocks = taken_by.host();
  for (int i = 0; i < n_items; ++i) EXPECT_EQ(got[size_t(i)], i * (i + 1) / 2);
  // Only the random order lets blocks alternate that could run on.
  if (emulator::options().order == emulator::Order::random) {
    EXPECT_EQ(std::set<int>(blocks.begin(), blocks.end()).size(), 4u);
  }
}

// Each block keeps something in shared memory and in its lanes while the others run.
__global__ void private_kernel(int* arrived, int* y) {
  GPU_SHARED(int, mine, 64);
  const int t = int(threadIdx.x), b = int(blockIdx.x);
  mine[t] = 100 * b + t;
  __syncthreads();
  if (t == 0) {
    atomicAdd(arrived, 1);
    while (ptx::load_acquire(arrived) < int(gridDim.x)) gpu::spin_hint();
  }
  __syncthreads();
  y[b * 64 + t] = mine[63 - t] + int(threadIdx.x) + 1000 * int(blockIdx.x);
}

TEST(WaitingBlocks, KeepTheirOwnStateAndMemory) {
  const Buffer<int> arrived(std::vector<int>{0}), y(4 * 64);
  gpu::launch(private_kernel, 4, 64, 0, nullptr, arrived.data(), y.data());
  const std::vector<int> got = y.host();
  for (int b = 0; b < 4; ++b)
    for (int t = 0; t < 64; ++t) EXPECT_EQ(got[size_t(b * 64 + t)], 1100 * b + 63);
}

TEST(WaitingBlocks, StartInTheChosenOrder) {
  auto& order = emulator::options().order;
  const With keep(order, order);
  const auto first = [] {
    const Buffer<int> next(std::vector<int>{0}), sum(1), done(std::vector<int>{0}), taken_by(1);
    gpu::launch(queue_kernel, 3, 32, 0, nullptr, next.data(), 1, sum.data(), done.data(), taken_by.data());
    return taken_by.host()[0];
  };
  order = emulator::Order::ascending;
  EXPECT_EQ(first(), 0);
  order = emulator::Order::descending;
  EXPECT_EQ(first(), 2);
  order = emulator::Order::random;
  std::set<int> seen;
  const With seed(emulator::options().seed, uint64_t(0));
  for (uint64_t s = 1; s <= 20; ++s) {
    emulator::options().seed = s;
    seen.insert(first());
  }
  EXPECT_EQ(seen, (std::set<int>{0, 1, 2}));
}

// ---- waits that cannot end
__global__ void forgotten_kernel(const int* flag) {
  if (threadIdx.x == 0)
    while (!ptx::load_acquire(flag)) gpu::spin_hint();
}
TEST(WaitingBlocksDeathTest, AFlagThatNobodySets) {
  const With limit(emulator::options().spin_limit, uint64_t(10'000));
  const Buffer<int> flag(std::vector<int>{0});
  EXPECT_DEATH(gpu::launch(forgotten_kernel, 3, 32, 0, nullptr, flag.data()),
               "forgotten_kernel.*hung: every thread that can run only spins");
}

// All lanes ask one and meet after every question, so that something always happens.
__global__ void polling_kernel(const int* flag) {
  GPU_SHARED(int, set, 1);
  for (bool done = false; !done;) {
    if (threadIdx.x == 0) {
      set[0] = ptx::load_acquire(flag);
      if (!set[0]) gpu::spin_hint();
    }
    __syncthreads();
    done = set[0] != 0;
    __syncthreads();
  }
}
TEST(WaitingBlocksDeathTest, PollingWithABarrier) {
  const With limit(emulator::options().spin_limit, uint64_t(1000));
  const Buffer<int> flag(std::vector<int>{0});
  EXPECT_DEATH(gpu::launch(polling_kernel, 2, 32, 0, nullptr, flag.data()),
               "hung: every thread that can run only spins");
}

TEST(WaitingBlocksDeathTest, ABlockThatIsNotResident) {
  const With limit(emulator::options().spin_limit, uint64_t(10'000));
  const With order(emulator::options().order, emulator::Order::ascending);
  const With multiprocessors(emulator::options().n_multiprocessors, 1);
  const Buffer<int> value(3), flag(std::vector<int>(3, 0));
  // Two blocks of 1024 threads fit; the first two wait for the third.
  EXPECT_DEATH(gpu::launch(chain_kernel, 3, 1024, 0, nullptr, value.data(), flag.data(), 1), "hung");
  gpu::launch(chain_kernel, 3, 1024, 0, nullptr, value.data(), flag.data(), -1);
  EXPECT_EQ(value.host(), (std::vector<int>{1, 2, 3}));
}

}  // namespace

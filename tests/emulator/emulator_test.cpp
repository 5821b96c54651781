// The emulator runs right kernels right, in every order, and notices each kind of mistake it is there for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "emulator/kernels.h"
#include "emulator/testing.h"

using namespace emulator::testing;
using namespace test_kernels;

#if defined(__SANITIZE_THREAD__)
extern "C" const char* __tsan_default_options() { return "halt_on_error=1"; }
// ThreadSanitizer sees little in the children of a process that has fibers: death tests start anew.
struct Anew : ::testing::Environment {
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};
[[maybe_unused]] const ::testing::Environment* const anew = ::testing::AddGlobalTestEnvironment(new Anew);
#endif

namespace {

// ---- right kernels
TEST(Runs, ShufflesSharedMemoryAndBarriers) {
  constexpr int n_blocks = 3, n = 128;
  std::vector<float> x(n_blocks * n);
  std::iota(x.begin(), x.end(), 0.0f);
  const Buffer<float> in(x), out(x.size());
  block_sum(in.data(), out.data(), n_blocks, n, nullptr);
  const auto y = out.host();
  for (int b = 0; b < n_blocks; ++b)
    for (int i = 0; i < n; ++i)
      ASSERT_EQ(y[size_t(b * n + i)], std::accumulate(x.begin() + b * n, x.begin() + (b + 1) * n, 0.0f));
}

TEST(Runs, SlicesOfDynamicSharedMemory) {
  const Buffer<float> y(64);
  EXPECT_EQ(slices_bytes(64), 512u);
  slices(y.data(), 64, slices_bytes(64));
  const auto host = y.host();
  for (size_t i = 0; i < host.size(); ++i) EXPECT_EQ(host[i], float(i + 1));
}

TEST(Runs, VotesAndReductions) {
  const Buffer<unsigned> y(8 * 32);
  votes(y.data());
  const auto host = y.host();
  for (unsigned l = 0; l < 32; ++l) {
    const auto value = [&](unsigned k) { return host[k * 32 + l]; };
    EXPECT_EQ(value(0), 0xaaaaaaaau);
    EXPECT_EQ(value(1), 496u);
    EXPECT_EQ(value(2), 31u);
    EXPECT_EQ(value(3), 1u);
    EXPECT_EQ(value(4), 0u);
    EXPECT_EQ(value(5), l == 31 ? 31 : l + 1);
    EXPECT_EQ(value(6), l == 0 ? 0 : l - 1);
    EXPECT_EQ(value(7), 3u);
  }
}

TEST(Runs, AtomicsOfManyBlocks) {
  const Buffer<int> y(std::vector<int>{0});
  count(y.data(), 50, 70);
  EXPECT_EQ(y.host()[0], 3500);
}

TEST(Runs, ThreadsInTheChosenOrder) {
  std::vector<int> up(64), down(64);
  std::iota(up.begin(), up.end(), 0);
  std::iota(down.rbegin(), down.rend(), 0);
  const auto ran = [] {
    const Buffer<int> ticket(std::vector<int>{0}), y(64);
    arrival(ticket.data(), y.data(), 64);
    return y.host();
  };
  auto& order = emulator::options().order;
  const With keep(order, order);
  order = emulator::Order::ascending;
  EXPECT_EQ(ran(), up);
  order = emulator::Order::descending;
  EXPECT_EQ(ran(), down);
  order = emulator::Order::random;
  auto random = ran();
  EXPECT_NE(random, up);
  std::sort(random.begin(), random.end());
  EXPECT_EQ(random, up);
}

TEST(Runs, AThreadThatWaitsForAnother) {
  const Buffer<int> f(std::vector<int>{0});
  flag(f.data(), 2);
  EXPECT_EQ(f.host()[0], 1);
}

TEST(Runs, StructuresAsArguments) {
  const Buffer<float> y(constant(8, 1.0f));
  increment_view({8, y.data()});
  EXPECT_EQ(y.host(), constant(8, 2.0f));
}

// ---- the runtime
TEST(Runtime, FailedLaunchesThrowAndNameTheKernel) {
  const Buffer<float> y(64);
  try {
    slices(y.data(), 64, 228 * 1024);
    FAIL() << "more shared memory than the device has";
  } catch (const cohort::CudaError& e) {
    EXPECT_EQ(e.code, int(cudaErrorInvalidValue));
    EXPECT_NE(std::string(e.what()).find("slices_kernel"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("kernels.cu:"), std::string::npos) << e.what();
  }
  EXPECT_THROW(increment(y.data(), 1025, nullptr), cohort::CudaError);
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
}

TEST(Runtime, LargeSharedMemoryIsOptedInTo) {
  const Buffer<float> y(64);
  EXPECT_NO_THROW(slices(y.data(), 64, 100 * 1024));
}

TEST(Runtime, DeviceMemoryIsFiniteAndStartsAsNaN) {
  size_t free = 0, total = 0;
  ASSERT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  void* p = nullptr;
  EXPECT_EQ(cudaMalloc(&p, total + 1), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  {
    const Buffer<double> y(100);
    size_t now = 0;
    ASSERT_EQ(cudaMemGetInfo(&now, &total), cudaSuccess);
    EXPECT_EQ(free - now, 800u);
    for (double v : y.host()) EXPECT_TRUE(std::isnan(v));
  }
  size_t after = 0;
  ASSERT_EQ(cudaMemGetInfo(&after, &total), cudaSuccess);
  EXPECT_EQ(free, after);
}

TEST(Runtime, LazyStreamsRunAtTheLatestMoment) {
  const With lazy(emulator::options().lazy_streams, true);
  const Stream a, b;
  const Buffer<float> y(constant(4, 0.0f));
  float* seen = nullptr;
  ASSERT_EQ(cudaMallocHost(&seen, 4 * sizeof(float)), cudaSuccess);
  std::fill_n(seen, 4, -1.0f);
  increment(y.data(), 4, a.handle);
  ASSERT_EQ(cudaMemcpyAsync(seen, y.data(), 4 * sizeof(float), cudaMemcpyDeviceToHost, a.handle), cudaSuccess);
  EXPECT_EQ(seen[0], -1.0f);
  EXPECT_EQ(y.host(), constant(4, 0.0f));  // a non-blocking stream does not wait for the default one
  ASSERT_EQ(cudaStreamSynchronize(a.handle), cudaSuccess);
  EXPECT_EQ(seen[0], 1.0f);

  cudaEvent_t done;
  ASSERT_EQ(cudaEventCreate(&done), cudaSuccess);
  increment(y.data(), 4, a.handle);
  ASSERT_EQ(cudaEventRecord(done, a.handle), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(b.handle, done), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(seen, y.data(), 4 * sizeof(float), cudaMemcpyDeviceToHost, b.handle), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(b.handle), cudaSuccess);
  EXPECT_EQ(seen[3], 2.0f);
  EXPECT_EQ(cudaEventQuery(done), cudaSuccess);
  cudaEventDestroy(done);

  increment(y.data(), 4, a.handle);
  while (cudaStreamQuery(a.handle) == cudaErrorNotReady) {
  }
  EXPECT_EQ(y.host(), constant(4, 3.0f));
  cudaFreeHost(seen);
}

TEST(Runtime, AsynchronousMemoryFollowsTheStream) {
  const Stream s;
  float* y = nullptr;
  ASSERT_EQ(cudaMallocAsync(&y, 4 * sizeof(float), s.handle), cudaSuccess);
  auto host = constant(4, 5.0f);
  ASSERT_EQ(cudaMemcpyAsync(y, host.data(), 16, cudaMemcpyHostToDevice, s.handle), cudaSuccess);
  host = constant(4, 0.0f);  // pageable memory is free again
  increment(y, 4, s.handle);
  ASSERT_EQ(cudaMemcpyAsync(host.data(), y, 16, cudaMemcpyDeviceToHost, s.handle), cudaSuccess);
  ASSERT_EQ(cudaFreeAsync(y, s.handle), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(s.handle), cudaSuccess);
  EXPECT_EQ(host, constant(4, 6.0f));
}

TEST(Runtime, PropertiesAndOccupancy) {
  cudaDeviceProp p;
  ASSERT_EQ(cudaGetDeviceProperties(&p, 0), cudaSuccess);
  EXPECT_EQ(p.multiProcessorCount, emulator::options().n_multiprocessors);
  EXPECT_EQ(cudaSetDevice(1), cudaErrorInvalidDevice);
  cudaGetLastError();
  int n = 0;
  const auto blocks = [&](int threads, size_t smem) {
    EXPECT_EQ(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&n, reinterpret_cast<const void*>(&n), threads, smem),
              cudaSuccess);
    return n;
  };
  EXPECT_EQ(blocks(256, 0), 8);
  EXPECT_EQ(blocks(32, 0), 32);
  EXPECT_EQ(blocks(128, 100 * 1024), 2);
}

// ---- mistakes
TEST(Notices, UninitialisedSharedMemory) {
  const Buffer<float> y(64);
  read_uninitialised_static(y.data(), 64);
  for (float v : y.host()) EXPECT_TRUE(std::isnan(v));
  read_uninitialised_dynamic(y.data(), 64);
  for (float v : y.host()) EXPECT_TRUE(std::isnan(v));
}

TEST(Notices, MissingBarrier) {
  const Buffer<float> y(64);
  if (has_tsan) {
    EXPECT_DEATH(missing_barrier(y.data(), 64), "data race");
    return;
  }
  missing_barrier(y.data(), 64);
  const auto host = y.host();
  EXPECT_TRUE(std::any_of(host.begin(), host.end(), [](float v) { return std::isnan(v); }));
}

TEST(NoticesDeathTest, DivergentBarrier) {
  const Buffer<float> y(64);
  EXPECT_DEATH(
      divergent_barrier(y.data(), 64),
      "divergent_barrier_kernel.*block \\(0,0,0\\), thread \\([0-9]+,0,0\\): divergent barrier: .*kernels.cu:[0-9]+ "
      "here, .*kernels.cu:[0-9]+ in [0-9]+ other threads");
}

TEST(NoticesDeathTest, DivergentBarrierBehindAWrapper) {
  const Buffer<float> y(64);
  EXPECT_DEATH(divergent_wrapper(y.data(), 64), "divergent barrier: .*kernels.cu:[0-9]+ here");
}

TEST(NoticesDeathTest, ExitBeforeABarrier) {
  const Buffer<float> y(64);
  EXPECT_DEATH(exit_before_barrier(y.data(), 64),
               "threads wait in the barrier at .*kernels.cu|after [0-9]+ threads have ended");
}

TEST(NoticesDeathTest, ShuffleFromALaneOutsideTheMask) {
  const Buffer<float> y(32);
  EXPECT_DEATH(shuffle_outside_mask(y.data()), "lane [0-9]+ reads lane 20, which is not in mask 0000ffff");
}

TEST(NoticesDeathTest, ShuffleWithMissingLanes) {
  const Buffer<float> y(32);
  EXPECT_DEATH(shuffle_without_lanes(y.data()), "names lanes [0-9a-f]+, which have ended|deadlock");
}

TEST(NoticesDeathTest, DivergentWarpCollective) {
  const Buffer<float> y(32);
  EXPECT_DEATH(divergent_collective(y.data()), "divergent warp collective: lane [0-9]+ at .*kernels.cu:[0-9]+");
}

TEST(NoticesDeathTest, DeadlockOfBarrierAndWarp) {
  const Buffer<float> y(32);
  EXPECT_DEATH(stuck_warp(y.data()),
               "deadlock: 0 of 32 threads have ended, the others wait\n  thread 0 in a warp collective");
}

TEST(NoticesDeathTest, SpinningForever) {
  const Buffer<int> f(std::vector<int>{0});
  EXPECT_DEATH(spin_forever(f.data(), 64), "spin_forever_kernel.*hung: every thread that can run only spins");
}

TEST(NoticesDeathTest, SharedMemoryBeyondTheLaunch) {
  const Buffer<float> y(64);
  EXPECT_DEATH(slices(y.data(), 64, 508), "array of 256 bytes at 256 exceeds the 508 bytes of the launch");
}

TEST(NoticesDeathTest, StaticSharedOverrun) {
  NEEDS_ASAN();
  const Buffer<float> y(64);
  EXPECT_DEATH(static_overrun(y.data(), 64),
               "AddressSanitizer: use-after-poison.*static_overrun_kernel|AddressSanitizer");
}

TEST(NoticesDeathTest, DynamicSharedOverrun) {
  NEEDS_ASAN();
  const Buffer<float> y(64);
  EXPECT_DEATH(dynamic_overrun(y.data(), 64), "AddressSanitizer");
}

TEST(NoticesDeathTest, OverrunIntoTheNextSlice) {
  NEEDS_ASAN();
  const Buffer<float> y(64);
  EXPECT_DEATH(slice_overrun(y.data(), 64), "AddressSanitizer");
}

TEST(NoticesDeathTest, DeviceMemoryOverrun) {
  NEEDS_ASAN();
  const Buffer<float> y(64);
  EXPECT_DEATH(global_overrun(y.data(), 64), "AddressSanitizer");
}

TEST(NoticesDeathTest, MisalignedVectorAccess) {
  NEEDS_ASAN();
  const Buffer<float> y(64);
  EXPECT_DEATH(misaligned(y.data()), "misaligned address");
}

__global__ void assuming_kernel(float* y, int offset) {
  float four[4] = {1, 2, 3, 4};
  __builtin_memcpy(__builtin_assume_aligned(y + offset, 16), four, sizeof four);
}
TEST(NoticesDeathTest, AlignmentThatIsNotAsTheSourceSays) {
  const Buffer<float> y(64);
  run_block(assuming_kernel, 1, y.data(), 4);
  EXPECT_DEATH(run_block(assuming_kernel, 1, y.data(), 2),
               "assuming_kernel.*: misaligned: 0x[0-9a-f]+ is not 16-byte aligned");
}

TEST(NoticesDeathTest, HostAccessToDeviceMemory) {
  NEEDS_ASAN();
  const Buffer<float> y(constant(64, 0.0f));
  increment(y.data(), 64, nullptr);
  EXPECT_DEATH(y.data()[63] = 1.0f, "AddressSanitizer: use-after-poison");
  EXPECT_DEATH(EXPECT_EQ(y.data()[3], 1.0f), "AddressSanitizer: use-after-poison");
}

TEST(NoticesDeathTest, KernelArgumentInHostMemory) {
  std::vector<float> host(64);
  EXPECT_DEATH(increment(host.data(), 64, nullptr), "increment_kernel.*: argument 0 is 0x[0-9a-f]+, not device memory");
  NEEDS_ASAN();
  EXPECT_DEATH(increment_view({64, host.data() + 3}), "argument 0 holds at byte 8 a pointer to host memory \\(heap\\)");
  float local[64] = {};
  EXPECT_DEATH(increment_view({64, local}), "argument 0 holds at byte 8 a pointer to host memory \\(stack\\)");
}

#if defined(__SANITIZE_ADDRESS__)
extern "C" const char* __asan_locate_address(void* address, char* name, size_t name_size, void** region_address,
                                             size_t* region_size);

// In structures, half a pointer may be left over in the padding behind an integer; pointers to the start of a region of
// AddressSanitizer's heap look the same. 64-bit Linux: its regions are 2^36 bytes apart.
float* start_of_heap() {
  for (uintptr_t region = 0x600000000000; region < 0x640000000000; region += uintptr_t(1) << 36)
    for (uintptr_t offset = 16; offset < 4096; offset += 16) {
      void* const address = reinterpret_cast<void*>(region + offset);
      char name[8];
      void* found;
      size_t bytes;
      if (__asan_locate_address(address, name, sizeof name, &found, &bytes) == std::string("heap"))
        return static_cast<float*>(address);
    }
  return nullptr;
}
TEST(NoticesDeathTest, KernelArgumentAtTheStartOfTheHeap) {
  float* const host = start_of_heap();
  if (!host) GTEST_SKIP() << "nothing is allocated there";
  EXPECT_DEATH(increment_view({8, host}), "argument 0 holds at byte 8 a pointer to host memory \\(heap\\)");
  const Buffer<float> y(constant(8, 1.0f));
  View view;
  std::memcpy(static_cast<void*>(&view), &host, sizeof host);
  view.n = 8;
  view.y = y.data();
  increment_view(view);
  EXPECT_EQ(y.host(), constant(8, 2.0f));
}
#endif

TEST(NoticesDeathTest, CopiesOutOfBounds) {
  const Buffer<float> y(64);
  std::vector<float> host(65);
  EXPECT_DEATH(cudaMemcpy(y.data(), host.data(), 260, cudaMemcpyHostToDevice), "260 bytes at .*has 256 left");
  EXPECT_DEATH(cudaMemcpy(host.data(), y.data() + 1, 256, cudaMemcpyDeviceToHost), "256 bytes at .*has 252 left");
  EXPECT_DEATH(cudaMemset(y.data(), 0, 257), "cudaMemset: 257 bytes");
  EXPECT_DEATH(cudaMemcpy(host.data(), host.data(), 4, cudaMemcpyDeviceToHost), "is not device memory");
  EXPECT_DEATH(cudaMemcpy(y.data(), y.data(), 4, cudaMemcpyDeviceToHost), "is device memory");
}

TEST(NoticesDeathTest, FreeingWhatIsNotAllocated) {
  const Buffer<float> y(64);
  EXPECT_DEATH(cudaFree(y.data() + 1), "which is not an allocation");
}

TEST(NoticesDeathTest, UseAfterFree) {
  NEEDS_ASAN();
  float* y = nullptr;
  ASSERT_EQ(cudaMalloc(&y, 256), cudaSuccess);
  cudaFree(y);
  EXPECT_DEATH(increment(y, 64, nullptr), "not device memory");
}

#if defined(__SANITIZE_THREAD__)
TEST(NoticesDeathTest, Races) {
  const Buffer<float> y(64);
  EXPECT_DEATH(race(y.data(), 64), "data race");
}
#endif

}  // namespace

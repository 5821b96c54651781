// Mistakes with asynchronous copies, matrices of a warp and named barriers are noticed in every order. That right programs
// run right is for tests/gpu/ptx_test.cpp.
#include "cuda/ptx.h"
#include "emulator/testing.h"

using namespace emulator::testing;
namespace ptx = cohort::ptx;

namespace {

// ---- asynchronous copies: 64 threads, 16 bytes each
constexpr int n = 64;
enum class Copy {
  right,
  no_wait,
  too_few_waits,
  no_commit,
  no_barrier,
  left_pending,
  misaligned_destination,
  misaligned_source,
  destination_overrun,
  destination_global,
  source_overrun,
  source_shared,
  source_changes,
  destination_changes,
};

template <Copy what>
__global__ void copy_kernel(float* x, float* y) {
  GPU_SHARED(float, s, 4 * n);
  const int t = int(threadIdx.x);
  float* to = s + 4 * t;
  const float* from = x + 4 * t;
  if (what == Copy::misaligned_destination) to = s + 4 * (t % 32) + 1;
  if (what == Copy::misaligned_source) from = x + 4 * (t % 32) + 2;
  if (what == Copy::destination_overrun) to += 4;
  if (what == Copy::destination_global) to = y;
  if (what == Copy::source_overrun) from += 4;
  if (what == Copy::source_shared) from = s;
  ptx::cp_async_16(to, from);
  if (what == Copy::too_few_waits) {
    ptx::cp_async_commit();
    ptx::cp_async_commit();
    ptx::cp_async_wait<2>();
  }
  if (what != Copy::no_commit) ptx::cp_async_commit();
  if (what == Copy::source_changes) x[4 * t + 3] = -1.0f;
  if (what == Copy::destination_changes) s[4 * t + 3] = -1.0f;
  if (what != Copy::no_wait && what != Copy::too_few_waits && what != Copy::left_pending) ptx::cp_async_wait<0>();
  if (what != Copy::no_barrier) __syncthreads();
  for (int i = 0; i < 4; ++i) y[4 * t + i] = s[4 * (n - 1 - t) + i];
  if (what == Copy::left_pending) return;
  __syncthreads();
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
}

template <Copy what>
std::vector<float> copied() {
  std::vector<float> x(4 * n);
  for (size_t i = 0; i < x.size(); ++i) x[i] = float(i);
  const Buffer<float> from(x), to(x.size());
  run_block(copy_kernel<what>, n, from.data(), to.data());
  return to.host();
}

TEST(AsyncCopy, LandsWithTheWaitAndTheBarrier) {
  const std::vector<float> y = copied<Copy::right>();
  for (int t = 0; t < n; ++t)
    for (int i = 0; i < 4; ++i) EXPECT_EQ(y[size_t(4 * t + i)], float(4 * (n - 1 - t) + i));
}
TEST(AsyncCopy, DoesNotLandBefore) {
  const auto all_nan = [](const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float v) { return std::isnan(v); });
  };
  EXPECT_TRUE(all_nan(copied<Copy::no_wait>()));
  EXPECT_TRUE(all_nan(copied<Copy::too_few_waits>()));
  EXPECT_TRUE(all_nan(copied<Copy::no_commit>()));
}
TEST(AsyncCopyDeathTest, MissingBarrier) {
  if (has_tsan)
    EXPECT_DEATH(copied<Copy::no_barrier>(), "data race");
  else
    EXPECT_TRUE(any_nan(copied<Copy::no_barrier>()));
}
TEST(AsyncCopyDeathTest, PendingAtTheEnd) {
  EXPECT_DEATH(copied<Copy::left_pending>(),
               "thread [0-9]+ ended with 1 asynchronous copies pending, the first from .*ptx_mistakes_test.cpp:[0-9]+");
}
TEST(AsyncCopyDeathTest, Misaligned) {
  EXPECT_DEATH(copied<Copy::misaligned_destination>(),
               "cp_async_16 at .*ptx_mistakes_test.cpp:[0-9]+: the destination is misaligned");
  EXPECT_DEATH(copied<Copy::misaligned_source>(), "cp_async_16 at .*: the source is misaligned");
}
TEST(AsyncCopyDeathTest, OutOfBounds) {
  EXPECT_DEATH(copied<Copy::destination_overrun>(), "the destination is not inside a shared array");
  EXPECT_DEATH(copied<Copy::destination_global>(), "the destination is not inside a shared array");
  EXPECT_DEATH(copied<Copy::source_overrun>(), "the source is not inside device memory");
  EXPECT_DEATH(copied<Copy::source_shared>(), "the source is not inside device memory");
}
TEST(AsyncCopyDeathTest, MemoryThatChangesBeforeTheWait) {
  EXPECT_DEATH(copied<Copy::source_changes>(), "the source of the asynchronous copy at .* changed before its wait");
  EXPECT_DEATH(copied<Copy::destination_changes>(),
               "the destination of the asynchronous copy at .* changed before its wait");
}

// ---- matrices
enum class Load { right, misaligned, outside, half_a_warp, no_barrier };

template <Load what>
__global__ void load_kernel(float* y) {
  GPU_SHARED(uint4, s, 32);
  const unsigned t = threadIdx.x, lane = t % 32;
  if (t < 32) s[31 - lane] = {1, 1, 1, 1};
  if (what != Load::no_barrier) __syncthreads();
  uint32_t r[4] = {};
  const char* row = reinterpret_cast<const char*>(s + lane);
  if (what == Load::misaligned) row = reinterpret_cast<const char*>(s + lane / 2) + 8;
  if (what == Load::outside) row += 16;
  if (what != Load::half_a_warp || lane < 16) ptx::ldmatrix_x4(r, row);
  y[t] = r[0] == 1 && r[1] == 1 && r[2] == 1 && r[3] == 1 ? 1.0f : NAN;
}
template <Load what>
std::vector<float> loaded(int n_threads = 32) {
  const Buffer<float> y(constant(size_t(n_threads), 0.0f));
  run_block(load_kernel<what>, n_threads, y.data());
  return y.host();
}

TEST(Matrices, EveryLaneTakesPart) {
  EXPECT_EQ(loaded<Load::right>(), constant(32, 1.0f));
  EXPECT_EQ(loaded<Load::right>(64), constant(64, 1.0f));
}
TEST(MatricesDeathTest, MissingLanes) {
  EXPECT_DEATH(loaded<Load::half_a_warp>(), "names lanes [0-9a-f]+, which have ended|deadlock");
  EXPECT_DEATH(loaded<Load::right>(48), "ldmatrix at .*: the warp has 16 lanes; all 32 take part");
}
TEST(MatricesDeathTest, RowsThatAreNone) {
  EXPECT_DEATH(loaded<Load::misaligned>(), "ldmatrix at .*: the row 0x[0-9a-f]+ is not 16-byte aligned");
  EXPECT_DEATH(loaded<Load::outside>(), "ldmatrix at .*: the row 0x[0-9a-f]+ is not inside a shared array");
}
TEST(MatricesDeathTest, MissingBarrierBeforeALoad) {
  if (has_tsan)
    EXPECT_DEATH(loaded<Load::no_barrier>(), "data race");
  else
    EXPECT_TRUE(any_nan(loaded<Load::no_barrier>()));
}

// Rows that other lanes read are there after a __syncwarp.
__global__ void store_kernel(float* y, bool sync) {
  GPU_SHARED(uint4, s, 32);
  const unsigned lane = threadIdx.x;
  const uint32_t r[4] = {1, 1, 1, 1};
  ptx::stmatrix_x4(s + lane, r);
  if (sync) __syncwarp();
  y[lane] = s[31 - lane].x == 1 ? 1.0f : NAN;
}
TEST(MatricesDeathTest, MissingBarrierAfterAStore) {
  const Buffer<float> y(32);
  run_block(store_kernel, 32, y.data(), true);
  EXPECT_EQ(y.host(), constant(32, 1.0f));
  if (has_tsan) {
    EXPECT_DEATH(run_block(store_kernel, 32, y.data(), false), "data race");
  } else {
    run_block(store_kernel, 32, y.data(), false);
    EXPECT_TRUE(any_nan(y.host()));
  }
}

// ---- named barriers: 96 threads, warp 0 apart
enum class Named { right, zero, too_high, half_warps, two_counts, parts_of_warps, two_places, twice, too_few, left };

template <Named what>
__global__ void named_kernel(float* y) {
  const int t = int(threadIdx.x), warp = t / 32;
  y[t] = 1.0f;
  if (what == Named::right && warp > 0) ptx::barrier_sync(1, 64);
  if (what == Named::zero) ptx::barrier_sync(0, 96);
  if (what == Named::too_high) ptx::barrier_sync(16, 96);
  if (what == Named::half_warps) ptx::barrier_sync(1, 80);
  if (what == Named::two_counts) ptx::barrier_sync(1, warp == 0 ? 64 : 96);
  if (what == Named::parts_of_warps && t % 32 < 16 && warp < 2) ptx::barrier_sync(1, 32);
  if (what == Named::two_places && t % 2 == 0) ptx::barrier_sync(1, 96);
  if (what == Named::two_places && t % 2 == 1) ptx::barrier_sync(1, 96);
  if (what == Named::twice) ptx::barrier_arrive(1, 96);
  if (what == Named::twice) ptx::barrier_sync(1, 96);
  if (what == Named::too_few && warp > 0) ptx::barrier_sync(1, 96);
  if (what == Named::left && warp > 0) ptx::barrier_arrive(1, 96);
  y[t] = 2.0f;
}
template <Named what>
std::vector<float> met() {
  const Buffer<float> y(96);
  run_block(named_kernel<what>, 96, y.data());
  return y.host();
}

TEST(NamedBarriers, OfSomeWarps) { EXPECT_EQ(met<Named::right>(), constant(96, 2.0f)); }
TEST(NamedBarriersDeathTest, NumbersThatAreNone) {
  EXPECT_DEATH(met<Named::zero>(), "ptx_mistakes_test.cpp:[0-9]+: barrier 0; named ones are 1 to 15");
  EXPECT_DEATH(met<Named::too_high>(), "barrier 16; named ones are 1 to 15");
}
TEST(NamedBarriersDeathTest, CountsThatAreNone) {
  EXPECT_DEATH(met<Named::half_warps>(), "a barrier for 80 threads in a block of 96; allowed: whole warps of it");
  EXPECT_DEATH(met<Named::two_counts>(), "barrier 1 is for (64|96) threads at .* and for (64|96) at");
}
TEST(NamedBarriersDeathTest, PartsOfWarps) {
  EXPECT_DEATH(met<Named::parts_of_warps>(), "lanes [0-9a-f]+ of warp [01] take part, not all of them");
  EXPECT_DEATH(met<Named::two_places>(), "divergent barrier: .*:[0-9]+ here, .*:[0-9]+ in other threads of the warp");
}
TEST(NamedBarriersDeathTest, TheSameThreadAgain) {
  EXPECT_DEATH(met<Named::twice>(), "ptx_mistakes_test.cpp:[0-9]+: the thread is in barrier 1 already");
}
TEST(NamedBarriersDeathTest, TooFewThreads) {
  EXPECT_DEATH(met<Named::too_few>(), "ended while [0-9]+ threads wait in the barrier|deadlock");
  EXPECT_DEATH(met<Named::left>(), "ended while [0-9]+ threads wait in the barrier");
}

}  // namespace

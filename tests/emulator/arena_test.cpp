// Arrays that kernels cut out of one workspace lie apart, so that an overrun from one into the next is noticed.
#include "team/arena.h"
#include "emulator/testing.h"

using namespace emulator::testing;
using cohort::Arena;

namespace {

enum class Use { right, write_beyond, read_before, cut_again, write_beyond_both };

size_t bytes(int n) {
  Arena arena(nullptr);
  arena.take<float>(size_t(n));
  arena.take<float>(size_t(n));
  return arena.used();
}

template <Use use>
__global__ void arena_kernel(unsigned char* workspace, int n, float* y) {
  Arena arena(workspace);
  float* const a = arena.take<float>(size_t(n));
  float* b = arena.take<float>(size_t(n));
  const int t = int(threadIdx.x);
  a[t] = 1.0f;
  b[t] = 2.0f;
  if (use == Use::write_beyond && t == 0) a[n] = 3.0f;
  if (use == Use::read_before && t == 0) a[0] = b[-1];
  if (use == Use::cut_again ||
      use == Use::write_beyond_both) {  // one array where the two and the gap between them were
    __syncthreads();
    Arena again(workspace);
    b = again.take<float>(size_t(2 * n));
    for (int i = t; i < 2 * n; i += int(blockDim.x)) b[i] = 2.0f;
    if (use == Use::write_beyond_both && t == 0) b[2 * n] = 3.0f;
  }
  y[t] = b[t];
}
template <Use use>
std::vector<float> used(size_t workspace_bytes = bytes(64)) {
  const Buffer<unsigned char> workspace(workspace_bytes);
  const Buffer<float> y(64);
  run_block(arena_kernel<use>, 64, workspace.data(), 64, y.data());
  return y.host();
}

TEST(Arena, RightUse) {
  EXPECT_EQ(used<Use::right>(), constant(64, 2.0f));
  EXPECT_EQ(used<Use::cut_again>(), constant(64, 2.0f));
}
TEST(Arena, StaysAligned) {
  Arena arena(nullptr);
  for (const size_t n : {0u, 1u, 64u, 65u, 1000u}) {
    arena.take<float>(n);
    EXPECT_EQ(arena.used() % Arena::alignment, 0u);
  }
}
TEST(ArenaDeathTest, Overruns) {
  NEEDS_ASAN();
  EXPECT_DEATH(used<Use::write_beyond>(), "AddressSanitizer: use-after-poison");
  EXPECT_DEATH(used<Use::read_before>(), "AddressSanitizer: use-after-poison");
  EXPECT_DEATH(used<Use::write_beyond_both>(), "AddressSanitizer: use-after-poison");
}
TEST(ArenaDeathTest, AWorkspaceThatIsTooSmall) {
  NEEDS_ASAN();
  EXPECT_DEATH(used<Use::right>(bytes(64) - 256), "an array of 256 bytes at 0x[0-9a-f]+ is beyond its workspace");
}

// What treats neighbouring arrays as one leaves the gaps out.
__global__ void sweep_kernel(unsigned char* workspace, int n, float* y) {
  Arena arena(workspace);
  arena.take<float>(size_t(n));
  const size_t second = arena.used() / sizeof(float);
  arena.take<float>(size_t(n));
  float* const words = reinterpret_cast<float*>(workspace);
  int n_gaps = 0;
  for (size_t i = 0; i < second + size_t(n); ++i) {
    if (Arena::is_gap(words + i))
      ++n_gaps;
    else
      words[i] = 0.0f;
  }
  y[0] = float(n_gaps);
}
TEST(Arena, GapsAreKnown) {
  NEEDS_ASAN();
  const Buffer<unsigned char> workspace(bytes(64));
  const Buffer<float> y(1);
  run_block(sweep_kernel, 1, workspace.data(), 64, y.data());
  EXPECT_EQ(y.host(), constant(1, 64.0f));
}

}  // namespace

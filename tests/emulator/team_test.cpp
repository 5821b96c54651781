// The barriers inside of CtaTeam's functions, against warps that run ahead of the others.
#include "emulator/testing.h"
#include "team/cta.h"

using namespace emulator::testing;
using cohort::CtaTeam;

namespace {

// Sums of different numbers, one right after the other: y[turn * size + lane] = (turn + 1) * sum of lanes' numbers.
__global__ void sums_kernel(int n_turns, float* y) {
  const CtaTeam team;
  for (int turn = 0; turn < n_turns; ++turn)
    y[turn * team.size() + team.lane()] =
        team.sum<float>(team.size(), [=](int i) { return float((turn + 1) * (i / 32 + 1)); });
}

TEST(TeamSum, KeepsNothingForTheNextOne) {
  constexpr int n_turns = 5, n = 128;
  const Buffer<float> y(n_turns * n);
  run_block(sums_kernel, n, n_turns, y.data());
  const std::vector<float> got = y.host();
  for (int turn = 0; turn < n_turns; ++turn)
    for (int lane = 0; lane < n; ++lane) EXPECT_EQ(got[size_t(turn * n + lane)], float((turn + 1) * 32 * 10));
}

}  // namespace

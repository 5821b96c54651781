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

// Operands that the lanes have just written, results that they read at once. Rows of A are aligned, their number of
// columns is no multiple of 4, and what lies behind them is NaN.
constexpr int m = 5, n_cols = 6, k = 7, lda = 8, ldb = 8;
__global__ void gemm_kernel(float* a, float* b, float* c, float* y) {
  const CtaTeam team;
  const auto other = [&](int i, int n) { return (i + 37) % n; };  // written by another lane than the one that reads
  for (int turn = 0; turn < 3; ++turn) {
    team.for_each(m * k, [&](int i) {
      const int e = other(i, m * k);
      a[e / k * lda + e % k] = float(e + turn);
    });
    team.for_each(k * ldb, [&](int i) { b[other(i, k * ldb)] = float(other(i, k * ldb) - turn); });
    const cohort::Product<float> products[1] = {{a, lda, 1, b, ldb, k}};
    team.gemm(m, n_cols, products, [&](int row, int col, float value) { c[row * ldb + col] = value; });
    team.for_each(m * ldb, [&](int i) { y[turn * m * ldb + other(i, m * ldb)] = c[other(i, m * ldb)]; });
    team.sync();
  }
}

TEST(TeamGemm, OperandsFromAnyLaneAndResultsForAll) {
  for (const int n_threads : {32, 96}) {
    const Buffer<float> a(m * lda), b(k * ldb), c(m * ldb), y(3 * m * ldb);
    run_block(gemm_kernel, n_threads, a.data(), b.data(), c.data(), y.data());
    const std::vector<float> got = y.host();
    for (int turn = 0; turn < 3; ++turn)
      for (int row = 0; row < m; ++row)
        for (int col = 0; col < n_cols; ++col) {
          float expected = 0;
          for (int j = 0; j < k; ++j) expected += float(row * k + j + turn) * float(j * ldb + col - turn);
          ASSERT_EQ(got[size_t((turn * m + row) * ldb + col)], expected) << turn << ", " << row << ", " << col;
        }
  }
}

}  // namespace

// A CUDA block as a team keeps the contract of team/serial.h, whatever its size.
#include "gpu/team_kernels.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "gpu/backend.h"

namespace cohort::testing {
namespace {

int padded(int n) { return (n + 3) / 4 * 4; }

template <class Real>
class Team : public ::testing::Test {
 protected:
  std::vector<Real> random(size_t n) {
    std::vector<Real> x(n);
    for (Real& v : x) v = Real(std::uniform_real_distribution<double>(-1, 1)(engine_));
    return x;
  }
  // How A is stored: its strides, and where its first element lies (a misaligned start takes other paths).
  struct Layout {
    bool columns;
    int spare, offset;
  };
  void expect_product(int m, int n, int k0, int k1, Layout layout, int n_threads) {
    SCOPED_TRACE("m " + std::to_string(m) + " n " + std::to_string(n) + " k " + std::to_string(k0) + "+" +
                 std::to_string(k1) + " threads " + std::to_string(n_threads) +
                 (layout.columns ? " columns" : " rows") + " spare " + std::to_string(layout.spare) + " offset " +
                 std::to_string(layout.offset));
    const int ld = padded(n), ks[2] = {k0, k1};
    std::vector<Real> a[2], b[2];
    GemmCase<Real> c{};
    c.m = m;
    c.n = n;
    for (int p = 0; p < 2; ++p) {
      const int k = ks[p], lines = layout.columns ? k : m, length = (layout.columns ? m : k) + layout.spare;
      a[p] = random(size_t(lines * length + layout.offset));
      b[p] = random(size_t(k * ld));
      c.k[p] = k;
      c.a_row[p] = layout.columns ? 1 : length;
      c.a_k[p] = layout.columns ? length : 1;
      c.ldb[p] = ld;
    }
    Buffer<Real> a0(Where::device, a[0]), a1(Where::device, a[1]), b0(Where::device, b[0]), b1(Where::device, b[1]);
    Buffer<Real> out(Where::device, size_t(m * ld));
    Buffer<int> hits(Where::device, size_t(m * ld));
    Buffer<Real>* const as[2] = {&a0, &a1};
    Buffer<Real>* const bs[2] = {&b0, &b1};
    for (int p = 0; p < 2; ++p) {
      c.a[p] = as[p]->size() ? as[p]->data() + layout.offset : nullptr;
      c.b[p] = bs[p]->data();
    }
    c.out = out.data();
    c.hits = hits.data();
    run_gemm(c, n_threads);
    const std::vector<Real> got = out.values();
    const std::vector<int> called = hits.values();
    // A sum of k products of numbers below 1 is off by at most k eps times the sum of their sizes, below k.
    const double bound = std::pow(k0 + k1 + 1, 2) * double(std::numeric_limits<Real>::epsilon());
    for (int r = 0; r < m; ++r)
      for (int col = 0; col < ld; ++col) {
        double exact = 0;
        for (int p = 0; p < 2; ++p)
          for (int k = 0; k < ks[p]; ++k)
            exact += double(a[p][size_t(layout.offset + r * c.a_row[p] + k * c.a_k[p])]) *
                     double(b[p][size_t(k * ld + col)]);
        ASSERT_EQ(called[size_t(r * ld + col)], 1) << r << ", " << col;
        ASSERT_NEAR(double(got[size_t(r * ld + col)]), exact, bound) << r << ", " << col;
      }
  }

 private:
  std::mt19937 engine_{7};
};
using Reals = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Team, Reals);

TYPED_TEST(Team, GemmOfAnyShape) {
  COHORT_NEEDS_DEVICE();
  for (const int n_threads : {32, 96, 256})
    for (const int m : {1, 3, 8, 21})
      for (const int n : {1, 4, 11, 40})
        for (const bool columns : {false, true}) this->expect_product(m, n, 9, 4, {columns, 0, 0}, n_threads);
}
TYPED_TEST(Team, GemmOfAnyDepth) {
  COHORT_NEEDS_DEVICE();
  for (const int k0 : {0, 1, 4, 7, 33})
    for (const int k1 : {0, 3, 16}) this->expect_product(24, 24, k0, k1, {k0 % 2 == 0, 0, 0}, 32);
}
// Rows and columns that start and step on and off 16 bytes.
TYPED_TEST(Team, GemmOfAnyStride) {
  COHORT_NEEDS_DEVICE();
  for (const bool columns : {false, true})
    for (const int spare : {0, 1, 2, 4})
      for (const int offset : {0, 1, 4}) this->expect_product(26, 24, 12, 8, {columns, spare, offset}, 32);
}

TYPED_TEST(Team, SumIsTheSameInEveryLaneAndEveryTime) {
  COHORT_NEEDS_DEVICE();
  for (const int n_threads : {32, 64, 256})
    for (const int n : {0, 1, 31, 32, 100, 1000}) {
      SCOPED_TRACE(n);
      const std::vector<TypeParam> x = this->random(size_t(n));
      Buffer<TypeParam> in(Where::device, x), out(Where::device, size_t(2 * n_threads));
      run_sum(in.data(), n, out.data(), n_threads);
      const double exact =
          std::accumulate(x.begin(), x.end(), 0.0, [](double total, TypeParam v) { return total + double(v); });
      const std::vector<TypeParam> got = out.values();
      for (const TypeParam v : got) ASSERT_EQ(v, got[0]);
      EXPECT_NEAR(double(got[0]), exact, (n + 1) * double(n + 1) * double(std::numeric_limits<TypeParam>::epsilon()));
    }
}

TEST(TeamLoops, ForEachCallsEveryElementOnce) {
  COHORT_NEEDS_DEVICE();
  for (const int n_threads : {32, 64, 256})
    for (const auto& [rows, cols] : {std::pair{0, 5}, {5, 0}, {1, 1}, {7, 3}, {3, 64}, {2, 700}, {300, 2}}) {
      SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(cols));
      const int n = rows * cols + rows;
      Buffer<int> hits(Where::device, size_t(n)), hits_2d(Where::device, size_t(rows * cols));
      run_for_each(n, hits.data(), rows, cols, hits_2d.data(), n_threads);
      for (const int h : hits.values()) ASSERT_EQ(h, 1);
      for (const int h : hits_2d.values()) ASSERT_EQ(h, 1);
    }
}

}  // namespace
}  // namespace cohort::testing

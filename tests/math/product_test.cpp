// The matrix products of the CPU's team (team/serial.h), on every instruction set that this machine runs. Operands are
// small integers, so that sums are exact in any order; what the contract allows to be read beyond them is not 0.
#include <vector>

#include "functions.h"

namespace cohort::test {
namespace {

class Products : public PerIsa {};

constexpr int kPad = 16;  // of every instruction set, or a multiple
int padded(int n) { return (n + kPad - 1) / kPad * kPad; }

template <class Real>
void expect_product(const Functions<Real>& f, bool narrow, int m, int n, int k) {
  const int lda = padded(k), ldb = padded(n);
  std::vector<Real> a(size_t(m * lda), Real(7)), b(size_t(k * ldb), Real(7)), b_t(size_t(n * lda), Real(0)),
      c(size_t(m * n), Real(0)), expected(c);
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < k; ++j) a[size_t(i * lda + j)] = Real((5 * i + 3 * j) % 11 - 5);
  for (int j = 0; j < k; ++j)
    for (int o = 0; o < n; ++o) b[size_t(j * ldb + o)] = b_t[size_t(o * lda + j)] = Real((7 * j + 2 * o) % 13 - 6);
  for (int i = 0; i < m; ++i)
    for (int o = 0; o < n; ++o)
      for (int j = 0; j < k; ++j) expected[size_t(i * n + o)] += a[size_t(i * lda + j)] * b[size_t(j * ldb + o)];
  f.multiply(narrow, m, n, k, a.data(), lda, b.data(), ldb, b_t.data(), c.data());
  EXPECT_EQ(c, expected) << (narrow ? "narrow " : "") << m << " x " << n << ", k = " << k;
}

template <class Real>
void test_products(const Functions<Real>& f, bool narrow) {
  for (int m = 1; m <= 35; ++m)
    for (int n : {1, 2, 3, 4, 5, 7, 8, 10, 17, 33, 64, 100})
      for (int k : {1, 4, 15, 16, 17, 40}) expect_product(f, narrow, m, n, k);
}

TEST_P(Products, AreExactForAnyShape) {
  test_products(table<float>(), false);
  test_products(table<double>(), false);
}
TEST_P(Products, OfFewColumnsAreTheSame) {
  test_products(table<float>(), true);
  test_products(table<double>(), true);
}

// Whole blocks of vectors, what is left of them, rows that are not aligned; nothing beside the result is written.
template <class Real>
void test_transpose(const Functions<Real>& f) {
  for (int rows : {1, 3, 8, 15, 16, 17, 32, 50})
    for (int cols : {1, 2, 7, 16, 18, 33, 64}) {
      const int ld = cols + 3, ld_to = rows + 2;
      std::vector<Real> from(size_t(rows * ld)), to(size_t(cols * ld_to), Real(-1)), expected(to);
      for (size_t i = 0; i < from.size(); ++i) from[i] = Real(i);
      for (int r = 0; r < rows; ++r)
        for (int c = 0; c < cols; ++c) expected[size_t(c * ld_to + r)] = from[size_t(r * ld + c)];
      f.transpose(rows, cols, from.data(), ld, to.data(), ld_to);
      EXPECT_EQ(to, expected) << rows << " x " << cols;
    }
}
TEST_P(Products, TransposesOfAnyShape) {
  test_transpose(table<float>());
  test_transpose(table<double>());
}

INSTANTIATE_TEST_SUITE_P(Math, Products, ::testing::Values(2, 3, 4), isa_name);

}  // namespace
}  // namespace cohort::test

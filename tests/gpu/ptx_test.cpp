// Each function of cuda/ptx.h against a scalar reference: on the emulator a test of its emulated body, on a card of the
// PTX.
#include <cmath>
#include <random>

#include "gpu/backend.h"
#include "gpu/ptx_kernels.h"

namespace cohort::testing {
namespace {

std::vector<float> random_numbers(size_t n) {
  std::mt19937 engine(3);
  std::vector<float> x(n);
  for (float& v : x) v = std::uniform_real_distribution<float>(-1, 1)(engine);
  return x;
}

TEST(Ptx, AsyncCopies) {
  COHORT_NEEDS_DEVICE();
  for (const int width : {4, 16})
    for (const int n_pending : {0, 1})
      for (const int n_threads : {32, 96})
        for (const int n_stages : {1, 2, 5}) {
          const int stage = n_threads * width / 4, n = n_stages * stage;
          for (const int n_valid : {0, stage / 2, n - 4, n}) {
            SCOPED_TRACE(std::to_string(width) + " bytes, " + std::to_string(n_pending) + " pending, " +
                         std::to_string(n_threads) + " threads, " + std::to_string(n_valid) + " of " +
                         std::to_string(n));
            std::vector<float> expected = random_numbers(size_t(n));
            Buffer<float> from(Where::device, std::vector<float>(expected.begin(), expected.begin() + n_valid));
            Buffer<float> to(Where::device, std::vector<float>(size_t(n), -1.0f));
            std::fill(expected.begin() + n_valid, expected.end(), 0.0f);
            run_copies(from.data(), n_valid, to.data(), n, width, n_pending, n_threads);
            ASSERT_EQ(to.values(), expected);
          }
        }
}

TEST(Ptx, FlagsBetweenBlocks) {
  COHORT_NEEDS_DEVICE();
  constexpr int n_blocks = 8;
  for (const int step : {-1, 1}) {
    Buffer<int> value(Where::device, size_t(n_blocks)), flag(Where::device, size_t(n_blocks));
    run_chain(value.data(), flag.data(), step, n_blocks);
    const std::vector<int> got = value.values();
    for (int b = 0; b < n_blocks; ++b) EXPECT_EQ(got[size_t(b)], step > 0 ? b + 1 : n_blocks - b);
  }
}

// ---- matrices: [4][8][8] different numbers
std::vector<uint16_t> numbered() {
  std::vector<uint16_t> m(256);
  for (size_t i = 0; i < m.size(); ++i) m[i] = uint16_t(0x1000 + 13 * i);
  return m;
}
// What lane l has of matrix m: elements (l / 4, 2 (l % 4)) and the next, of the transpose if so.
uint32_t pair_of(const std::vector<uint16_t>& matrices, int m, int lane, bool transposed) {
  const auto element = [&](int i, int j) {
    return uint32_t(matrices[size_t(64 * m + (transposed ? 8 * j + i : 8 * i + j))]);
  };
  const int i = lane / 4, j = 2 * (lane % 4);
  return element(i, j) | element(i, j + 1) << 16;
}

TEST(Ptx, LoadsOfMatrices) {
  COHORT_NEEDS_DEVICE();
  const std::vector<uint16_t> m = numbered();
  Buffer<uint16_t> matrices(Where::device, m);
  for (const MatrixKind kind : {MatrixKind::x4, MatrixKind::x4_trans, MatrixKind::x2, MatrixKind::x2_trans}) {
    SCOPED_TRACE(int(kind));
    const bool transposed = kind == MatrixKind::x4_trans || kind == MatrixKind::x2_trans;
    const int n = kind == MatrixKind::x4 || kind == MatrixKind::x4_trans ? 4 : 2;
    Buffer<uint32_t> r(Where::device, size_t(128));
    run_ldmatrix(kind, matrices.data(), r.data());
    const std::vector<uint32_t> got = r.values();
    for (int lane = 0; lane < 32; ++lane)
      for (int i = 0; i < 4; ++i)
        ASSERT_EQ(got[size_t(lane * 4 + i)], i < n ? pair_of(m, i, lane, transposed) : 0u) << lane << ", " << i;
  }
}

TEST(Ptx, StoresOfMatrices) {
  COHORT_NEEDS_DEVICE();
  int major = 0;
  gpu::check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0), "compute capability");
  if (!emulated && major < 9) GTEST_SKIP() << "stmatrix is of compute capability 9.0";
  const std::vector<uint16_t> m = numbered();
  for (const bool transposed : {false, true}) {
    std::vector<uint32_t> fragments(128);
    for (int lane = 0; lane < 32; ++lane)
      for (int i = 0; i < 4; ++i) fragments[size_t(lane * 4 + i)] = pair_of(m, i, lane, transposed);
    Buffer<uint32_t> r(Where::device, fragments);
    Buffer<uint16_t> matrices(Where::device, size_t(256));
    run_stmatrix(transposed, r.data(), matrices.data());
    EXPECT_EQ(matrices.values(), m) << (transposed ? "transposed" : "");
  }
}

// ---- products. A 16-bit number as the formats define it.
double value_of(uint16_t bits, bool bf16) {
  const int n_mantissa = bf16 ? 7 : 10, bias = bf16 ? 127 : 15;
  const int mantissa = bits & ((1 << n_mantissa) - 1), exponent = (bits & 0x7fff) >> n_mantissa;
  const double size = exponent == 0 ? std::ldexp(mantissa, 1 - bias - n_mantissa)
                                    : std::ldexp((1 << n_mantissa) + mantissa, exponent - bias - n_mantissa);
  return bits >> 15 ? -size : size;
}
// Any sign and mantissa; exponents around 1, for f16 down to the subnormal numbers now and then.
std::vector<uint16_t> random_halves(size_t n, bool bf16, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<uint16_t> x(n);
  for (uint16_t& bits : x) {
    const unsigned random = unsigned(engine());
    const unsigned exponent = bf16 ? 120 + random / 65536 % 12 : random / 65536 % 8 == 0 ? 0 : 9 + random / 65536 % 10;
    bits = uint16_t((random & 0x8000) | (bf16 ? exponent << 7 | (random & 0x7f) : exponent << 10 | (random & 0x3ff)));
  }
  return x;
}

struct ExactProduct {
  double sum, size;  // size: sum of the terms' absolute values
};
ExactProduct exact(const std::vector<uint16_t>& a, const std::vector<uint16_t>& b, int row, int column, bool bf16) {
  ExactProduct p{};
  for (int k = 0; k < 16; ++k) {
    const double term = value_of(a[size_t(row * 16 + k)], bf16) * value_of(b[size_t(k * 8 + column)], bf16);
    p.sum += term;
    p.size += std::fabs(term);
  }
  return p;
}
// Sums of float, in any order and cut off instead of rounded.
constexpr double tolerance = 17 * 0x1p-22;

TEST(Ptx, ProductsOfFragments) {
  COHORT_NEEDS_DEVICE();
  for (const bool bf16 : {false, true})
    for (const unsigned seed : {1u, 2u, 3u}) {
      const std::vector<uint16_t> a = random_halves(256, bf16, seed), b = random_halves(128, bf16, seed + 10);
      const std::vector<float> c = random_numbers(128);
      std::vector<uint32_t> left(128), right(64);
      std::vector<float> in(128);
      const auto pair = [](uint16_t low, uint16_t high) { return uint32_t(low) | uint32_t(high) << 16; };
      for (size_t lane = 0; lane < 32; ++lane) {
        const size_t i = lane / 4, j = 2 * (lane % 4);
        for (size_t r = 0; r < 4; ++r) {
          const size_t at = (i + 8 * (r % 2)) * 16 + j + 8 * (r / 2);
          left[lane * 4 + r] = pair(a[at], a[at + 1]);
          in[lane * 4 + r] = c[(i + 8 * (r / 2)) * 8 + j + r % 2];
        }
        for (size_t r = 0; r < 2; ++r) right[lane * 2 + r] = pair(b[(j + 8 * r) * 8 + i], b[(j + 8 * r + 1) * 8 + i]);
      }
      Buffer<uint32_t> left_buffer(Where::device, left), right_buffer(Where::device, right);
      Buffer<float> in_buffer(Where::device, in), d(Where::device, size_t(128));
      run_mma(bf16, left_buffer.data(), right_buffer.data(), in_buffer.data(), d.data());
      const std::vector<float> got = d.values();
      for (int lane = 0; lane < 32; ++lane)
        for (int r = 0; r < 4; ++r) {
          const int row = lane / 4 + 8 * (r / 2), column = 2 * (lane % 4) + r % 2;
          const ExactProduct p = exact(a, b, row, column, bf16);
          const double start = double(c[size_t(row * 8 + column)]);
          ASSERT_NEAR(double(got[size_t(lane * 4 + r)]), p.sum + start, tolerance * (p.size + std::fabs(start)))
              << (bf16 ? "bf16 " : "f16 ") << row << ", " << column;
        }
    }
}

TEST(Ptx, ProductOfMatricesInSharedMemory) {
  COHORT_NEEDS_DEVICE();
  const std::vector<uint16_t> a = random_halves(256, false, 5), b = random_halves(128, false, 6);
  Buffer<uint16_t> left(Where::device, a), right(Where::device, b);
  Buffer<float> d(Where::device, size_t(128));
  run_product(left.data(), right.data(), d.data());
  const std::vector<float> got = d.values();
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 8; ++column) {
      const ExactProduct p = exact(a, b, row, column, false);
      ASSERT_NEAR(double(got[size_t(row * 8 + column)]), p.sum, tolerance * 2 * p.size) << row << ", " << column;
    }
}

TEST(Ptx, NamedBarriers) {
  COHORT_NEEDS_DEVICE();
  constexpr int n_rounds = 20;
  const std::vector<float> x = random_numbers(n_rounds * 32);
  Buffer<float> in(Where::device, x);
  for (const bool arrive : {false, true}) {
    Buffer<float> out(Where::device, size_t(32));
    run_hand_over(in.data(), out.data(), n_rounds, arrive);
    const std::vector<float> got = out.values();
    for (size_t lane = 0; lane < 32; ++lane) {
      float expected = 0;
      for (size_t i = 0; i < n_rounds; ++i) expected += x[i * 32 + 31 - lane];
      EXPECT_EQ(got[lane], expected) << arrive;
    }
  }
}

}  // namespace
}  // namespace cohort::testing

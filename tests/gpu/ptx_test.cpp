// Each function of cuda/ptx.h against a scalar reference: on the emulator a test of its emulated body, on a card of the
// PTX.
#include <cmath>
#include <random>

#include "gpu/backend.h"
#include "gpu/ptx_kernels.h"
#include "math/rounding.h"

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
ExactProduct exact(const std::vector<uint16_t>& a, const std::vector<uint16_t>& b, int row, int column, bool bf16,
                   int n = 16) {
  ExactProduct p{};
  for (int k = 0; k < n; ++k) {
    const double term = value_of(a[size_t(row * n + k)], bf16) * value_of(b[size_t(k * 8 + column)], bf16);
    p.sum += term;
    p.size += std::fabs(term);
  }
  return p;
}
// Sums of float, in any order and cut off instead of rounded.
constexpr double tolerance = 17 * 0x1p-22;

// a [16][n], b [n][8], n = 16 or 8.
void expect_products(int n, bool bf16, unsigned seed) {
  const std::vector<uint16_t> a = random_halves(size_t(16 * n), bf16, seed),
                              b = random_halves(size_t(n * 8), bf16, seed + 10);
  const std::vector<float> c = random_numbers(128);
  const size_t n_pairs = size_t(n) / 8;  // registers of b
  std::vector<uint32_t> left(64 * n_pairs), right(32 * n_pairs);
  std::vector<float> in(128);
  const auto pair = [](uint16_t low, uint16_t high) { return uint32_t(low) | uint32_t(high) << 16; };
  for (size_t lane = 0; lane < 32; ++lane) {
    const size_t i = lane / 4, j = 2 * (lane % 4);
    for (size_t r = 0; r < 2 * n_pairs; ++r) {
      const size_t at = (i + 8 * (r % 2)) * size_t(n) + j + 8 * (r / 2);
      left[lane * 2 * n_pairs + r] = pair(a[at], a[at + 1]);
    }
    for (size_t r = 0; r < 4; ++r) in[lane * 4 + r] = c[(i + 8 * (r / 2)) * 8 + j + r % 2];
    for (size_t r = 0; r < n_pairs; ++r)
      right[lane * n_pairs + r] = pair(b[(j + 8 * r) * 8 + i], b[(j + 8 * r + 1) * 8 + i]);
  }
  Buffer<uint32_t> left_buffer(Where::device, left), right_buffer(Where::device, right);
  Buffer<float> in_buffer(Where::device, in), d(Where::device, size_t(128));
  (n == 16 ? run_mma : run_narrow_mma)(bf16, left_buffer.data(), right_buffer.data(), in_buffer.data(), d.data());
  const std::vector<float> got = d.values();
  for (int lane = 0; lane < 32; ++lane)
    for (int r = 0; r < 4; ++r) {
      const int row = lane / 4 + 8 * (r / 2), column = 2 * (lane % 4) + r % 2;
      const ExactProduct p = exact(a, b, row, column, bf16, n);
      const double start = double(c[size_t(row * 8 + column)]);
      ASSERT_NEAR(double(got[size_t(lane * 4 + r)]), p.sum + start, tolerance * (p.size + std::fabs(start)))
          << (bf16 ? "bf16 " : "f16 ") << n << ": " << row << ", " << column;
    }
}
TEST(Ptx, ProductsOfFragments) {
  COHORT_NEEDS_DEVICE();
  for (const int n : {8, 16})
    for (const bool bf16 : {false, true})
      for (const unsigned seed : {1u, 2u, 3u}) expect_products(n, bf16, seed);
}
#if defined(COHORT_EMULATED)
// Tensor cores cut off: sums are not nearer to 0 than a unit of the last place below the exact ones, and never beyond them.
TEST(Ptx, TruncatedProducts) {
  for (const int guard_bits : {0, 1, 3}) {
    emulator::options().mma_guard_bits = guard_bits;
    for (const bool bf16 : {false, true}) expect_products(16, bf16, 4);
  }
  emulator::options().mma_guard_bits = 0;
  std::vector<uint32_t> a(128), b(64);
  a[0] = 0x3c00;  // 1, row 0, k = 0
  b[0] = 0x3c00;  // 1, k = 0, column 0
  std::vector<float> c(128), rounded(128);
  c[0] = 0x1p-24f + 0x1p-25f;  // three quarters of the last place of 1
  Buffer<uint32_t> left(Where::device, a), right(Where::device, b);
  Buffer<float> in(Where::device, c), d(Where::device, size_t(128));
  run_mma(false, left.data(), right.data(), in.data(), d.data());
  EXPECT_EQ(d.values()[0], 1.0f);
  emulator::options() = {};
  run_mma(false, left.data(), right.data(), in.data(), d.data());
  EXPECT_EQ(d.values()[0], 1.0f + 0x1p-23f);
}
#endif

TEST(Ptx, HalvesAndFunctions) {
  COHORT_NEEDS_DEVICE();
  std::vector<float> x = {0.0f, -0.0f,    1.0f,     65504.0f,    65519.9f,   65520.0f,   -1e30f,    HUGE_VALF,
                          NAN,  0x1p-24f, 0x1p-25f, -0x1.8p-25f, 0x1.004p0f, 0x1.00cp0f, 0x1p-130f, 1e-3f};
  for (const float v : random_numbers(200)) x.push_back(20 * v * v * v);
  std::vector<float> y(x.rbegin(), x.rend());
  const size_t n = x.size();
  constexpr uint16_t top = 0x3c00;  // 1, in both halves
  Buffer<float> xs(Where::device, x), ys(Where::device, y), exp2(Where::device, n), reciprocal(Where::device, n),
      tanh(Where::device, n);
  Buffer<uint32_t> f16(Where::device, n), bf16(Where::device, n), largest(Where::device, n);
  Buffer<float2> from_f16(Where::device, n), from_bf16(Where::device, n);
  run_elementwise(xs.data(), ys.data(), top | uint32_t(top) << 16, int(n),
                  {f16.data(), bf16.data(), largest.data(), from_f16.data(), from_bf16.data(), exp2.data(),
                   reciprocal.data(), tanh.data()});
  const auto same = [](float a, float b) {
    return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
  };
  const std::vector<float2> halves = from_f16.values(), brains = from_bf16.values();
  const std::vector<uint32_t> largest_of = largest.values(), packed = f16.values();
  for (size_t i = 0; i < n; ++i) {
    SCOPED_TRACE(x[i]);
    EXPECT_TRUE(same(halves[i].x, math::to_half(x[i]))) << halves[i].x;
    EXPECT_TRUE(same(halves[i].y, math::to_half(y[i]))) << halves[i].y;
    EXPECT_TRUE(same(brains[i].x, math::to_bfloat16(x[i]))) << brains[i].x;
    EXPECT_TRUE(same(brains[i].y, math::to_bfloat16(y[i]))) << brains[i].y;
    const auto expected = [&](float v, uint32_t half) {
      return math::to_half(std::fabs(v)) > 1 ? half & 0x7fff : uint32_t(top);
    };
    const uint32_t low = largest_of[i] & 0xffff, high = largest_of[i] >> 16;
    if (std::isnan(x[i]))
      EXPECT_GT(low, 0x7c00u);
    else
      EXPECT_EQ(low, expected(x[i], packed[i] & 0xffff));
    if (std::isnan(y[i]))
      EXPECT_GT(high, 0x7c00u);
    else
      EXPECT_EQ(high, expected(y[i], packed[i] >> 16));
    if (!std::isfinite(x[i])) continue;
    const double e = std::exp2(double(x[i])), r = 1 / double(x[i]), t = std::tanh(double(x[i]));
    if (e < 1e38) {
      EXPECT_NEAR(double(exp2.values()[i]), e, 2 * 0x1p-23 * e + 0x1p-126);
    }
    if (std::fabs(r) < 1e38) {
      EXPECT_NEAR(double(reciprocal.values()[i]), r, 2 * 0x1p-23 * std::fabs(r) + 0x1p-126);
    }
    EXPECT_NEAR(double(tanh.values()[i]), t, 0x1p-10 * std::fabs(t));
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

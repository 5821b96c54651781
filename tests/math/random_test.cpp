// The generator against its published vectors, and what is derived from it against its distribution. All keys are
// fixed, so a test that passes once passes always.
#include "math/random.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "functions.h"

namespace cohort::test {
namespace {

// Kolmogorov's and Smirnov's statistic sqrt(n) sup |F_n - F|; above 1.95 once in a thousand samples.
template <class F>
double kolmogorov_smirnov(std::vector<double> x, F cdf) {
  std::sort(x.begin(), x.end());
  const double n = double(x.size());
  double d = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double c = cdf(x[i]);
    d = std::max({d, double(i + 1) / n - c, c - double(i) / n});
  }
  return std::sqrt(n) * d;
}
double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// The vectors of Random123's kat_vectors (D. E. Shaw Research).
TEST(Philox, MeetsThePublishedVectors) {
  const struct {
    uint32_t counter[4], key[2], result[4];
  } vectors[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const auto& v : vectors) {
    const rng::Words r = rng::philox(v.counter[0], v.counter[1], v.counter[2], v.counter[3], v.key[0], v.key[1]);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(r.w[i], v.result[i]);
  }
}

TEST(Key, EveryPartOfItChangesTheStream) {
  const rng::Key keys[] = {{1, 0, 1, 0, 0}, {2, 0, 1, 0, 0}, {1ull << 32 | 1, 0, 1, 0, 0},
                           {1, 1, 1, 0, 0}, {1, 0, 2, 0, 0}, {1, 0, 1, 1, 0},
                           {1, 0, 1, 0, 1}};
  std::set<uint32_t> words;
  for (const rng::Key& key : keys)
    for (uint32_t index : {0u, 1u})
      for (uint32_t sub : {0u, 1u}) words.insert(key.words(index, sub).w[0]);
  EXPECT_EQ(words.size(), std::size(keys) * 4);
}

template <class Real>
void test_uniform_range() {
  EXPECT_GT(rng::to_uniform<Real>(0), 0);
  EXPECT_LT(rng::to_uniform<Real>(0xffffffffu), 1);
  EXPECT_LT(rng::to_uniform<Real>(0x7fffffffu), Real(0.5));
  EXPECT_GT(rng::to_uniform<Real>(0x80000000u), Real(0.5));
}
TEST(Uniform, IsInsideTheOpenUnitInterval) {
  test_uniform_range<float>();
  test_uniform_range<double>();
}
TEST(Uniform, IsUniform) {
  std::vector<double> u;
  for (uint32_t i = 0; i < 25'000; ++i) {
    rng::Sequence random(rng::Key(3, 0, rng::stream_trial, 0, 0), i);
    for (int j = 0; j < 4; ++j) u.push_back(double(random.uniform<float>()));
  }
  EXPECT_LT(kolmogorov_smirnov(u, [](double x) { return x; }), 1.95);
}

TEST(Below, TakesEveryValueEquallyOften) {
  constexpr int n = 6, draws = 60'000;
  int count[n] = {};
  for (uint32_t i = 0; i < draws; ++i) {
    rng::Sequence random(rng::Key(4, 0, rng::stream_trial, 0, 0), i);
    const int value = random.below(n);
    ASSERT_GE(value, 0);
    ASSERT_LT(value, n);
    ++count[value];
  }
  for (int c : count) EXPECT_NEAR(c, draws / n, 5 * std::sqrt(draws * (1.0 / n) * (1 - 1.0 / n)));
}

TEST(Sequence, IsNotTheStreamOfTheBulkNumbers) {
  const rng::Key key(5, 0, rng::stream_trial, 0, 0);
  rng::Sequence random(key, 0);
  std::set<uint32_t> words;
  for (int i = 0; i < 64; ++i) words.insert(random.word());
  for (int j = 0; j < 4; ++j) words.insert(key.words(0).w[j]);
  EXPECT_EQ(words.size(), 68u);
}

template <class Real>
void test_normal(const Functions<Real>& f) {
  constexpr int blocks = 100'000, n = 4 * blocks;
  std::vector<Real> z(n);
  f.normal(6, z.data(), blocks);
  double moment[5] = {};
  for (Real x : z)
    for (int k = 1; k <= 4; ++k) moment[k] += std::pow(double(x), k) / n;
  const double se = 1 / std::sqrt(double(n));  // variances of z, z^2, z^3, z^4 are 1, 2, 15, 96
  EXPECT_NEAR(moment[1], 0, 5 * se);
  EXPECT_NEAR(moment[2], 1, 5 * se * std::sqrt(2.0));
  EXPECT_NEAR(moment[3], 0, 5 * se * std::sqrt(15.0));
  EXPECT_NEAR(moment[4], 3, 5 * se * std::sqrt(96.0));
  EXPECT_LT(kolmogorov_smirnov(std::vector<double>(z.begin(), z.end()), normal_cdf), 1.95);
  for (int lag : {1, 2, 3, 4}) {  // numbers of one call, of one pair, and of neighbouring calls
    double product = 0, squares = 0;
    for (int i = 0; i + lag < n; ++i) {
      const double a = double(z[size_t(i)]), b = double(z[size_t(i + lag)]);
      product += a * b / n;
      squares += (a * a - 1) * (b * b - 1) / n;
    }
    EXPECT_NEAR(product, 0, 5 * se) << lag;
    EXPECT_NEAR(squares, 0, 5 * se * 2) << lag;
  }
}

class Normal : public PerIsa {};
TEST_P(Normal, HasTheMomentsAndTheDistribution) {
  test_normal(table<float>());
  test_normal(table<double>());
}
// The words are the same; what is made of them differs by the roundings of log, sqrt and sincospi. The radius loses
// most: |dr| = |d(r^2)| / (2 r), and near u = 1 r^2 has the absolute error of u, an ulp of 1.
TEST_P(Normal, FloatAndDoubleAreTheSameNumbers) {
  constexpr int blocks = 50'000;
  std::vector<float> single(4 * blocks);
  std::vector<double> twofold(4 * blocks);
  table<float>().normal(7, single.data(), blocks);
  table<double>().normal(7, twofold.data(), blocks);
  constexpr double eps = 1.2e-7;
  for (size_t i = 0; i < single.size(); i += 2) {
    const double radius = std::hypot(twofold[i], twofold[i + 1]);
    const double bound = 4 * eps * (radius + 1 / std::max(radius, std::sqrt(eps)));
    ASSERT_NEAR(double(single[i]), twofold[i], bound);
    ASSERT_NEAR(double(single[i + 1]), twofold[i + 1], bound);
  }
}
INSTANTIATE_TEST_SUITE_P(Math, Normal, ::testing::Values(2, 3, 4), isa_name);

TEST(ToNormal, ExtremeWordsStayFiniteAndBelowTheStatedBound) {
  for (uint32_t w0 : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xfffffffeu, 0xffffffffu})
    for (uint32_t w1 : {0u, 1u, 0x40000000u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
      float a, b;
      rng::to_normal(w0, w1, &a, &b);
      double c, d;
      rng::to_normal(w0, w1, &c, &d);
      EXPECT_LT(std::fabs(a), 6.7f);
      EXPECT_LT(std::fabs(b), 6.7f);
      EXPECT_LT(std::fabs(c), 6.7);
      EXPECT_LT(std::fabs(d), 6.7);
    }
}

TEST(Permute, IsABijection) {
  for (uint32_t n : {1u, 2u, 3u, 4u, 5u, 16u, 17u, 1000u, 55'000u}) {
    const rng::Key key(8, 0, rng::stream_shuffle, 0, n);
    std::vector<int> hits(n);
    for (uint32_t i = 0; i < n; ++i) {
      const uint32_t to = rng::permute(i, n, key);
      ASSERT_LT(to, n);
      ++hits[to];
    }
    EXPECT_EQ(std::count(hits.begin(), hits.end(), 1), int64_t(n)) << n;
  }
}
TEST(Permute, ManyTogetherAreAsEachAlone) {
  constexpr int most = 70;
  constexpr uint32_t unused = 0xffffffffu;
  for (const uint32_t n : {1u, 5u, 65u, 1000u, 55'000u})  // of 65 in 256, three of four walk on
    for (const int count : {1, 16, 33, most}) {
      uint32_t i[most], step[most];
      for (int j = 0; j < most; ++j) {
        i[j] = j < count ? uint32_t(j * 7) % n : unused;
        step[j] = uint32_t(j / 3);
      }
      rng::permute<most>(count, i, step, n, rng::Key(8, 0, rng::stream_shuffle, 0, 12345));
      for (int j = 0; j < count; ++j) {
        const rng::Key alone(8, 0, rng::stream_shuffle, 0, step[j]);
        EXPECT_EQ(i[j], rng::permute(uint32_t(j * 7) % n, n, alone)) << n << ' ' << j;
      }
      for (int j = count; j < most; ++j) EXPECT_EQ(i[j], unused);
    }
}
// Every element to every place, and every distance between the places of neighbours, equally often: within 5 %, five
// times the noise of so many draws.
TEST(Permute, OrdersOfSmallSetsAreUniform) {
  constexpr uint32_t draws = 100'000;
  for (uint32_t n : {5u, 10u}) {
    std::vector<double> place(n * n), distance(n * n);
    for (uint32_t epoch = 0; epoch < draws; ++epoch) {
      std::vector<uint32_t> to(n);
      for (uint32_t i = 0; i < n; ++i) {
        to[i] = rng::permute(i, n, rng::Key(9, 0, rng::stream_shuffle, 0, epoch));
        ++place[i * n + to[i]];
      }
      for (uint32_t i = 0; i < n; ++i) ++distance[i * n + (to[(i + 1) % n] + n - to[i]) % n];
    }
    for (uint32_t i = 0; i < n; ++i)
      for (uint32_t j = 0; j < n; ++j) {
        EXPECT_NEAR(place[i * n + j] * n / draws, 1, 0.05) << n << ": " << i << " to " << j;
        if (j == 0) continue;
        EXPECT_NEAR(distance[i * n + j] * (n - 1) / draws, 1, 0.05) << n << ": " << i << " by " << j;
      }
  }
}

}  // namespace
}  // namespace cohort::test

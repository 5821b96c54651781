// Rounding to half and bfloat16 against the list of all their numbers, decoded from their bits: every number stays, every
// midpoint between neighbours goes to the even one, and what lies on either side of it to its own side.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "functions.h"

namespace cohort::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Format {
  int exponent_bits, fraction_bits;
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  int n_finite() const { return ((1 << exponent_bits) - 1) << fraction_bits; }  // not negative
  // The number of these bits without sign; those from n_finite() on as if exponents went on.
  double decode(int bits) const {
    const int exponent = bits >> fraction_bits, fraction = bits & ((1 << fraction_bits) - 1);
    return std::ldexp(exponent == 0 ? fraction : fraction + (1 << fraction_bits),
                      std::max(exponent, 1) - bias() - fraction_bits);
  }
};
constexpr Format kHalf{5, 10}, kBfloat16{8, 7};

using Round = void (*)(const float*, float*, int);

std::vector<float> rounded(Round round, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  round(x.data(), y.data(), int(x.size()));
  return y;
}

// Rounds x and -x; the results must be `expected` and -expected, to the bit.
class Expectations {
 public:
  void add(double x, double expected) {
    for (const double sign : {1.0, -1.0}) {
      x_.push_back(float(sign * x));
      expected_.push_back(float(sign * expected));
    }
  }
  void check(Round round) const {
    const std::vector<float> got = rounded(round, x_);
    int wrong = 0;
    for (size_t i = 0; i < x_.size() && wrong < 10; ++i)
      if (std::memcmp(&got[i], &expected_[i], sizeof(float)) != 0) {
        ++wrong;
        ADD_FAILURE() << x_[i] << " was rounded to " << got[i] << " instead of " << expected_[i];
      }
  }

 private:
  std::vector<float> x_, expected_;
};

class Rounding : public PerIsa {
 protected:
  static const Roundings& rounding_table() {
    return GetParam() == 2 ? roundings<2>() : GetParam() == 3 ? roundings<3>() : roundings<4>();
  }
};
INSTANTIATE_TEST_SUITE_P(Every, Rounding, ::testing::Values(2, 3, 4), isa_name);

void expect_nearest(const Format& format, Round round) {
  Expectations all;
  for (int bits = 0; bits < format.n_finite(); ++bits) {
    const double here = format.decode(bits), next = format.decode(bits + 1), middle = (here + next) / 2;
    const double above = bits + 1 < format.n_finite() ? next : HUGE_VAL;
    const float tie = float(middle);  // exact but where it is beyond the largest float
    all.add(here, here);
    if (double(tie) != middle) continue;
    all.add(tie, bits % 2 == 0 ? here : above);
    all.add(std::nextafter(tie, 0.0f), here);
    all.add(std::nextafter(tie, kInfinity), above);
  }
  all.add(HUGE_VAL, HUGE_VAL);
  all.check(round);
  for (const float nan : {std::nanf(""), -std::nanf("1"), std::numeric_limits<float>::signaling_NaN()})
    EXPECT_TRUE(std::isnan(rounded(round, {nan})[0]));
}

TEST_P(Rounding, EveryHalfStaysAndEveryTieGoesToTheEvenOne) { expect_nearest(kHalf, rounding_table().to_half); }
TEST_P(Rounding, EveryBfloat16StaysAndEveryTieGoesToTheEvenOne) {
  expect_nearest(kBfloat16, rounding_table().to_bfloat16);
}

TEST_P(Rounding, KnownHalves) {
  Expectations known;
  known.add(65504, 65504);
  known.add(65519.996, 65504);
  known.add(65520, HUGE_VAL);
  known.add(1e30, HUGE_VAL);
  known.add(0x1p-14, 0x1p-14);
  known.add(0x1.ffcp-15, 0x1.ff8p-15 + 0x1p-24);
  known.add(0x1p-24, 0x1p-24);
  known.add(0x1p-25, 0);
  known.add(0x1.000002p-25, 0x1p-24);
  known.add(0x1.8p-24, 0x1p-23);
  known.add(1e-40, 0);
  known.add(0, 0);
  known.add(2049, 2048);
  known.add(2051, 2052);
  known.check(rounding_table().to_half);
}
TEST_P(Rounding, KnownBfloat16s) {
  Expectations known;
  known.add(257, 256);
  known.add(259, 260);
  known.add(0x1.fep127, 0x1.fep127);
  known.add(0x1.fffffep127, HUGE_VAL);
  known.add(0x1p-133, 0x1p-133);  // the smallest
  known.add(0x1p-134, 0);
  known.check(rounding_table().to_bfloat16);
}

// Both parts are numbers of the format, and their sum, which a float holds, is x but for the rounding of the second.
TEST_P(Rounding, SplitsKeepTwiceTheBits) {
  std::mt19937_64 random(7);
  std::vector<float> x;
  for (int i = 0; i < 100'000; ++i) {
    const double significand = double(random() >> 40) * 0x1p-24 + 1;
    x.push_back(
        float(std::ldexp(random() % 2 ? significand : -significand, int(random() % 26) - 12)));  // 2^-12 to 2^14
  }
  const int n = int(x.size());
  std::vector<float> hi(x.size()), lo(x.size());
  struct Case {
    void (*split)(const float*, float*, float*, int);
    Round round;
    double relative, absolute;  // half a unit of the last place of both parts; half of the smallest number
  };
  const Case cases[] = {{rounding_table().split_half, rounding_table().to_half, 0x1p-22, 0x1p-25},
                        {rounding_table().split_bfloat16, rounding_table().to_bfloat16, 0x1p-16, 0}};
  for (const Case& c : cases) {
    c.split(x.data(), hi.data(), lo.data(), n);
    EXPECT_EQ(rounded(c.round, hi), hi);
    EXPECT_EQ(rounded(c.round, lo), lo);
    EXPECT_EQ(rounded(c.round, x), hi);
    for (size_t i = 0; i < x.size(); ++i) {
      const double sum = double(hi[i]) + double(lo[i]);
      EXPECT_LE(std::abs(sum - double(x[i])), std::max(c.relative * std::abs(double(x[i])), c.absolute)) << x[i];
      EXPECT_EQ(double(float(sum)), sum) << x[i];
    }
  }
}

}  // namespace
}  // namespace cohort::test

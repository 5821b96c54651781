// Laws that every registered geometry keeps, in double on both orthants.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <random>

#include "program/rule.h"

namespace cohort {
namespace {

template <class G>
struct Name;
#define COHORT_ROW(word)                        \
  template <>                                   \
  struct Name<geometry::word> {                 \
    static constexpr const char* value = #word; \
  };
COHORT_FOR_EACH_GEOMETRY(COHORT_ROW)
#undef COHORT_ROW

// ::testing::Types of all registered geometries: the words come with a comma before each.
#define COHORT_ROW(word) , geometry::word
template <class First, class... Rest>
using Tail = ::testing::Types<Rest...>;
using Geometries = Tail<void COHORT_FOR_EACH_GEOMETRY(COHORT_ROW)>;
#undef COHORT_ROW

// Values of p and beta that differ in what they exercise: roots, squares and general powers.
const geometry::Params kParams[] = {{1.5, 1.0}, {2.0, 0.1}, {2.5, 0.01}, {3.0, 10.0}, {1.1, 1e-3}};

const char* info_of(GeometryId id) { return id == GeometryId::neg_entropy ? "neg_entropy" : "unsigned_eg"; }

template <class G>
class GeometryLaws : public ::testing::Test {
 protected:
  std::mt19937_64 random{1};
  double weight() {  // both signs, magnitudes from 1e-3 to 3
    std::uniform_real_distribution<double> exponent(-3, 0.5), sign(-1, 1);
    return std::copysign(std::pow(10.0, exponent(random)), sign(random));
  }
  double direction() { return std::normal_distribution<double>(0, 1)(random); }
};
TYPED_TEST_SUITE(GeometryLaws, Geometries);

TYPED_TEST(GeometryLaws, DualIsTheGradientOfThePotential) {
  for (const auto& q : kParams)
    for (int i = 0; i < 200; ++i) {
      const double w = this->weight(), h = 1e-5 * std::abs(w);
      const double slope = (TypeParam::potential(w + h, q) - TypeParam::potential(w - h, q)) / (2 * h);
      const double dual = TypeParam::to_dual(w, q);
      // central difference: h^2 phi''' / 6 and rounding eps phi / h
      EXPECT_NEAR(slope, dual, 1e-8 * (1 + std::abs(dual)) + 1e-15 * std::abs(TypeParam::potential(w, q)) / h)
          << Name<TypeParam>::value << " w " << w << " p " << q.p;
    }
}

TYPED_TEST(GeometryLaws, CurvatureIsTheDerivativeOfTheDual) {
  for (const auto& q : kParams)
    for (int i = 0; i < 200; ++i) {
      const double w = this->weight(), h = 1e-5 * std::abs(w);
      const double slope = (TypeParam::to_dual(w + h, q) - TypeParam::to_dual(w - h, q)) / (2 * h);
      const double curvature = TypeParam::curvature(w, q);
      // central difference: h^2 / 6 times the second derivative of phi'', which is below 3 phi'' / w^2, and rounding of phi'
      EXPECT_NEAR(slope, curvature, 1e-8 * std::abs(curvature) + 1e-15 * (1 + std::abs(TypeParam::to_dual(w, q))) / h)
          << Name<TypeParam>::value << " w " << w << " p " << q.p << " beta " << q.beta;
    }
}

TYPED_TEST(GeometryLaws, CurvatureOfZeroIsALimit) {
  for (const auto& q : kParams) {
    double zero = 0;
    with_map(TypeParam{}, q, [&](auto map) { zero = map.curvature(0.0, q); });
    EXPECT_GE(zero, 0.0) << Name<TypeParam>::value << " p " << q.p;
  }
}

TYPED_TEST(GeometryLaws, DualAndPrimalAreInverse) {
  for (const auto& q : kParams)
    for (int i = 0; i < 200; ++i) {
      const double w = this->weight();
      EXPECT_NEAR(TypeParam::to_primal(TypeParam::to_dual(w, q), w, q), w, 1e-12 * std::abs(w) * (1 + 1 / (q.p - 1)))
          << Name<TypeParam>::value;
    }
}

// Magnitudes from 1e-30 to 1e30, wherever the dual value is a normal number. A relative error of a few eps in the dual value y is
// one of |y phi'' (w) / w|^-1 in w: at most 1 + |y| where the map is logarithmic, and 1 / (p - 1) where it is a power, whose
// own rounding is |ln w| eps.
template <class G, class Real>
void expect_round_trips() {
  const double eps = double(std::numeric_limits<Real>::epsilon());
  int kept = 0;
  for (const auto& q : kParams)
    for (int exponent = -30; exponent <= 30; ++exponent)
      for (const double digits : {1.0, 2.7, -1.0, -6.1}) {
        const Real w = Real(digits * std::pow(10.0, exponent));
        const double dual = std::abs(G::to_dual(double(w), q));
        const Real back = G::to_primal(G::to_dual(w, q), w, q);
        EXPECT_FALSE(std::isnan(back)) << Name<G>::value << " " << w;
        if (!(dual > double(std::numeric_limits<Real>::min()) && dual < double(std::numeric_limits<Real>::max())))
          continue;
        ++kept;
        const double tolerance =
            8 * eps * (1 + std::abs(std::log(std::abs(double(w)))) + dual * (dual < 200)) * (1 + 1 / (q.p - 1));
        EXPECT_NEAR(double(back), double(w), tolerance * std::abs(double(w)))
            << Name<G>::value << " p " << q.p << " beta " << q.beta;
      }
  EXPECT_GT(kept, 4 * 61 * int(std::size(kParams)) / 2);
  for (const auto& q : kParams)
    for (const Real zero : {Real(0), -Real(0)}) EXPECT_EQ(G::to_primal(G::to_dual(zero, q), zero, q), Real(0));
}
TYPED_TEST(GeometryLaws, RoundTripsOfSixtyOrdersOfMagnitude) {
  expect_round_trips<TypeParam, double>();
  expect_round_trips<TypeParam, float>();
}

TYPED_TEST(GeometryLaws, StepAgreesWithTheDualForm) {
  for (const auto& q : kParams)
    for (int i = 0; i < 200; ++i) {
      const double w = this->weight(), d = this->direction(), lr = 0.01;
      const double expected = TypeParam::to_primal(TypeParam::to_dual(w, q) - lr * d, w, q);
      const double moved = TypeParam::step(w, d, lr, q);
      EXPECT_NEAR(moved, expected, 1e-11 * (1 + std::abs(expected)))
          << Name<TypeParam>::value << " w " << w << " d " << d << " p " << q.p << " beta " << q.beta;
    }
}

TYPED_TEST(GeometryLaws, ZeroGradientLeavesTheWeight) {
  for (const auto& q : kParams)
    for (int i = 0; i < 200; ++i) {
      const double w = this->weight();
      EXPECT_EQ(TypeParam::step(w, 0.0, 0.1, q), w);
      const float narrow = float(w);
      EXPECT_EQ(TypeParam::step(narrow, 0.0f, 0.1f, q), narrow);
    }
}

TYPED_TEST(GeometryLaws, ZerosStayWhereTheGeometrySaysSo) {
  for (const auto& q : kParams)
    for (const double d : {-2.0, 0.5, 3.0}) {
      const double moved = TypeParam::step(0.0, d, 0.1, q);
      if (TypeParam::zeros_stay)
        EXPECT_EQ(moved, 0.0) << Name<TypeParam>::value;
      else
        EXPECT_LT(moved * d, 0.0) << Name<TypeParam>::value << ": a free zero moves against the gradient";
    }
}

TYPED_TEST(GeometryLaws, DescendsAlongTheGradientOfALoss) {  // to first order, d * (w+ - w) < 0
  for (const auto& q : kParams)
    for (int i = 0; i < 200; ++i) {
      const double w = this->weight(), d = this->direction();
      const double moved = TypeParam::step(w, d, 1e-3, q);
      // unsigned_eg descends on the positive orthant only: that is its definition
      const double sign = std::string(Name<TypeParam>::value) == "unsigned_eg" && w < 0 ? -1 : 1;
      EXPECT_LE(sign * d * (moved - w), 0.0) << Name<TypeParam>::value;
    }
}

TYPED_TEST(GeometryLaws, NaNStaysVisible) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& q : kParams) {
    EXPECT_TRUE(std::isnan(TypeParam::step(0.5, nan, 0.1, q)));
    EXPECT_TRUE(std::isnan(TypeParam::step(0.5f, float(nan), 0.1f, q)));
    EXPECT_TRUE(std::isnan(TypeParam::step(float(nan), 0.1f, 0.1f, q)));
  }
}

// Of the whole rule, whatever else it has; 10^6 steps of each weight.
TEST(ExponentiatedGradient, SignsAndZerosStayThroughAMillionSteps) {
  std::mt19937_64 random(8);
  std::uniform_real_distribution<float> gradient(-1, 1);
  for (const GeometryId id : {GeometryId::neg_entropy, GeometryId::unsigned_eg})
    for (const bool adam : {false, true}) {
      RuleSpec rule;
      rule.geometry = id;
      rule.nesterov = !adam;
      rule.dampening = 0.1;
      rule.weight_decay = 0.01;
      rule.adam = adam;
      const Step<float> step(rule, 0.05f, false, 1.0f);
      const Adam<float> adam_step(rule, 0.05f, 1000000, 1.0f);
      const float start[] = {0.0f, -0.0f, 1e-30f, -1e-30f, 0.3f, -0.3f, 1e3f, -1e3f};
      float w[8], first[8] = {}, second[8] = {};
      std::copy_n(start, 8, w);
      with_rule(rule, [&](auto map, auto projection) {
        for (int t = 0; t < 1000000; ++t)
          for (int i = 0; i < 8; ++i) {
            float d = gradient(random);
            if (adam) {
              d = adam_step.direction(d, first[i], second[i]);
              w[i] = adam_step.decayed(w[i], false);
            }
            w[i] = step.move(map, projection, d, w[i], adam ? d : first[i], false);
            if (!(w[i] > -1e3f && w[i] < 1e3f) || (start[i] != 0 && std::abs(w[i]) < 1e-30f)) w[i] = start[i];
            ASSERT_TRUE(start[i] == 0 ? w[i] == 0 : w[i] != 0 && std::signbit(w[i]) == std::signbit(start[i]))
                << info_of(id) << " step " << t << ": " << start[i] << " became " << w[i];
          }
      });
    }
}
TEST(ExponentiatedGradient, NeverFlipsASign) {
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal;
  const geometry::Params q{2, 1};
  for (int net = 0; net < 100; ++net) {
    float w = normal(random), start = w;
    for (int step = 0; step < 10000; ++step) w = geometry::neg_entropy::step(w, normal(random), 0.3f, q);
    EXPECT_TRUE(w == 0 || (w > 0) == (start > 0));
  }
}

}  // namespace
}  // namespace cohort

// Samples against the normal distribution, by both backends: against formulas written out once more, closed forms and laws.
#include "cohort/normality.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "cohort/error.h"
#include "gpu/backend.h"

namespace cohort::testing {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();

const Potential neg_entropy{.geometry = GeometryId::neg_entropy};
const Potential euclidean{};
Potential p_norm(double p) { return {.geometry = GeometryId::p_norm, .p = p}; }
Potential hypentropy(double beta) { return {.geometry = GeometryId::hypentropy, .beta = beta}; }
const std::vector<Potential> all_potentials = {
    neg_entropy, p_norm(1.1), p_norm(1.5),     euclidean,
    p_norm(2.5), p_norm(3),   hypentropy(0.1), {.geometry = GeometryId::unsigned_eg}};

// ---- the rows
struct Row {
  const NormalityProgram* program;
  Where where;
};
void over_rows(const std::function<void(const Row&)>& f) {
  for (const char* isa : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    if (const NormalityProgram* const program = cpu_normality(isa)) {
      SCOPED_TRACE(isa);
      f({program, Where::host});
    }
  SCOPED_TRACE("cuda");
  f({cuda_normality(), Where::device});
}

// Weights of some networks before and after learning, with `gap` elements between rows that nobody may count.
struct Problem {
  int n_nets = 1, n = 0, gap = 0;
  std::vector<float> before = {}, after = {};
  std::vector<uint8_t> mask = {};          // empty: none
  std::vector<Potential> potentials = {};  // the same for every network
  int stride() const { return n + gap; }
};

struct Part {
  int first = 0, count = -1;  // -1: all
  size_t workspace = 0;       // 0: as much as is asked for
};
std::vector<DualChange> changes_of(const Row& row, const Problem& p, const Part& part = {}) {
  std::vector<Potential> potentials;
  for (int i = 0; i < p.n_nets; ++i) potentials.insert(potentials.end(), p.potentials.begin(), p.potentials.end());
  Buffer<float> before(row.where, p.before), after(row.where, p.after);
  Buffer<uint8_t> mask(row.where, p.mask);
  Buffer<Potential> wanted(row.where, potentials);
  Buffer<DualChange> changes(row.where, potentials.size());
  const DualChangeArgs args{.n_nets = p.n_nets,
                            .n_potentials = int32_t(p.potentials.size()),
                            .n = p.n,
                            .stride = p.stride(),
                            .before = before.data(),
                            .after = after.data(),
                            .mask = mask.data(),
                            .potentials = wanted.data(),
                            .changes = changes.data()};
  const int count = part.count < 0 ? p.n_nets : part.count;
  const size_t bytes = part.workspace ? part.workspace : row.program->dual_change_workspace(args, count);
  launch_on(row.where, bytes, part.first, count, [&](const Launch& l) { row.program->dual_change(args, l); });
  return changes.values();
}
std::vector<Normality> log_fits_of(const Row& row, int n_nets, std::vector<float> weights) {
  const int64_t n = int64_t(weights.size()) / n_nets;
  Buffer<float> w(row.where, std::move(weights));
  Buffer<Normality> fits(row.where, size_t(n_nets));
  const LogWeightsArgs args{.n_nets = n_nets, .n = n, .weights = w.data(), .fits = fits.data()};
  launch_on(row.where, row.program->log_weights_workspace(args, n_nets), 0, n_nets,
            [&](const Launch& l) { row.program->log_weights(args, l); });
  return fits.values();
}

// Networks whose weights move by normal numbers in the dual space of a p-norm; every seventh starts at 0.
Problem random_problem(int n_nets, int n, unsigned seed, int gap = 0) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  Problem p{.n_nets = n_nets, .n = n, .gap = gap};
  const auto signed_root = [](double y) { return std::copysign(std::sqrt(std::abs(y)), y); };
  for (int i = 0; i < n_nets * p.stride(); ++i) {
    const double w = i % 7 == 6 ? 0 : 0.1 * normal(engine);
    p.before.push_back(float(w));
    p.after.push_back(float(signed_root(w * std::abs(w) + 0.002 * normal(engine))));
  }
  p.potentials = all_potentials;
  return p;
}

// ---- the same by formulas written out
using Real = long double;
Real sign_of(Real w) { return Real(w > 0) - Real(w < 0); }
Real dual(const Potential& q, Real w) {
  const Real a = std::abs(w);
  switch (q.geometry) {
    case GeometryId::euclidean:
      return w;
    case GeometryId::p_norm:
      return sign_of(w) * std::pow(a, Real(q.p) - 1);
    case GeometryId::neg_entropy:
      return w == 0 ? 0 : sign_of(w) * (std::log(a) + 1);
    case GeometryId::unsigned_eg:
      return w == 0 ? 0 : std::log(a) + 1;
    case GeometryId::hypentropy:
      return std::asinh(w / Real(q.beta));
  }
  return NAN;
}
Real cdf(Real z) { return std::erfc(-z / std::sqrt(Real(2))) / 2; }

struct Distances {
  Real delta_cdf, ks;
};
Distances distances(const std::vector<Real>& z) {
  const Real n = Real(z.size());
  const auto share = [&](Real x, bool strictly) {
    return Real(std::count_if(z.begin(), z.end(), [&](Real v) { return strictly ? v < x : v <= x; })) / n;
  };
  Distances d{0, 0};
  Real last = 0;
  for (int k = 0; k < 1000; ++k) {
    const Real x = -5 + k * (Real(10) / 999), here = std::abs(share(x, false) - cdf(x));
    if (k > 0) d.delta_cdf += (last + here) / 2 * (Real(10) / 999);
    last = here;
  }
  for (const Real x : z) d.ks = std::max({d.ks, std::abs(share(x, false) - cdf(x)), std::abs(share(x, true) - cdf(x))});
  return d;
}

// A value is rounded to 2^-24 of itself before it is sorted; where that takes it over one of the 1000 points, 0.01 / n of the
// integral is another. Of the samples here, of values up to 10 standard deviations, at most three are.
double allowed_delta_cdf(double n) { return 3 * 0.0101 / n + 1e-9; }
constexpr double allowed_ks = 5e-7;  // density 0.4 at values of up to 5, and the result in float

void expect_normality(const Normality& found, const std::vector<Real>& sample, const char* what) {
  SCOPED_TRACE(what);
  const Real n = Real(sample.size());
  ASSERT_EQ(found.n, int64_t(sample.size()));
  Real mean = 0, m[5] = {};
  for (const Real x : sample) mean += x / n;
  for (const Real x : sample)
    for (int k = 2; k <= 4; ++k) m[k] += std::pow(x - mean, Real(k)) / n;
  const Real sd = std::sqrt(m[2] * n / (n - 1));
  constexpr double rounding = 1e-11;  // of sums of a thousand terms, and of logarithms and powers
  EXPECT_NEAR(found.mean, double(mean), rounding * double(std::abs(mean) + sd));
  EXPECT_NEAR(found.m2, double(m[2]), rounding * double(m[2]));
  EXPECT_NEAR(found.skewness, double(m[3] / std::pow(m[2], Real(1.5))), 100 * rounding);
  EXPECT_NEAR(found.kurtosis, double(m[4] / (m[2] * m[2]) - 3), 100 * rounding);
  std::vector<Real> plain, centred;
  for (const Real x : sample) {
    plain.push_back(x / sd);
    centred.push_back((x - mean) / sd);
  }
  const Distances a = distances(plain), b = distances(centred);
  EXPECT_NEAR(found.delta_cdf, double(a.delta_cdf), allowed_delta_cdf(double(n)));
  EXPECT_NEAR(found.delta_cdf_centred, double(b.delta_cdf), allowed_delta_cdf(double(n)));
  EXPECT_NEAR(found.ks, double(a.ks), allowed_ks);
  EXPECT_NEAR(found.ks_centred, double(b.ks), allowed_ks);
}

void expect_none(const Normality& fit) {
  EXPECT_TRUE(std::isnan(fit.delta_cdf) && std::isnan(fit.delta_cdf_centred) && std::isnan(fit.ks) &&
              std::isnan(fit.ks_centred));
}
bool equal(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }
void expect_same(const DualChange& a, const DualChange& b) {
  const Normality &x = a.change, &y = b.change;
  EXPECT_TRUE(x.n == y.n && equal(x.mean, y.mean) && equal(x.m2, y.m2) && equal(x.skewness, y.skewness) &&
              equal(x.kurtosis, y.kurtosis) && equal(x.delta_cdf, y.delta_cdf) && equal(x.ks, y.ks) &&
              equal(x.delta_cdf_centred, y.delta_cdf_centred) && equal(x.ks_centred, y.ks_centred) &&
              equal(a.laziness, b.laziness) && a.sign_flips == b.sign_flips);
}

// ---- tests
TEST(DualChange, IsWhatTheFormulasSay) {
  COHORT_NEEDS_DEVICE();
  for (const int n : {2, 37, 300}) {
    SCOPED_TRACE(n);
    Problem p = random_problem(2, n, 5, 3);
    for (int i = 0; i < 2 * p.stride(); ++i) p.mask.push_back(i % 5 != 2);
    over_rows([&](const Row& row) {
      const std::vector<DualChange> found = changes_of(row, p);
      for (int net = 0; net < 2; ++net)
        for (size_t c = 0; c < p.potentials.size(); ++c) {
          SCOPED_TRACE(c);
          std::vector<Real> sample;
          Real moved = 0, start = 0;
          int64_t flips = 0;
          for (int i = net * p.stride(); i < net * p.stride() + n; ++i) {
            if (!p.mask[size_t(i)]) continue;
            const Real w0 = p.before[size_t(i)], w1 = p.after[size_t(i)], y0 = dual(p.potentials[c], w0);
            sample.push_back(dual(p.potentials[c], w1) - y0);
            moved += sample.back() * sample.back();
            start += y0 * y0;
            flips += w0 * w1 < 0;
          }
          const DualChange& change = found[size_t(net) * p.potentials.size() + c];
          expect_normality(change.change, sample, "sample");
          EXPECT_NEAR(change.laziness, double(std::sqrt(moved / start)), 1e-11 * change.laziness);
          EXPECT_EQ(change.sign_flips, flips);
        }
    });
  }
}

TEST(LogWeights, AreWhatTheFormulasSay) {
  COHORT_NEEDS_DEVICE();
  const Problem p = random_problem(3, 200, 8);
  over_rows([&](const Row& row) {
    const std::vector<Normality> found = log_fits_of(row, 3, p.before);
    for (int net = 0; net < 3; ++net) {
      std::vector<Real> sample;
      for (int i = net * 200; i < (net + 1) * 200; ++i)
        if (p.before[size_t(i)] != 0) sample.push_back(std::log(std::abs(Real(p.before[size_t(i)]))));
      expect_normality(found[size_t(net)], sample, "logarithms");
    }
  });
}

// Changes +-1, half of each: F is 0, 1/2, 1, so the integral is that of Phi on four pieces.
TEST(DualChange, OfACoinHasAClosedForm) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 128;
  Problem p{.n = n, .potentials = {euclidean}};
  for (int i = 0; i < n; ++i) {
    p.before.push_back(0);
    p.after.push_back(i % 2 ? 1.0f : -1.0f);
  }
  const double z = std::sqrt((n - 1.0) / n);
  const auto integral_of_cdf = [](double a, double b) {  // z Phi(z) + phi(z) is one
    const auto at = [](double x) { return x * double(cdf(x)) + std::exp(-x * x / 2) / std::sqrt(2 * M_PI); };
    return at(b) - at(a);
  };
  const double half = integral_of_cdf(-5, -z) + (0.5 * z - integral_of_cdf(-z, 0));
  over_rows([&](const Row& row) {
    const Normality fit = changes_of(row, p)[0].change;
    EXPECT_EQ(fit.mean, 0);
    EXPECT_EQ(fit.m2, 1);
    EXPECT_NEAR(fit.kurtosis, -2, 1e-14);
    EXPECT_NEAR(fit.delta_cdf, 2 * half,
                0.0101 * 0.5);  // a jump of 1/2 lies somewhere between two points, twice: at most
    EXPECT_NEAR(fit.ks, double(cdf(z)) - 0.5, allowed_ks);
    EXPECT_EQ(fit.delta_cdf, fit.delta_cdf_centred);
  });
}

// The floor: a change that is exactly normal.
TEST(DualChange, OfNormalNumbersHasTheFloorOfItsSize) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 400, n_nets = emulated ? 60 : 400;
  std::mt19937 engine(12);
  std::normal_distribution<double> normal;
  Problem p{.n_nets = n_nets, .n = n, .potentials = {euclidean}};
  for (int i = 0; i < n_nets * n; ++i) {
    p.before.push_back(float(normal(engine)));
    p.after.push_back(p.before.back() + float(0.01 * normal(engine)));
  }
  over_rows([&](const Row& row) {
    double sum = 0, squares = 0, larger = 0;
    for (const DualChange& d : changes_of(row, p)) {
      const double scaled = d.change.delta_cdf * std::sqrt(double(n));
      sum += scaled;
      squares += scaled * scaled;
      larger += d.change.ks * std::sqrt(double(n)) > 1.36;
    }
    const double mean = sum / n_nets, error = std::sqrt((squares / n_nets - mean * mean) / n_nets);
    EXPECT_NEAR(mean, 1.1, 0.05 + 4 * error);                         // "about 1.1"
    EXPECT_LE(larger / n_nets, 0.05 + 4 * std::sqrt(0.05 / n_nets));  // 5 % with a known sd, fewer with this one
  });
}

TEST(DualChange, IsNormalInTheSpaceOfItsPotentialAlone) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 1000;
  std::mt19937 engine(3);
  std::normal_distribution<double> normal;
  for (const size_t truth : {size_t(0), size_t(3), size_t(5)}) {  // neg_entropy, euclidean, p = 3
    Problem p{.n = n, .potentials = all_potentials};
    const Potential& q = all_potentials[truth];
    for (int i = 0; i < n; ++i) {
      const double w = 0.03 * std::exp(normal(engine)) * (i % 2 ? 1 : -1),
                   y = double(dual(q, w)) + 0.1 * double(dual(q, 0.1)) * normal(engine);
      p.before.push_back(float(w));
      p.after.push_back(float(
          truth == 0 ? w * std::exp(std::copysign(1.0, w) * (y - double(dual(q, w))))
                     : std::copysign(std::pow(std::abs(y), 1 / (q.geometry == GeometryId::p_norm ? q.p - 1 : 1)), y)));
    }
    over_rows([&](const Row& row) {
      const std::vector<DualChange> found = changes_of(row, p);
      for (const size_t other : {size_t(0), size_t(3), size_t(5)}) {
        if (other == truth) continue;
        EXPECT_LT(2 * found[truth].change.delta_cdf, found[other].change.delta_cdf) << truth << other;
      }
      EXPECT_LT(found[truth].change.delta_cdf, 2.5 / std::sqrt(double(n)));
    });
  }
}

TEST(DualChange, KeepsItsLaws) {
  COHORT_NEEDS_DEVICE();
  Problem p = random_problem(1, 250, 9);
  p.potentials = {euclidean, p_norm(3), p_norm(2)};
  Problem scaled = p, moved = p;
  for (std::vector<float>* w : {&scaled.before, &scaled.after})
    for (float& x : *w) x *= 0x1p-7f;  // exact
  std::fill(moved.before.begin(), moved.before.end(), 0.0f);
  for (size_t i = 0; i < moved.after.size(); ++i) {
    p.before[i] = 0;
    p.after[i] = std::nearbyint(p.after[i] * 4096) / 4096;  // so that adding is exact
    moved.after[i] = p.after[i] + 0.5f;
  }
  Problem unscaled = random_problem(1, 250, 9);
  unscaled.potentials = p.potentials;
  over_rows([&](const Row& row) {
    const std::vector<DualChange> a = changes_of(row, unscaled), b = changes_of(row, scaled), c = changes_of(row, p),
                                  d = changes_of(row, moved);
    for (size_t k = 0; k < 3; ++k) {
      EXPECT_EQ(a[k].change.delta_cdf, b[k].change.delta_cdf);  // homogeneous potentials do not know of scale
      EXPECT_EQ(a[k].change.ks, b[k].change.ks);
      EXPECT_EQ(a[k].laziness, b[k].laziness);
    }
    expect_same(a[0], a[2]);  // p = 2
    EXPECT_NEAR(c[0].change.delta_cdf_centred, d[0].change.delta_cdf_centred, allowed_delta_cdf(250));
    EXPECT_NEAR(c[0].change.ks_centred, d[0].change.ks_centred, allowed_ks);
    EXPECT_NEAR(c[0].change.m2, d[0].change.m2, 1e-12 * c[0].change.m2);
    EXPECT_GT(d[0].change.delta_cdf, 1);
  });
}

TEST(DualChange, HasNoValueWhereThereIsNone) {
  COHORT_NEEDS_DEVICE();
  Problem p = random_problem(7, 50, 21);
  p.potentials = {euclidean, neg_entropy};
  const auto at = [](int net, int i) { return size_t(net * 50 + i); };
  p.after[at(0, 7)] = std::numeric_limits<float>::quiet_NaN();
  p.after[at(1, 49)] = infinite;
  p.before[at(2, 0)] = -infinite;
  for (int i = 0; i < 50; ++i) p.after[at(3, i)] = p.before[at(3, i)];  // nothing moved
  p.mask.assign(p.before.size(), 1);
  for (int i = 0; i < 50; ++i) p.mask[at(4, i)] = 0;  // nothing can move
  for (int i = 1; i < 50; ++i) p.mask[at(5, i)] = 0;  // one weight has no spread
  Problem alone = p;
  alone.n_nets = 1;
  for (std::vector<float>* w : {&alone.before, &alone.after}) w->erase(w->begin(), w->begin() + 300);
  alone.mask.assign(50, 1);
  over_rows([&](const Row& row) {
    const std::vector<DualChange> found = changes_of(row, p), last = changes_of(row, alone);
    for (size_t i = 0; i < 12; ++i) expect_none(found[i].change);
    for (size_t i = 0; i < 6; ++i) EXPECT_TRUE(std::isnan(found[i].laziness) && std::isnan(found[i].change.mean)) << i;
    EXPECT_EQ(found[6].change.m2, 0);
    EXPECT_EQ(found[6].change.n, 50);
    EXPECT_EQ(found[6].laziness, 0);
    EXPECT_EQ(found[8].change.n, 0);
    EXPECT_EQ(found[10].change.n, 1);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_TRUE(std::isfinite(found[12 + i].change.delta_cdf));
      expect_same(found[12 + i], last[i]);
    }
  });
}

TEST(DualChange, CountsFlipsAndZeros) {
  COHORT_NEEDS_DEVICE();
  const Problem p{.n = 6, .before = {1, -1, 0, 2, 0, -3}, .after = {-1, 1, 1, 0, 0, -3}, .potentials = {neg_entropy}};
  over_rows([&](const Row& row) {
    const DualChange found = changes_of(row, p)[0];
    EXPECT_EQ(found.sign_flips, 2);
    // -1 - 1, 1 + 1, 1 - 0, 0 - (ln 2 + 1), 0, 0
    EXPECT_NEAR(found.change.mean, -std::log(2.0) / 6, 1e-15);
    EXPECT_EQ(found.change.n, 6);
  });
}

// Equal weights and unknown geometries.
TEST(LogWeights, HaveNoShapeWithoutSpread) {
  COHORT_NEEDS_DEVICE();
  over_rows([&](const Row& row) {
    const std::vector<Normality> found = log_fits_of(row, 2, std::vector<float>(200, 0.1f));
    EXPECT_EQ(found[1].m2, 0);
    EXPECT_TRUE(std::isnan(found[1].skewness) && std::isnan(found[1].kurtosis));
    expect_none(found[1]);
    const Normality nothing = log_fits_of(row, 1, std::vector<float>(5, 0.0f))[0];
    EXPECT_EQ(nothing.n, 0);
    EXPECT_TRUE(std::isnan(nothing.mean) && std::isnan(nothing.m2));
    Problem p = random_problem(1, 10, 1);
    p.potentials = {{.geometry = GeometryId(99)}};
    const DualChange unknown = changes_of(row, p)[0];
    expect_none(unknown.change);
    EXPECT_TRUE(std::isnan(unknown.laziness));
  });
}

TEST(DualChange, DependsOnNothingButTheNetwork) {
  COHORT_NEEDS_DEVICE();
  constexpr int n_nets = 9, n = 130;
  const Problem p = random_problem(n_nets, n, 4, 2);
  const size_t c = p.potentials.size();
  over_rows([&](const Row& row) {
    const std::vector<DualChange> all = changes_of(row, p);
    DualChangeArgs one{.n_nets = 1, .n_potentials = 1, .n = n};
    const size_t least = row.program->dual_change_workspace(one, 1);
    for (const size_t workspace : {least, 5 * least}) {
      const std::vector<DualChange> sliced = changes_of(row, p, {.workspace = workspace});
      for (size_t i = 0; i < all.size(); ++i) expect_same(all[i], sliced[i]);
    }
    const std::vector<DualChange> some = changes_of(row, p, {.first = 2, .count = 3});
    for (size_t i = 0; i < all.size(); ++i) expect_same(some[i], i >= 2 * c && i < 5 * c ? all[i] : DualChange{});
    for (const int net : {0, 7}) {
      Problem alone = p;
      alone.n_nets = 1;
      alone.gap = 0;
      for (std::vector<float>* w : {&alone.before, &alone.after})
        *w = {w->begin() + net * p.stride(), w->begin() + net * p.stride() + n};
      const std::vector<DualChange> found = changes_of(row, alone);
      for (size_t i = 0; i < c; ++i) expect_same(found[i], all[size_t(net) * c + i]);
    }
  });
}

TEST(DualChange, BackendsAgree) {
  COHORT_NEEDS_DEVICE();
  const Problem p = random_problem(3, emulated ? 500 : 200'000, 14);
  const std::vector<DualChange> cpu = changes_of({cpu_normality(), Where::host}, p),
                                cuda = changes_of({cuda_normality(), Where::device}, p);
  for (size_t i = 0; i < cpu.size(); ++i) {
    const Normality &a = cpu[i].change, &b = cuda[i].change;
    EXPECT_EQ(a.n, b.n);
    EXPECT_NEAR(a.delta_cdf, b.delta_cdf, allowed_delta_cdf(double(a.n)));
    EXPECT_NEAR(a.ks, b.ks, allowed_ks);
    EXPECT_NEAR(a.m2, b.m2, 1e-10 * a.m2);
    EXPECT_EQ(cpu[i].sign_flips, cuda[i].sign_flips);
  }
}

TEST(DualChange, RefusesWrongArguments) {
  COHORT_NEEDS_DEVICE();
  over_rows([&](const Row& row) {
    Buffer<float> w(row.where, 20);
    Buffer<Potential> potentials(row.where, 2);
    Buffer<DualChange> changes(row.where, 2);
    const DualChangeArgs good{.n_nets = 2,
                              .n_potentials = 1,
                              .n = 10,
                              .stride = 10,
                              .before = w.data(),
                              .after = w.data(),
                              .potentials = potentials.data(),
                              .changes = changes.data()};
    const Scratch scratch(row.where, row.program->dual_change_workspace(good, 2));
    const auto message = [&](const DualChangeArgs& a, const Launch& l) -> std::string {
      try {
        row.program->dual_change(a, l);
      } catch (const Error& e) {
        return e.what();
      }
      return "";
    };
    const Launch launch{0, 2, scratch.data(), scratch.bytes(), nullptr};
    EXPECT_EQ(message(good, launch), "");
    const auto changed = [&](auto change) {
      DualChangeArgs a = good;
      change(a);
      return message(a, launch);
    };
    EXPECT_EQ(changed([](auto& a) { a.n = -1; }), "dual_change: n is -1; allowed: 0 to 1073741824");
    EXPECT_EQ(changed([](auto& a) { a.stride = 9; }), "dual_change: stride is 9; allowed: n = 10 or more");
    EXPECT_EQ(changed([](auto& a) { a.n_nets = 1; }), "dual_change: first + count is 2; allowed: up to n_nets = 1");
    EXPECT_EQ(changed([](auto& a) { a.after = nullptr; }),
              "dual_change: after is null; allowed: memory of the backend");
    EXPECT_EQ(changed([](auto& a) { a.n_potentials = 0; }), "");
    Launch small = launch;
    small.workspace_bytes = 1;
    EXPECT_TRUE(message(good, small).starts_with("dual_change: workspace_bytes is 1; allowed: "))
        << message(good, small);
    if (row.where == Where::device) gpu::check(cudaDeviceSynchronize(), "a launch");
  });
}

}  // namespace
}  // namespace cohort::testing

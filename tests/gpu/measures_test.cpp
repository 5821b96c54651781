// Measures of spectra against their formulas written out in long double and against closed forms; low-rank approximations by
// the range finder against LAPACK's singular values.
#include <cstdio>

#include "gpu/spectra_rows.h"

namespace cohort::testing {
namespace {

template <class Real>
class Measures : public ::testing::Test {};
template <class Real>
class RangeFinder : public ::testing::Test {};
using Reals = ::testing::Types<float, double>;
struct Names {
  template <class Real>
  static std::string GetName(int) {
    return sizeof(Real) == 4 ? "Float" : "Double";
  }
};
TYPED_TEST_SUITE(Measures, Reals, Names);
TYPED_TEST_SUITE(RangeFinder, Reals, Names);

constexpr double none = nan_of<double>;
// Sums of k <= 100 terms in double, each term rounded a few times.
constexpr double allowed_error = 1e-13;

constexpr double SpectrumMeasures::*fields[] = {&SpectrumMeasures::entropy,     &SpectrumMeasures::participation_ratio,
                                                &SpectrumMeasures::stable_rank, &SpectrumMeasures::nuclear,
                                                &SpectrumMeasures::frobenius,   &SpectrumMeasures::largest,
                                                &SpectrumMeasures::median,      &SpectrumMeasures::mean,
                                                &SpectrumMeasures::smallest,    &SpectrumMeasures::gap,
                                                &SpectrumMeasures::above_below};
static_assert(sizeof(SpectrumMeasures) == sizeof(double) * std::size(fields));

template <class Real>
struct Measured {
  std::vector<SpectrumMeasures> measures;
  std::vector<int32_t> histogram;
};
template <class Real>
Measured<Real> measure(const Row<Real>& row, int k, const std::vector<Real>& s, int n_bins = 0, double low = 0,
                       double high = 0, int first = 0, int count = -1) {
  const size_t n = s.size() / size_t(k);
  SpectrumMeasures untouched;
  for (const auto field : fields) untouched.*field = -7;
  Buffer<Real> in(row.where, s);
  Buffer<SpectrumMeasures> out(row.where, std::vector<SpectrumMeasures>(n, untouched));
  Buffer<int32_t> histogram(row.where, std::vector<int32_t>(n * size_t(n_bins), -7));
  row.program.spectrum_measures({int32_t(n), k, in.data(), out.data(), n_bins, low, high, histogram.data()},
                                {first, count < 0 ? int32_t(n) : count});
  return {out.values(), histogram.values()};
}

void expect_same(double found, double expected, const std::string& what) {
  if (std::isnan(expected))
    EXPECT_TRUE(std::isnan(found)) << what << ": " << found;
  else
    EXPECT_NEAR(found, expected, allowed_error * std::abs(expected)) << what;
}
void expect_same(const SpectrumMeasures& found, const SpectrumMeasures& expected, const std::string& what) {
  for (size_t i = 0; i < std::size(fields); ++i)
    expect_same(found.*fields[i], expected.*fields[i], what + " field " + std::to_string(i));
}

// The formulas of cohort/spectra.h; long double does not overflow where double nearly does.
template <class Real>
SpectrumMeasures by_formula(const Real* s, int k) {
  long double sum = 0, second = 0, fourth = 0, entropy = 0;
  int above = 0, below = 0;
  for (int i = 0; i < k; ++i) {
    const long double x = s[i];
    sum += x, second += x * x, fourth += x * x * x * x;
    above += x > 1.5L, below += x < 1.5L;
  }
  for (int i = 0; i < k; ++i)
    if (s[i] > 0) entropy -= s[i] / sum * std::log(s[i] / sum);
  SpectrumMeasures m;
  m.entropy = k > 1 ? double(entropy / std::log((long double)(k))) : none;
  m.participation_ratio = double(second * second / fourth);
  m.stable_rank = double(second / s[0] / s[0]);
  m.nuclear = double(sum);
  m.frobenius = double(std::sqrt(second));
  m.largest = double(s[0]);
  m.median = double(((long double)(s[(k - 1) / 2]) + s[k / 2]) / 2);
  m.mean = double(sum / k);
  m.smallest = double(s[k - 1]);
  m.gap = k > 1 ? double(((long double)(s[0]) - s[1]) / s[0]) : none;
  m.above_below = below ? double(above) / below : none;
  return m;
}

template <class Real>
std::vector<Real> random_spectrum(int k, double largest, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Real> s(static_cast<size_t>(k));
  for (Real& x : s) x = Real(largest * std::uniform_real_distribution<double>(0, 1)(random));
  std::sort(s.begin(), s.end(), std::greater<>());
  return s;
}

TYPED_TEST(Measures, FollowTheirFormulas) {
  COHORT_NEEDS_DEVICE();
  const double most = sizeof(TypeParam) == 4 ? 1e37 : 1e306;
  for (const int k : {1, 2, 3, 31, 32, 33, 64, 100})
    over_rows<TypeParam>([&](const auto& row) {
      std::vector<TypeParam> s;
      for (const double largest : {1.0, 3.0, 1e-30, most, 1 / most})
        for (const TypeParam x : random_spectrum<TypeParam>(k, largest, unsigned(k))) s.push_back(x);
      const auto found = measure<TypeParam>(row, k, s);
      for (size_t m = 0; m < found.measures.size(); ++m)
        expect_same(found.measures[m], by_formula(s.data() + m * size_t(k), k),
                    "k " + std::to_string(k) + " spectrum " + std::to_string(m));
    });
}

TYPED_TEST(Measures, OfSpectraWithClosedForms) {
  COHORT_NEEDS_DEVICE();
  // alike: an orthogonal matrix; one: rank one; half: rank two of four; the threshold itself is neither above nor below
  const std::vector<TypeParam> s = {2, 2, 2, 2, 5, 0, 0, 0, 1, 1, 0, 0, 1.5, 1.5, 1.5, 1.5, 2, 1.5, 1, 0};
  const SpectrumMeasures expected[] = {{1, 4, 4, 8, 4, 2, 2, 2, 2, 0, none},
                                       {0, 1, 1, 5, 5, 5, 0, 1.25, 0, 1, 1 / 3.0},
                                       {.5, 2, 2, 2, std::sqrt(2), 1, .5, .5, 0, 0, 0},
                                       {1, 4, 4, 6, 3, 1.5, 1.5, 1.5, 1.5, 0, none},
                                       by_formula(s.data() + 16, 4)};
  EXPECT_EQ(expected[4].above_below, .5);
  over_rows<TypeParam>([&](const auto& row) {
    const auto found = measure<TypeParam>(row, 4, s);
    for (size_t m = 0; m < 5; ++m) expect_same(found.measures[m], expected[m], std::to_string(m));
  });
}

TYPED_TEST(Measures, HaveNoValueWhereTheyAreNotDefined) {
  COHORT_NEEDS_DEVICE();
  const TypeParam infinity = std::numeric_limits<TypeParam>::infinity(), nan = nan_of<TypeParam>;
  std::vector<TypeParam> s(40 * 3, TypeParam(1));
  for (size_t i = 0; i < 40; ++i) s[i] = 0;
  s[40 + 39] = nan;
  s[80] = infinity;
  over_rows<TypeParam>([&](const auto& row) {
    const auto found = measure<TypeParam>(row, 40, s);
    expect_same(found.measures[0], {none, none, none, 0, 0, 0, 0, 0, 0, none, 0}, "zero");
    for (size_t m : {1, 2})
      for (const auto field : fields) EXPECT_TRUE(std::isnan(found.measures[m].*field)) << m;
    const auto one = measure<TypeParam>(row, 1, {3, 0});
    expect_same(one.measures[0], {none, 1, 1, 3, 3, 3, 3, 3, 3, none, none}, "one value");
    expect_same(one.measures[1], {none, none, none, 0, 0, 0, 0, 0, 0, none, 0}, "one value, zero");
  });
}

TYPED_TEST(Measures, OfAPartOfTheMatricesLeaveTheOthersAlone) {
  COHORT_NEEDS_DEVICE();
  constexpr int k = 5, n = 13;  // more than a block has warps
  std::vector<TypeParam> s;
  for (unsigned i = 0; i < n; ++i)
    for (const TypeParam x : random_spectrum<TypeParam>(k, 2, i)) s.push_back(x);
  over_rows<TypeParam>([&](const auto& row) {
    const auto all = measure<TypeParam>(row, k, s, 3, 0, 2), part = measure<TypeParam>(row, k, s, 3, 0, 2, 2, 9);
    for (size_t m = 0; m < n; ++m) {
      const bool inside = m >= 2 && m < 11;
      for (const auto field : fields)
        if (!inside) {
          EXPECT_EQ(part.measures[m].*field, -7);
        } else if (!std::isnan(all.measures[m].*field)) {
          EXPECT_EQ(part.measures[m].*field, all.measures[m].*field);
        }
      for (size_t i = m * 3; i < m * 3 + 3; ++i) EXPECT_EQ(part.histogram[i], inside ? all.histogram[i] : -7);
    }
  });
}

TYPED_TEST(Measures, HistogramsCount) {
  COHORT_NEEDS_DEVICE();
  constexpr int k = 70;
  const std::vector<TypeParam> s = random_spectrum<TypeParam>(k, 3, 1);
  for (const auto& [n_bins, low, high] :
       {std::tuple(1, 0.0, 3.0), {7, 0.0, 3.0}, {40, .5, 2.0}, {100, -1.0, 4.0}, {3, 5.0, 6.0}, {3, -6.0, -5.0}})
    over_rows<TypeParam>([&, n_bins = n_bins, low = low, high = high](const auto& row) {
      std::vector<int32_t> expected(static_cast<size_t>(n_bins));
      for (const TypeParam x : s)
        if (x >= low && x < high) ++expected[size_t((double(x) - low) / (high - low) * n_bins)];
      EXPECT_EQ(measure<TypeParam>(row, k, s, n_bins, low, high).histogram, expected) << n_bins;
    });
}
TYPED_TEST(Measures, HistogramsHaveTheirLowerEdges) {
  COHORT_NEEDS_DEVICE();
  const TypeParam below = std::nextafter(TypeParam(2), TypeParam(0)),
                  tiny = std::numeric_limits<TypeParam>::denorm_min();
  over_rows<TypeParam>([&](const auto& row) {
    using Counts = std::vector<int32_t>;
    EXPECT_EQ(measure<TypeParam>(row, 7, {3, 2, below, 1.5, 1, .5, 0}, 4, 0, 2).histogram, (Counts{1, 1, 1, 2}));
    EXPECT_EQ(measure<TypeParam>(row, 3, {1, tiny, 0}, 2, .5, 1.5).histogram, (Counts{0, 1}));
    EXPECT_EQ(measure<TypeParam>(row, 2, {tiny, 0}, 2, 0, 1).histogram, (Counts{2, 0}));
    EXPECT_EQ(measure<TypeParam>(row, 2, {nan_of<TypeParam>, nan_of<TypeParam>}, 2, 0, 1).histogram, (Counts{0, 0}));
    // beyond what a bin's position can tell: still in the last bin
    EXPECT_EQ(measure<TypeParam>(row, 1, {below}, 3, 0, 2).histogram, (Counts{0, 0, 1}));
  });
}

template <class Real>
std::vector<EigenvalueMeasures> measure_eigenvalues(const Row<Real>& row, int n, const std::vector<Real>& values) {
  const size_t n_matrices = values.size() / size_t(2 * n);
  Buffer<Real> in(row.where, values);
  Buffer<EigenvalueMeasures> out(row.where, n_matrices);
  row.program.eigenvalue_measures({int32_t(n_matrices), n, in.data(), out.data()}, {0, int32_t(n_matrices)});
  return out.values();
}
void expect_same(const EigenvalueMeasures& found, double radius, double effective_rank, double gap) {
  expect_same(found.radius, radius, "radius");
  expect_same(found.effective_rank, effective_rank, "effective rank");
  expect_same(found.gap, gap, "gap");
}

TYPED_TEST(Measures, OfEigenvalues) {
  COHORT_NEEDS_DEVICE();
  const TypeParam nan = nan_of<TypeParam>, infinity = std::numeric_limits<TypeParam>::infinity();
  const double most = sizeof(TypeParam) == 4 ? 1e38 : 1e307;
  const TypeParam huge = TypeParam(most);
  over_rows<TypeParam>([&](const auto& row) {
    const auto of = [&](int n, std::vector<TypeParam> values) {
      return measure_eigenvalues<TypeParam>(row, n, values)[0];
    };
    expect_same(of(1, {-2, 0}), 2, 1, none);
    expect_same(of(1, {0, 0}), 0, none, none);
    expect_same(of(2, {3, 4, 3, -4}), 5, 1, none);  // a pair has none beside it
    expect_same(of(3, {3, 4, 3, -4, 1, 0}), 5, 11 / 15.0, .8);
    expect_same(of(3, {-5, 0, 0, 3, 0, -3}), 5, 11 / 15.0, .4);
    expect_same(of(4, {0, 3, 0, -3, 0, 3, 0, -3}), 3, 1, 0);  // the same pair twice
    expect_same(of(3, {0, 0, 0, 0, 0, 0}), 0, none, none);
    expect_same(of(2, {1, 0, nan, 0}), none, none, none);
    expect_same(of(2, {infinity, 0, 1, 0}), none, none, none);
    expect_same(of(2, {huge, 0, -huge / 4, 0}), double(huge), .625, .75);
    expect_same(of(2, {1 / huge, 0, 0, 0}), 1 / double(huge) * (double(1 / huge) * double(huge)), .5, 1);
    // more than a warp has lanes, many spectra
    constexpr int n = 70, n_matrices = 9;
    std::vector<TypeParam> values;
    for (unsigned m = 0; m < n_matrices; ++m)
      for (const TypeParam x : random_spectrum<TypeParam>(n, 2, m)) values.push_back(x), values.push_back(0);
    const auto found = measure_eigenvalues<TypeParam>(row, n, values);
    for (size_t m = 0; m < n_matrices; ++m) {
      const TypeParam* const x = values.data() + m * n * 2;
      double sum = 0;
      for (int i = 0; i < n; ++i) sum += double(x[2 * i]);
      expect_same(found[m], double(x[0]), sum / n / double(x[0]), 1 - double(x[2]) / double(x[0]));
    }
  });
}

// The entropy that comes with singular values is that of the measures.
TYPED_TEST(Measures, EntropyOfMatrices) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 6;
  const double diagonals[][n] = {{1, 1, 1, 1, 1, 1}, {6, 5, 4, 3, 2, 1}, {4, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}};
  std::vector<Matrix> matrices;
  for (const auto& diagonal : diagonals)
    matrices.push_back(filled("", n, n, [&](int r, int c) { return r == c ? diagonal[r] : 0.0; }));
  over_rows<TypeParam>([&](const auto& row) {
    Buffer<TypeParam> in(row.where, stacked<TypeParam>(matrices)), out(row.where, size_t(4));
    Buffer<SpectrumStatus> status(row.where, size_t(4));
    const SvdEntropyArgs<TypeParam> args{4, n, n, in.data(), out.data(), status.data()};
    const Scratch scratch(row.where, row.program.svd_entropy_workspace(args, 4));
    row.program.svd_entropy(args, {0, 4, scratch.data(), scratch.bytes()});
    const std::vector<TypeParam> found = out.values();
    for (size_t m = 0; m < 3; ++m)
      EXPECT_NEAR(double(found[m]), by_formula(diagonals[m], n).entropy, 20 * unit_roundoff<TypeParam>) << m;
    EXPECT_TRUE(std::isnan(found[3]));
  });
}

// ---- low-rank approximations

template <class Real>
struct Cut {
  std::vector<Real> values;
  std::vector<SpectrumStatus> status;
  Matrix matrix(int rows, int cols, size_t m) const {
    const size_t size = size_t(rows) * size_t(cols);
    Matrix out{"", rows, cols, {}};
    for (size_t i = m * size; i < (m + 1) * size; ++i) out.data.push_back(double(values[i]));
    return out;
  }
};
template <class Real>
Cut<Real> cut(const Row<Real>& row, int rows, int cols, const std::vector<Real>& a, const std::vector<int32_t>& rank,
              LowRankScale scale = LowRankScale::frobenius, uint64_t seed = 1, int first = 0, int count = -1) {
  const size_t n = rank.size();
  Buffer<Real> in_place(row.where, a);
  Buffer<int32_t> ranks(row.where, rank);
  Buffer<uint64_t> seeds(row.where, std::vector<uint64_t>(n, seed));
  Buffer<SpectrumStatus> status(row.where, std::vector<SpectrumStatus>(n, SpectrumStatus(-7)));
  LowRankArgs<Real> args{int32_t(n), rows, cols, in_place.data(), ranks.data(), status.data(), scale};
  args.method = LowRankMethod::range_finder;
  args.seed = seeds.data();
  if (count < 0) count = int(n);
  launch_on(row.where, row.program.low_rank_workspace(args, count), first, count,
            [&](const Launch& l) { row.program.low_rank(args, l); });
  return {in_place.values(), status.values()};
}

// sigma_(r + 1) / sigma_1 of a product that was rounded element by element.
template <class Real>
double allowed_tail(int n) {
  return 4 * std::sqrt(double(n)) * unit_roundoff<Real>;
}

// Gaussian singular values lie close together, so that two powers do not find the largest of them: measured, for 64 to 100 units
// .788 of the best energy at rank 1, .914 at 10, .987 at half the units and 1.000 at one less than all.
double least_energy(int rank, int k) { return 2 * rank >= k ? .98 : rank >= 7 ? .9 : .8; }

// Exact rank, the norm kept, and of the energy of the r largest singular values nearly all: worst share of it so far.
template <class Real>
void expect_low_rank(const Row<Real>& row, const Matrix& a, const std::vector<int32_t>& ranks, double* worst) {
  const int n = std::max(a.rows, a.cols), k = std::min(a.rows, a.cols);
  const std::vector<Matrix> copies(ranks.size(), a);
  const Cut<Real> kept = cut(row, a.rows, a.cols, stacked<Real>(copies), ranks),
                  plain = cut(row, a.rows, a.cols, stacked<Real>(copies), ranks, LowRankScale::none);
  const std::vector<double> of_a = svd(a);
  for (size_t m = 0; m < ranks.size(); ++m) {
    const int r = ranks[m];
    EXPECT_EQ(kept.status[m], SpectrumStatus::ok);
    EXPECT_EQ(plain.status[m], SpectrumStatus::ok);
    const Matrix w = plain.matrix(a.rows, a.cols, m), scaled = kept.matrix(a.rows, a.cols, m);
    const std::vector<double> s = svd(w);
    if (r < k) {
      EXPECT_LE(s[size_t(r)] / s[0], allowed_tail<Real>(n)) << r;
    }
    const double of_sums = double(a.data.size()) * 0x1p-53;  // this test's own, in double
    const double allowed = 4 * unit_roundoff<Real> + of_sums;
    EXPECT_NEAR(scaled.frobenius(), a.frobenius(), a.frobenius() * allowed) << r;
    const double gain = a.frobenius() / w.frobenius();
    for (size_t i = 0; i < w.data.size(); ++i)
      ASSERT_NEAR(scaled.data[i], gain * w.data[i], allowed * (std::abs(scaled.data[i]) + a.frobenius() / n)) << i;
    // A projection: what is taken away is orthogonal to what is left.
    double rest = 0, best = 0;
    for (size_t i = 0; i < w.data.size(); ++i) rest += (a.data[i] - w.data[i]) * (a.data[i] - w.data[i]);
    const double energy = w.frobenius() * w.frobenius(), all = a.frobenius() * a.frobenius();
    EXPECT_NEAR(energy + rest, all, all * (n * unit_roundoff<Real> + of_sums)) << r;
    for (int i = 0; i < r; ++i) best += of_a[size_t(i)] * of_a[size_t(i)];
    EXPECT_GE(energy / best, least_energy(r, k)) << a.rows << " " << a.cols << " " << r;
    *worst = std::min(*worst, energy / best);
  }
}

TYPED_TEST(RangeFinder, KeepsNearlyTheEnergyOfTheBest) {
  COHORT_NEEDS_DEVICE();
  double worst = 1;
  for (const int n : {64, 100})
    over_rows<TypeParam>([&](const auto& row) {
      expect_low_rank<TypeParam>(row, gaussian(n, n, 1 / std::sqrt(double(n)), unsigned(n)), {1, 10, n / 2, n - 1},
                                 &worst);
    });
  std::printf("worst share of the best energy %.4f\n", worst);
}
TYPED_TEST(RangeFinder, OfAnyShape) {
  COHORT_NEEDS_DEVICE();
  double worst = 1;
  for (const auto& [rows, cols] : {std::pair(5, 3), {3, 5}, {37, 21}, {21, 38}, {2, 2}, {33, 64}})
    over_rows<TypeParam>([&, rows = rows, cols = cols](const auto& row) {
      const int k = std::min(rows, cols);
      expect_low_rank<TypeParam>(row, gaussian(rows, cols, 1, 5), {1, std::max(1, k / 3), k - 1}, &worst);
    });
  std::printf("worst share of the best energy %.4f\n", worst);
}

TYPED_TEST(RangeFinder, KeepsMatricesOfSmallerRank) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 24;
  const Matrix rank_3 = product(gaussian(n, 3, 1, 1), gaussian(3, n, 1, 2));
  const Matrix exact = filled("", n, n, [](int r, int c) { return double((r % 3 + 1) * (c % 5 - 1)); });  // rank one
  const Matrix zero = filled("", n, n, [](int, int) { return 0.0; });
  const Matrix corner = filled("", n, n, [](int r, int c) { return r == n - 1 && c == 0 ? 2.0 : 0.0; });
  const std::vector<Matrix> matrices = {rank_3, rank_3, exact, exact, zero, corner, corner};
  over_rows<TypeParam>([&](const auto& row) {
    for (const auto scale : {LowRankScale::frobenius, LowRankScale::none}) {
      const auto found = cut<TypeParam>(row, n, n, stacked<TypeParam>(matrices), {3, n - 1, 1, 7, 5, 1, 9}, scale);
      for (size_t m = 0; m < matrices.size(); ++m) {
        const Matrix w = found.matrix(n, n, m);
        EXPECT_EQ(found.status[m], SpectrumStatus::ok);
        const double allowed =
            8 * n * std::max(unit_roundoff<TypeParam>, m < 2 ? 0x1p-24 : 0) * matrices[m].frobenius();
        for (size_t i = 0; i < w.data.size(); ++i)
          ASSERT_NEAR(w.data[i], matrices[m].data[i], allowed) << m << " " << i;
      }
    }
  });
}

TYPED_TEST(RangeFinder, LeavesFullRankAloneAndRefusesWrongRanks) {
  COHORT_NEEDS_DEVICE();
  constexpr int rows = 7, cols = 9;
  const Matrix g = gaussian(rows, cols, 1, 3);
  std::vector<TypeParam> a = stacked<TypeParam>(std::vector<Matrix>(8, g));
  const size_t size = rows * cols;
  const std::vector<TypeParam> before = a;
  a[5 * size + 3] = nan_of<TypeParam>;
  a[6 * size + 3] = nan_of<TypeParam>;
  a[7 * size - 1] = std::numeric_limits<TypeParam>::infinity();
  over_rows<TypeParam>([&](const auto& row) {
    const auto found = cut<TypeParam>(row, rows, cols, a, {7, 0, 8, -1, 2, 2, 7, 3});
    const bool bad[8] = {false, true, true, true, false, true, true, false};
    for (size_t m = 0; m < 8; ++m) {
      EXPECT_EQ(found.status[m], bad[m] ? SpectrumStatus::not_finite : SpectrumStatus::ok) << m;
      for (size_t i = m * size; i < (m + 1) * size; ++i) {
        EXPECT_EQ(std::isnan(found.values[i]), bad[m]) << m;
        if (m == 0) {
          EXPECT_EQ(found.values[i], before[i]);
        }
      }
    }
  });
}

TYPED_TEST(RangeFinder, DependsOnTheMatrixAndTheSeedOnly) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 10;
  const std::vector<TypeParam> one = stacked<TypeParam>({gaussian(n, n, 1, 3)});
  const int most = sizeof(TypeParam) == 4 ? 100 : 1000;
  over_rows<TypeParam>([&](const auto& row) {
    const auto none_scale = LowRankScale::frobenius;
    const auto alone = cut<TypeParam>(row, n, n, one, {4}), other = cut<TypeParam>(row, n, n, one, {4}, none_scale, 2);
    EXPECT_NE(alone.values, other.values);
    const int n_matrices = emulated ? 150 : 2000;  // more than have a place in the workspace
    std::vector<TypeParam> many;
    for (int i = 0; i < n_matrices; ++i) many.insert(many.end(), one.begin(), one.end());
    const std::vector<int32_t> ranks(size_t(n_matrices), 4);
    const auto all = cut<TypeParam>(row, n, n, many, ranks),
               part = cut<TypeParam>(row, n, n, many, ranks, none_scale, 1, 1, 3);
    for (size_t i = 0; i < many.size(); ++i) {
      ASSERT_EQ(all.values[i], alone.values[i % one.size()]);
      const size_t m = i / one.size();
      ASSERT_EQ(part.values[i], m >= 1 && m < 4 ? alone.values[i % one.size()] : one[i % one.size()]);
    }
    for (const int exponent : {most, -most}) {
      std::vector<TypeParam> scaled = one;
      for (TypeParam& x : scaled) x = std::ldexp(x, exponent);
      const auto found = cut<TypeParam>(row, n, n, scaled, {4});
      for (size_t i = 0; i < one.size(); ++i) EXPECT_EQ(found.values[i], std::ldexp(alone.values[i], exponent)) << i;
    }
  });
}

}  // namespace
}  // namespace cohort::testing

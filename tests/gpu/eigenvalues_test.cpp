// Eigenvalues and spectral radii against LAPACK's, within bounds from the conditioning of each eigenvalue, and where that says
// nothing against the matrix itself: how little has to change for the result to be exact.
#include <cstdio>

#include "gpu/spectra_rows.h"

namespace cohort::testing {
namespace {

template <class Real>
class Eigenvalues : public ::testing::Test {};
template <class Real>
class SpectralRadius : public ::testing::Test {};
using Reals = ::testing::Types<float, double>;
struct Names {
  template <class Real>
  static std::string GetName(int) {
    return sizeof(Real) == 4 ? "Float" : "Double";
  }
};
TYPED_TEST_SUITE(Eigenvalues, Reals, Names);
TYPED_TEST_SUITE(SpectralRadius, Reals, Names);

// Errors are stated in n 2^-53 ||A||_F, times the condition of the eigenvalue. Measured (worst of all matrices here):
// 2.5 against LAPACK, which has an error of its own, and 2.3 as a backward error, both for 3 units; below .6 from 16 units on.
constexpr double allowed_error = 4, allowed_backward_error = 4;

template <class Real>
struct Found {
  std::vector<Real> values;  // [n_matrices][n][2]
  std::vector<SpectrumStatus> status;
  std::complex<double> value(int n, size_t matrix, int i) const {
    const size_t at = (matrix * size_t(n) + size_t(i)) * 2;
    return {double(values[at]), double(values[at + 1])};
  }
};

// Matrices [first, first + count) of a [n_matrices][n][n]; what is not computed keeps -7.
template <class Real>
Found<Real> eigvals(const Row<Real>& row, int n, const std::vector<Real>& a, int first = 0, int count = -1) {
  const size_t n_matrices = a.size() / (size_t(n) * size_t(n));
  Buffer<Real> in(row.where, a), out(row.where, std::vector<Real>(n_matrices * size_t(n) * 2, Real(-7)));
  Buffer<SpectrumStatus> status(row.where, std::vector<SpectrumStatus>(n_matrices, SpectrumStatus(-7)));
  const EigvalsArgs<Real> args{int32_t(n_matrices), n, in.data(), out.data(), status.data()};
  if (count < 0) count = int(n_matrices);
  launch_on(row.where, row.program.eigvals_workspace(args, count), first, count,
            [&](const Launch& l) { row.program.eigvals(args, l); });
  return {out.values(), status.values()};
}
template <class Real>
Found<Real> eigvals(const Row<Real>& row, const std::vector<Matrix>& matrices) {
  return eigvals(row, matrices[0].rows, stacked<Real>(matrices));
}

// By falling modulus, conjugates side by side and the positive imaginary part first.
template <class Real>
void expect_order(const Found<Real>& found, int n, size_t matrix, const std::string& name) {
  for (int i = 0; i < n; ++i) {
    const std::complex<double> x = found.value(n, matrix, i);
    if (i > 0) {
      EXPECT_LE(std::abs(x), std::abs(found.value(n, matrix, i - 1)) * (1 + 4 * unit_roundoff<Real>)) << name << i;
    }
    if (x.imag() != 0) {
      ASSERT_LT(i + 1, n) << name;
      EXPECT_GT(x.imag(), 0) << name << i;
      EXPECT_EQ(found.value(n, matrix, i + 1), std::conj(x)) << name << i;
      ++i;
    }
  }
}

// Each of LAPACK's eigenvalues, the best conditioned first, takes the nearest that is left.
template <class Real>
double worst_error(const Matrix& a, const Found<Real>& found, size_t matrix, std::vector<Eigenvalue> reference) {
  const int n = a.rows;
  std::vector<std::complex<double>> left;
  for (int i = 0; i < n; ++i) left.push_back(found.value(n, matrix, i));
  std::sort(reference.begin(), reference.end(), [](auto& x, auto& y) { return x.condition < y.condition; });
  double worst = 0;
  const double unit = n * 0x1p-53 * a.frobenius();
  for (const Eigenvalue& e : reference) {
    const auto nearest = std::min_element(
        left.begin(), left.end(), [&](auto& x, auto& y) { return std::abs(x - e.value) < std::abs(y - e.value); });
    const double rounding = sizeof(Real) == 4 ? 2 * unit_roundoff<Real> * std::abs(e.value) : 0;
    const double error = std::max(0.0, std::abs(*nearest - e.value) - rounding);
    if (error > 0) worst = std::max(worst, error / (unit * e.condition));
    left.erase(nearest);
  }
  return worst;
}

template <class Real>
double worst_backward_error(const Matrix& a, const Found<Real>& found, size_t matrix) {
  double worst = 0;
  for (int i = 0; i < a.rows; ++i) {
    const std::complex<double> x = found.value(a.rows, matrix, i);
    const double rounding = sizeof(Real) == 4 ? 2 * unit_roundoff<Real> * std::abs(x) : 0;
    worst = std::max(worst, std::max(0.0, backward_error(a, x) - rounding));
  }
  return a.frobenius() > 0 ? worst / (a.rows * 0x1p-53 * a.frobenius()) : worst;
}

// ---- matrices whose eigenvalues are simple, or the matrices normal
std::vector<Matrix> well_conditioned(int n) {
  std::vector<Matrix> out;
  const auto add = [&](const std::string& name, Matrix m) {
    m.name = name + " " + std::to_string(n) + " ";
    out.push_back(std::move(m));
  };
  const Matrix g = gaussian(n, n, 1, unsigned(n));
  add("Gaussian", g);
  add("Gaussian / sqrt n", gaussian(n, n, 1 / std::sqrt(double(n)), unsigned(n) + 1));
  add("symmetric", filled("", n, n, [&](int r, int c) { return g(r, c) + g(c, r); }));
  add("skew", filled("", n, n, [&](int r, int c) { return g(r, c) - g(c, r); }));
  add("orthogonal", orthogonal(n, unsigned(n)));
  add("cyclic", filled("", n, n, [&](int r, int c) { return double(c == (r + 1) % n); }));
  add("identity", filled("", n, n, [](int r, int c) { return double(r == c); }));
  add("column E/I", column_ei(n, unsigned(n)));
  add("repeated", filled("", n, n, [](int r, int c) { return (r == c ? 2.0 : 0.0) + 1; }));
  if (n > 1) add("graded", filled("", n, n, [&](int r, int c) { return g(r, c) * std::exp2(-(r + c) * 40.0 / n); }));
  return out;
}
// ... and others.
std::vector<Matrix> ill_conditioned(int n) {
  std::vector<Matrix> out;
  const auto add = [&](const std::string& name, Matrix m) {
    m.name = name + " " + std::to_string(n) + " ";
    out.push_back(std::move(m));
  };
  const int rank = (n + 3) / 4;
  add("low rank", product(gaussian(n, rank, 1, 7), gaussian(rank, n, 1, 8)));
  add("Jordan", filled("", n, n, [](int r, int c) { return r == c ? .5 : double(c == r + 1); }));
  const Matrix q = orthogonal(n, 9);
  const Matrix nilpotent = filled("", n, n, [&](int r, int c) { return c > r ? std::sin(r + 2 * c) : 0.0; });
  add("turned nilpotent", product(product(q, nilpotent), filled("", n, n, [&](int r, int c) { return q(c, r); })));
  add("constant", filled("", n, n, [](int, int) { return .75; }));
  // (x - 1) (x + 2) (x^2 + 1) x^(n - 4), or as many of the factors as there is room for
  add("companion", filled("", n, n, [&](int r, int c) {
        return r == 0 && n >= 4 && c < 4 ? (c == 0   ? -1.0
                                            : c == 1 ? 1.0
                                            : c == 2 ? -1.0
                                                     : 2.0)
               : r == c + 1              ? 1.0
                                         : 0.0;
      }));
  return out;
}

template <class Real>
void expect_eigenvalues(const Row<Real>& row, const std::vector<Matrix>& matrices, double* worst) {
  const int n = matrices[0].rows;
  const Found<Real> found = eigvals(row, matrices);
  for (size_t m = 0; m < matrices.size(); ++m) {
    EXPECT_EQ(found.status[m], SpectrumStatus::ok) << matrices[m].name;
    expect_order(found, n, m, matrices[m].name);
    const double error = worst_error(matrices[m], found, m, eigenvalues(matrices[m]));
    EXPECT_LE(error, allowed_error) << matrices[m].name;
    *worst = std::max(*worst, error);
  }
}

TYPED_TEST(Eigenvalues, AreLapacks) {
  COHORT_NEEDS_DEVICE();
  double worst = 0;
  for (const int n : {1, 2, 3, 5, 16, 31, 32, 33, 64})
    over_rows<TypeParam>([&](const auto& row) { expect_eigenvalues<TypeParam>(row, well_conditioned(n), &worst); });
  std::printf("worst error %.3g n 2^-53 ||A||_F cond\n", worst);
}

TYPED_TEST(Eigenvalues, OfAHundredUnits) {
  COHORT_NEEDS_DEVICE();
  double worst = 0;
  over_rows<TypeParam>([&](const auto& row) {
    expect_eigenvalues<TypeParam>(row, {gaussian(100, 100, .1, 5), column_ei(100, 6)}, &worst);
  });
  std::printf("worst error %.3g n 2^-53 ||A||_F cond\n", worst);
}

TYPED_TEST(Eigenvalues, OfMatricesThatSharedMemoryDoesNotHold) {
  COHORT_NEEDS_DEVICE();
  int n = 180;
#if defined(COHORT_EMULATED)
  const size_t smem = emulator::options().smem_per_block;
  emulator::options().smem_per_block = 12 * 1024;
  n = 37;
#endif
  double worst = 0;
  over_rows<TypeParam>([&](const auto& row) { expect_eigenvalues<TypeParam>(row, well_conditioned(n), &worst); });
#if defined(COHORT_EMULATED)
  emulator::options().smem_per_block = smem;
#endif
  std::printf("worst error %.3g n 2^-53 ||A||_F cond\n", worst);
}
TYPED_TEST(Eigenvalues, OfMoreMatricesThanHaveAPlaceInTheWorkspace) {
  COHORT_NEEDS_DEVICE();
  int n = 180, n_matrices = 1000;
#if defined(COHORT_EMULATED)
  const size_t smem = emulator::options().smem_per_block;
  emulator::options().smem_per_block = 1536;
  n = 9;
  n_matrices = 80;
#endif
  over_rows<TypeParam>([&](const auto& row) {
    const std::vector<Matrix> two = {gaussian(n, n, 1, 3), column_ei(n, 4)};
    std::vector<Matrix> many;
    for (int m = 0; m < n_matrices; ++m) many.push_back(two[size_t(m * 7 / 10 % 2)]);
    const Found<TypeParam> alone = eigvals<TypeParam>(row, two), found = eigvals<TypeParam>(row, many);
    for (int m = 0; m < n_matrices; ++m)
      for (int i = 0; i < n; ++i)
        ASSERT_EQ(found.value(n, size_t(m), i), alone.value(n, size_t(m * 7 / 10 % 2), i)) << m << " " << i;
  });
#if defined(COHORT_EMULATED)
  emulator::options().smem_per_block = smem;
#endif
}

TYPED_TEST(Eigenvalues, NeedLittleChangeToBeExact) {
  COHORT_NEEDS_DEVICE();
  double worst = 0;
  for (const int n : {2, 3, 5, 16, 33})
    over_rows<TypeParam>([&](const auto& row) {
      std::vector<Matrix> matrices = ill_conditioned(n);
      for (const Matrix& m : well_conditioned(n)) matrices.push_back(m);
      const Found<TypeParam> found = eigvals(row, matrices);
      for (size_t m = 0; m < matrices.size(); ++m) {
        EXPECT_EQ(found.status[m], SpectrumStatus::ok) << matrices[m].name;
        expect_order(found, n, m, matrices[m].name);
        const double error = worst_backward_error(matrices[m], found, m);
        EXPECT_LE(error, allowed_backward_error) << matrices[m].name;
        worst = std::max(worst, error);
        // All of them together: their sum is the trace.
        std::complex<double> sum = 0;
        double trace = 0, rounding = 0;
        for (int i = 0; i < n; ++i) {
          sum += found.value(n, m, i);
          trace += matrices[m](i, i);
          rounding += 2 * unit_roundoff<TypeParam> * std::abs(found.value(n, m, i));
        }
        EXPECT_LE(std::abs(sum - trace), n * n * 0x1p-53 * matrices[m].frobenius() + rounding) << matrices[m].name;
      }
    });
  std::printf("worst backward error %.3g n 2^-53 ||A||_F\n", worst);
}

TYPED_TEST(Eigenvalues, OfKnownPolynomials) {
  COHORT_NEEDS_DEVICE();
  // (x - 3) (x + 2) (x - 1) (x^2 + 1) = x^5 - 2 x^4 - 4 x^3 + 4 x^2 - 5 x + 6
  const double first[5] = {2, 4, -4, 5, -6};
  const Matrix a = filled("companion", 5, 5, [&](int r, int c) { return r == 0 ? first[c] : double(r == c + 1); });
  const std::complex<double> roots[5] = {3, -2, {0, 1}, {0, -1}, 1};
  over_rows<TypeParam>([&](const auto& row) {
    const auto found = eigvals<TypeParam>(row, {a});
    std::vector<std::complex<double>> left(roots, roots + 5);
    for (int i = 0; i < 5; ++i) {
      const auto nearest = std::min_element(left.begin(), left.end(), [&](auto& x, auto& y) {
        return std::abs(x - found.value(5, 0, i)) < std::abs(y - found.value(5, 0, i));
      });
      EXPECT_LE(std::abs(*nearest - found.value(5, 0, i)), 1e-13 + 4 * unit_roundoff<TypeParam>) << i;
      left.erase(nearest);
    }
    EXPECT_LE(std::abs(found.value(5, 0, 0) - 3.0), 1e-13 + 4 * unit_roundoff<TypeParam>);
    EXPECT_LE(std::abs(found.value(5, 0, 1) + 2.0), 1e-13 + 4 * unit_roundoff<TypeParam>);
  });
}

// What needs no arithmetic gets none: triangular matrices, whichever way their indices are ordered, and dead units.
TYPED_TEST(Eigenvalues, OfTriangularMatricesAreExact) {
  COHORT_NEEDS_DEVICE();
  for (const int n : {1, 2, 7, 33, 40})
    over_rows<TypeParam>([&](const auto& row) {
      const Matrix g = gaussian(n, n, 1, unsigned(n));
      std::vector<int> order(static_cast<size_t>(n));
      for (int i = 0; i < n; ++i) order[size_t(i)] = i;
      std::shuffle(order.begin(), order.end(), std::mt19937(3));
      const auto at = [&](int i) { return order[size_t(i)]; };
      const std::vector<Matrix> matrices = {
          filled("upper", n, n, [&](int r, int c) { return c >= r ? g(r, c) : 0; }),
          filled("lower", n, n, [&](int r, int c) { return c <= r ? g(r, c) : 0; }),
          filled("permuted", n, n, [&](int r, int c) { return at(c) >= at(r) ? g(r, c) : 0; }),
          filled("diagonal", n, n, [&](int r, int c) { return c == r ? g(r, c) : 0; }),
          filled("strict", n, n, [&](int r, int c) { return at(c) > at(r) ? g(r, c) : 0; }),
          filled("zero", n, n, [&](int, int) { return 0.0; })};
      const Found<TypeParam> found = eigvals(row, matrices);
      for (size_t m = 0; m < matrices.size(); ++m) {
        std::vector<double> expected;
        for (int i = 0; i < n; ++i) expected.push_back(matrices[m](i, i));
        std::sort(expected.begin(), expected.end(), [](double x, double y) { return std::abs(x) > std::abs(y); });
        EXPECT_EQ(found.status[m], SpectrumStatus::ok);
        for (int i = 0; i < n; ++i)
          EXPECT_EQ(found.value(n, m, i), std::complex<double>(expected[size_t(i)]))
              << matrices[m].name << n << " " << i;
      }
    });
}
TYPED_TEST(Eigenvalues, WithDeadUnitsAreThoseOfTheOthers) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 40;
  over_rows<TypeParam>([&](const auto& row) {
    Matrix a = gaussian(n, n, 1, 1);
    for (int i = 0; i < n; ++i)
      for (const int dead : {6, 7, 30, 39}) (dead % 2 ? a(dead, i) : a(i, dead)) = i == dead ? .25 * dead : 0;
    double worst = 0;
    expect_eigenvalues<TypeParam>(row, {a}, &worst);
    const auto found = eigvals<TypeParam>(row, {a});
    for (const int dead : {6, 7, 30, 39}) {
      bool there = false;
      for (int i = 0; i < n; ++i) there |= found.value(n, 0, i) == std::complex<double>(.25 * dead);
      EXPECT_TRUE(there) << dead;
    }
  });
}

// To the bit on the device; LAPACK scales extremes by what is no power of two.
TYPED_TEST(Eigenvalues, ScaleWithTheMatrix) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 12;
  const std::vector<TypeParam> a = stacked<TypeParam>({gaussian(n, n, 1, 3)});
  const int most = sizeof(TypeParam) == 4 ? 100 : 1000;
  over_rows<TypeParam>([&](const auto& row) {
    const auto plain = eigvals<TypeParam>(row, n, a);
    for (const int exponent : {most, -most}) {
      std::vector<TypeParam> scaled = a;
      for (TypeParam& x : scaled) x = std::ldexp(x, exponent);
      const auto found = eigvals<TypeParam>(row, n, scaled);
      for (size_t i = 0; i < plain.values.size(); ++i)
        EXPECT_NEAR(found.values[i], std::ldexp(plain.values[i], exponent),
                    row.where == Where::device ? 0 : n * 0x1p-48 * std::ldexp(double(n), exponent))
            << exponent << " " << i;
    }
  });
}

// D^-1 A D has A's eigenvalues, D powers of two: LAPACK is asked about A.
TYPED_TEST(Eigenvalues, OfBadlyScaledMatricesAreThoseOfBalancedOnes) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 20;
  const Matrix a = gaussian(n, n, 1, 3);
  Matrix scaled = a;
  for (int r = 0; r < n; ++r)
    for (int c = 0; c < n; ++c) scaled(r, c) = std::ldexp(a(r, c), (c * 37 % n - r * 37 % n) * 2);
  over_rows<TypeParam>([&](const auto& row) {
    const auto found = eigvals<TypeParam>(row, {scaled});
    EXPECT_LE(worst_error(a, found, 0, eigenvalues(a)), 10 * allowed_error);
  });
}

TYPED_TEST(Eigenvalues, OfMatricesThatAreNotFiniteAreNaNAndTouchNoOthers) {
  COHORT_NEEDS_DEVICE();
  const TypeParam infinity = std::numeric_limits<TypeParam>::infinity();
  for (const int n : {1, 2, 9})
    over_rows<TypeParam>([&](const auto& row) {
      const Matrix g = gaussian(n, n, 1, 3);
      const size_t size = size_t(n) * size_t(n);
      std::vector<TypeParam> a = stacked<TypeParam>({g, g, g, g, g});
      const auto good = eigvals<TypeParam>(row, n, a);
      a[size] = nan_of<TypeParam>;
      a[3 * size - 1] = infinity;
      a[4 * size - 1] = -infinity;
      const auto found = eigvals<TypeParam>(row, n, a);
      for (size_t m = 0; m < 5; ++m) {
        const bool bad = m == 1 || m == 2 || m == 3;
        EXPECT_EQ(found.status[m], bad ? SpectrumStatus::not_finite : SpectrumStatus::ok);
        for (size_t i = m * size_t(n) * 2; i < (m + 1) * size_t(n) * 2; ++i)
          if (bad)
            EXPECT_TRUE(std::isnan(found.values[i]));
          else
            EXPECT_EQ(found.values[i], good.values[i]);
      }
    });
}

TYPED_TEST(Eigenvalues, OfAPartOfTheMatricesLeaveTheOthersAlone) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 6;
  over_rows<TypeParam>([&](const auto& row) {
    std::vector<TypeParam> a;
    for (unsigned i = 0; i < 5; ++i)
      for (const TypeParam x : stacked<TypeParam>({gaussian(n, n, 1, i)})) a.push_back(x);
    const auto all = eigvals<TypeParam>(row, n, a), part = eigvals<TypeParam>(row, n, a, 1, 3);
    for (size_t m = 0; m < 5; ++m) {
      const bool inside = m >= 1 && m <= 3;
      EXPECT_EQ(part.status[m], inside ? SpectrumStatus::ok : SpectrumStatus(-7));
      for (size_t i = m * n * 2; i < (m + 1) * n * 2; ++i)
        EXPECT_EQ(part.values[i], inside ? all.values[i] : TypeParam(-7)) << m;
    }
  });
}

// ---- the radius alone

template <class Real>
struct Radii {
  std::vector<Real> values;
  std::vector<SpectrumStatus> status;
};
template <class Real>
Radii<Real> radii(const Row<Real>& row, int n, const std::vector<Real>& a, int first = 0, int count = -1) {
  const size_t n_matrices = a.size() / (size_t(n) * size_t(n));
  Buffer<Real> in(row.where, a), out(row.where, std::vector<Real>(n_matrices, Real(-7)));
  Buffer<SpectrumStatus> status(row.where, std::vector<SpectrumStatus>(n_matrices, SpectrumStatus(-7)));
  const SpectralRadiusArgs<Real> args{int32_t(n_matrices), n, in.data(), out.data(), status.data()};
  if (count < 0) count = int(n_matrices);
  launch_on(row.where, row.program.spectral_radius_workspace(args, count), first, count,
            [&](const Launch& l) { row.program.spectral_radius(args, l); });
  return {out.values(), status.values()};
}

// 1e-7, and the rounding of a backward stable product where lambda_1 is small beside the matrix or badly conditioned.
TYPED_TEST(SpectralRadius, IsTheLargestModulus) {
  COHORT_NEEDS_DEVICE();
  double worst = 0;
  for (const int n : {1, 2, 3, 5, 16, 33, 50})
    over_rows<TypeParam>([&](const auto& row) {
      std::vector<Matrix> matrices = well_conditioned(n);
      matrices.push_back(ill_conditioned(n)[0]);
      const auto found = radii<TypeParam>(row, n, stacked<TypeParam>(matrices));
      for (size_t m = 0; m < matrices.size(); ++m) {
        double radius = 0, condition = 1;
        for (const Eigenvalue& e : eigenvalues(matrices[m]))
          if (std::abs(e.value) > radius) radius = std::abs(e.value), condition = e.condition;
        if (radius == 0) continue;
        const double bound =
            1e-7 + 4 * n * 0x1p-53 * condition * matrices[m].frobenius() / radius + unit_roundoff<TypeParam>;
        const double error = std::abs(double(found.values[m]) / radius - 1);
        EXPECT_EQ(found.status[m], SpectrumStatus::ok);
        EXPECT_LE(error, bound) << matrices[m].name;
        worst = std::max(worst, error);
      }
    });
  std::printf("worst relative error %.3g\n", worst);
}

TYPED_TEST(SpectralRadius, OfHardCases) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 4;
  const Matrix strict = filled("", n, n, [](int r, int c) { return c > r ? 3.0 : 0.0; });
  const Matrix pair = filled("", n, n, [](int r, int c) {
    return r + 1 == c && r != 1 ? 2.0 : r == c + 1 && c != 1 ? -2.0 : 0.0;
  });
  const Matrix both_signs = filled("", n, n, [](int r, int c) {
    return r != c ? 0.0 : r == 0 ? 1.5 : r == 1 ? -1.5 : .5;
  });
  const Matrix jordan = filled("", n, n, [](int r, int c) { return r == c ? .5 : double(c == r + 1); });
  const Matrix close = filled("", n, n, [](int r, int c) { return r == c ? 1 - .001 * r : 0.0; });
  const Matrix zero = filled("", n, n, [](int, int) { return 0.0; });
  Matrix hidden = filled("", n, n, [](int r, int c) { return r == c ? (r == 3 ? 1.0 : .5) : 0.0; });
  hidden(0, 1) = 1000;  // ||A|| says nothing about lambda_1
  const std::vector<TypeParam> a = stacked<TypeParam>({strict, pair, both_signs, jordan, close, zero, hidden});
  const double expected[] = {0, 2, 1.5, .5, 1, 0, 1};
  const int most = sizeof(TypeParam) == 4 ? 80 : 1000;
  over_rows<TypeParam>([&](const auto& row) {
    for (const int exponent : {0, most, -most}) {
      std::vector<TypeParam> scaled = a;
      for (TypeParam& x : scaled) x = std::ldexp(x, exponent);
      const auto found = radii<TypeParam>(row, n, scaled);
      for (size_t m = 0; m < std::size(expected); ++m)
        EXPECT_NEAR(std::ldexp(double(found.values[m]), -exponent), expected[m],
                    expected[m] * 2e-8 + 4 * expected[m] * unit_roundoff<TypeParam>)
            << m << " " << exponent;
    }
  });
}

TYPED_TEST(SpectralRadius, OfNearlyEqualModuli) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 10;
  std::vector<Matrix> matrices;
  for (int i = 2; i <= 20; ++i)
    matrices.push_back(filled("", n, n, [&](int r, int c) { return r != c ? 0.0 : r == 0 ? 1.0 : 1 - std::exp2(-i); }));
  over_rows<TypeParam>([&](const auto& row) {
    for (const TypeParam x : radii<TypeParam>(row, n, stacked<TypeParam>(matrices)).values)
      EXPECT_NEAR(double(x), 1, 3e-7);
  });
}

TYPED_TEST(SpectralRadius, OfMatricesThatAreNotFiniteIsNaN) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 3;
  over_rows<TypeParam>([&](const auto& row) {
    std::vector<TypeParam> a(n * n * 4, TypeParam(1));
    a[n * n + 2] = nan_of<TypeParam>;
    a[2 * n * n + 8] = std::numeric_limits<TypeParam>::infinity();
    const auto found = radii<TypeParam>(row, n, a);
    for (size_t m = 0; m < 4; ++m) {
      const bool bad = m == 1 || m == 2;
      EXPECT_EQ(found.status[m], bad ? SpectrumStatus::not_finite : SpectrumStatus::ok);
      if (bad)
        EXPECT_TRUE(std::isnan(found.values[m]));
      else
        EXPECT_NEAR(double(found.values[m]), 3, 1e-6);
    }
    const auto part = radii<TypeParam>(row, n, a, 3, 1);
    EXPECT_EQ(part.values[0], TypeParam(-7));
    EXPECT_EQ(part.values[2], TypeParam(-7));
    EXPECT_EQ(part.values[3], found.values[3]);
  });
}
TYPED_TEST(SpectralRadius, DependsOnNothingButTheMatrix) {
  COHORT_NEEDS_DEVICE();
  constexpr int n = 6;
  over_rows<TypeParam>([&](const auto& row) {
    const std::vector<Matrix> one = {column_ei(n, 3)};
    const auto alone = radii<TypeParam>(row, n, stacked<TypeParam>(one));
    const std::vector<Matrix> many(emulated ? 150 : 2000, one[0]);  // more than have a place in the workspace
    for (const TypeParam x : radii<TypeParam>(row, n, stacked<TypeParam>(many)).values) ASSERT_EQ(x, alone.values[0]);
  });
}

}  // namespace
}  // namespace cohort::testing

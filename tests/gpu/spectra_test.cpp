// Batched spectra against LAPACK in double: every row of SpectraProgram that is linked, over matrices of every kind.
#include "cohort/spectra.h"

#include <type_traits>
#include <utility>

#include "gpu/backend.h"
#include "gpu/hard_matrices.h"

namespace cohort::testing {
namespace {

struct Cuda {
  static constexpr const char* name = "cuda";
  static constexpr Where where = Where::device;
  template <class Real>
  static const SpectraProgram<Real>& program() {
    return *cuda_spectra<Real>();
  }
};
struct Cpu {
  static constexpr const char* name = "cpu";
  static constexpr Where where = Where::host;
  template <class Real>
  static const SpectraProgram<Real>& program() {
    return *cpu_spectra<Real>();
  }
};
template <class Backend_, class Real_>
struct Row {
  using Backend = Backend_;
  using Real = Real_;
};

// [n_matrices][rows][cols]
template <class Real>
struct Batch {
  int rows, cols;
  std::vector<HardMatrix> matrices;  // rounded to Real
  std::vector<Real> a;
  Batch(int rows_, int cols_, std::vector<HardMatrix> matrices_)
      : rows(rows_), cols(cols_), matrices(std::move(matrices_)) {
    for (HardMatrix& m : matrices)
      for (double& x : m.a.x) {
        a.push_back(Real(x));
        x = double(a.back());
      }
  }
  int n() const { return int(matrices.size()); }
  int k() const { return std::min(rows, cols); }
  size_t size() const { return size_t(rows) * size_t(cols); }
};
template <class Real>
struct Values {
  std::vector<Real> s;
  std::vector<SpectrumStatus> status;
};
template <class Real>
struct Vectors {
  std::vector<Real> u, s, v;
  std::vector<SpectrumStatus> status;
};

template <class T>
std::string bits(const std::vector<T>& values, size_t first, size_t count) {
  return {reinterpret_cast<const char*>(values.data() + first), count * sizeof(T)};
}
template <class T>
std::string bits(const std::vector<T>& values) {
  return bits(values, 0, values.size());
}

template <class Row>
class Spectra : public ::testing::Test {
 protected:
  using Real = typename Row::Real;
  using Backend = typename Row::Backend;
  static constexpr Where where = Backend::where;
  static constexpr double eps = sizeof(Real) == 4 ? 0x1p-24 : 0x1p-53;
  static constexpr double denormal = std::numeric_limits<Real>::denorm_min();
  static constexpr SpectrumStatus unset = SpectrumStatus(77);

  void SetUp() override {
    if (where == Where::device) COHORT_NEEDS_DEVICE();
  }
  static const SpectraProgram<Real>& program() { return Backend::template program<Real>(); }
  // What SvdvalsArgs::method may be here and is held to the bound of the header.
  static std::vector<SvdMethod> methods(int rows, int cols) {
    if (where == Where::host) return {SvdMethod::automatic};
    if (sizeof(Real) == 8 || std::max(rows, cols) > 256) return {SvdMethod::jacobi};
    return {SvdMethod::bidiagonal, SvdMethod::jacobi};
  }

  static Values<Real> values(const Batch<Real>& batch, SvdMethod method, int first = 0, int count = -1) {
    if (count < 0) count = batch.n();
    Buffer<Real> a(where, batch.a), s(where, std::vector<Real>(size_t(batch.n() * batch.k()), Real(-1)));
    Buffer<SpectrumStatus> status(where, std::vector<SpectrumStatus>(size_t(batch.n()), unset));
    const SvdvalsArgs<Real> args{batch.n(), batch.rows, batch.cols, a.data(), s.data(), status.data(), method};
    launch_on(where, program().svdvals_workspace(args, count), first, count,
              [&](const Launch& l) { program().svdvals(args, l); });
    return {s.values(), status.values()};
  }
  static Vectors<Real> vectors(const Batch<Real>& batch, int first = 0, int count = -1) {
    if (count < 0) count = batch.n();
    const auto unwritten = [&](int size) { return std::vector<Real>(size_t(batch.n() * size), Real(-1)); };
    Buffer<Real> a(where, batch.a), u(where, unwritten(batch.rows * batch.k())), s(where, unwritten(batch.k())),
        v(where, unwritten(batch.cols * batch.k()));
    Buffer<SpectrumStatus> status(where, std::vector<SpectrumStatus>(size_t(batch.n()), unset));
    const SvdArgs<Real> args{batch.n(), batch.rows, batch.cols, a.data(), u.data(), s.data(), v.data(), status.data()};
    launch_on(where, program().svd_workspace(args, count), first, count,
              [&](const Launch& l) { program().svd(args, l); });
    return {u.values(), s.values(), v.values(), status.values()};
  }

  // LAPACK itself is beyond the header's bound at times: V of 2 x 2 matrices, residuals of graded ones.
  static constexpr double slack = where == Where::host ? 2 : 1;
  static double bound(int n, double s1) { return slack * 4 * n * eps * s1; }
  static double bound(const Dense& a, double s1) { return bound(std::max(a.rows, a.cols), s1); }

  // Errors in units of the bound, by measure; RecordWorst prints the largest of a test.
  struct Worst {
    double sigma = 0, residual = 0, u = 0, v = 0;
  };
  static void take(double& worst, double error, const char* what) {
    EXPECT_LE(error, 1) << what << ", in units of the bound";
    worst = error >= worst || std::isnan(error) ? error : worst;
  }
  template <class T>
  static bool all_nan(const T* values, size_t n) {
    return std::all_of(values, values + n, [](T x) { return std::isnan(x); });
  }

  static void check_values(const HardMatrix& m, const Real* s, SpectrumStatus status, Worst& worst) {
    const size_t k = size_t(m.a.k());
    if (!m.finite) {
      EXPECT_EQ(status, SpectrumStatus::not_finite);
      EXPECT_TRUE(all_nan(s, k));
      return;
    }
    EXPECT_EQ(status, SpectrumStatus::ok);
    const std::vector<double> expected = singular_values(m.a);
    double error = 0;
    for (size_t i = 0; i < k; ++i) {
      EXPECT_GE(s[i], 0);
      if (i > 0) {
        EXPECT_LE(s[i], s[i - 1]) << "at " << i;
      }
      const double e = std::fabs(double(s[i]) - expected[i]) / (bound(m.a, expected[0]) + denormal);
      error = e > error || std::isnan(e) ? e : error;
    }
    take(worst.sigma, error, "singular values");
  }
  // ||Q^T Q - I||
  static double distance_from_orthonormal(const Dense& q) {
    const Dense t = transposed(q);
    Dense gram = times_transposed(t, t);
    for (int i = 0; i < gram.rows; ++i) gram(i, i) -= 1;
    return singular_values(gram)[0];
  }
  static void check_vectors(const HardMatrix& m, const Real* u, const Real* s, const Real* v, Worst& worst) {
    const int k = m.a.k(), n = std::max(m.a.rows, m.a.cols);
    if (!m.finite) {
      EXPECT_TRUE(all_nan(u, size_t(m.a.rows * k)));
      EXPECT_TRUE(all_nan(v, size_t(m.a.cols * k)));
      return;
    }
    Decomposition d{dense(m.a.rows, k, u), dense(m.a.cols, k, v), std::vector<double>(s, s + k)};
    take(worst.u, distance_from_orthonormal(d.u) / bound(n, 1), "U");
    take(worst.v, distance_from_orthonormal(d.v) / bound(n, 1), "V");
    // scaled, so that the norm of a difference of tiny numbers does not underflow
    const double largest = d.s[0] > 0 ? d.s[0] : 1;
    for (double& x : d.s) x /= largest;
    Dense difference = d.composed(k);
    for (size_t i = 0; i < difference.x.size(); ++i) difference.x[i] -= m.a.x[i] / largest;
    take(worst.residual, frobenius(difference) / (bound(n, 1) + k * (denormal / largest)), "residual");
  }

  static void expect_values(int rows, int cols, SvdMethod method, const std::vector<HardMatrix>& matrices) {
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(cols) + ", method " + std::to_string(int(method)));
    const Batch<Real> batch(rows, cols, matrices);
    const Values<Real> got = values(batch, method);
    Worst worst;
    for (int i = 0; i < batch.n(); ++i) {
      SCOPED_TRACE(batch.matrices[size_t(i)].name);
      check_values(batch.matrices[size_t(i)], &got.s[size_t(i * batch.k())], got.status[size_t(i)], worst);
    }
    report("values", int(method), rows, cols, worst);
  }
  static void expect_values(int rows, int cols) {
    for (const SvdMethod method : methods(rows, cols)) expect_values(rows, cols, method, hard_matrices(rows, cols));
  }
  // Those whose numerics differ most, for sizes that take long.
  static std::vector<HardMatrix> few(int rows, int cols,
                                     const std::vector<std::string>& names = {"gaussian", "condition 1e12", "NaN",
                                                                              "zero", "zero columns"}) {
    std::vector<HardMatrix> out;
    for (HardMatrix& m : hard_matrices(rows, cols))
      if (std::find(names.begin(), names.end(), m.name) != names.end()) out.push_back(std::move(m));
    return out;
  }
  static void expect_vectors(int rows, int cols, const std::vector<HardMatrix>& matrices) {
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(cols));
    const Batch<Real> batch(rows, cols, matrices);
    const Vectors<Real> got = vectors(batch);
    Worst worst;
    for (int i = 0; i < batch.n(); ++i) {
      const HardMatrix& m = batch.matrices[size_t(i)];
      SCOPED_TRACE(m.name);
      const Real* const s = &got.s[size_t(i * batch.k())];
      check_values(m, s, got.status[size_t(i)], worst);
      check_vectors(m, &got.u[size_t(i * rows * batch.k())], s, &got.v[size_t(i * cols * batch.k())], worst);
    }
    report("vectors", 0, rows, cols, worst);
  }
  static void expect_vectors(int rows, int cols) { expect_vectors(rows, cols, hard_matrices(rows, cols)); }
  // COHORT_SPECTRA_ERRORS=1 prints how close to the bounds the results are.
  static void report(const char* what, int method, int rows, int cols, const Worst& w) {
    if (std::getenv("COHORT_SPECTRA_ERRORS"))
      std::printf("%s %s %zu method %d %4d x %4d: sigma %.3f residual %.3f U %.3f V %.3f\n", what, Backend::name,
                  sizeof(Real), method, rows, cols, w.sigma, w.residual, w.u, w.v);
  }
};

using Rows = ::testing::Types<Row<Cuda, float>, Row<Cuda, double>, Row<Cpu, float>, Row<Cpu, double>>;
struct RowNames {
  template <class T>
  static std::string GetName(int) {
    return std::string(T::Backend::name) + (sizeof(typename T::Real) == 4 ? "_float" : "_double");
  }
};
TYPED_TEST_SUITE(Spectra, Rows, RowNames);

using Sizes = std::vector<std::pair<int, int>>;

TYPED_TEST(Spectra, ValuesOfAWarpsMatrices) {
  for (const int n : {1, 2, 3, 15, 16, 17, 31, 32}) this->expect_values(n, n);
}
TYPED_TEST(Spectra, ValuesOfABlocksMatrices) {
  this->expect_values(33, 33);
  for (const int n : {47, 64, 65})
    for (const SvdMethod method : this->methods(n, n)) this->expect_values(n, n, method, this->few(n, n));
}
// Squares keep half of a double's digits.
TYPED_TEST(Spectra, ValuesOfGramMatricesAreGoodDownToAHundredThousandth) {
  if (this->methods(1, 1)[0] != SvdMethod::bidiagonal) GTEST_SKIP() << "float on CUDA only";
  using T = typename TypeParam::Real;
  for (const auto& [rows, cols] : Sizes{{1, 1}, {5, 40}, {40, 5}, {33, 33}, {64, 64}, {300, 20}, {100, 100}}) {
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(cols));
    const Batch<T> batch(rows, cols, hard_matrices(rows, cols));
    const Values<T> got = this->values(batch, SvdMethod::gram), some = this->values(batch, SvdMethod::gram, 2, 5);
    const size_t k = size_t(batch.k());
    EXPECT_EQ(bits(some.s, 2 * k, 5 * k), bits(got.s, 2 * k, 5 * k));
    EXPECT_EQ(some.s[2 * k - 1], T(-1));
    EXPECT_EQ(some.s[7 * k], T(-1));
    for (int i = 0; i < batch.n(); ++i) {
      const HardMatrix& m = batch.matrices[size_t(i)];
      SCOPED_TRACE(m.name);
      const T* const s = &got.s[size_t(i) * k];
      EXPECT_EQ(got.status[size_t(i)], m.finite ? SpectrumStatus::ok : SpectrumStatus::not_finite);
      if (!m.finite) {
        EXPECT_TRUE(this->all_nan(s, k));
        continue;
      }
      const std::vector<double> expected = singular_values(m.a);
      for (size_t j = 0; j < k; ++j) {
        if (expected[j] >= 1e-5 * expected[0])
          EXPECT_NEAR(double(s[j]), expected[j], 1e-6 * expected[j] + this->denormal) << j;
        else
          EXPECT_LE(double(s[j]), 1.1e-5 * expected[0]) << j;
      }
    }
  }
}
TYPED_TEST(Spectra, ValuesByBidiagonalisation) {
  if (this->methods(1, 1)[0] != SvdMethod::bidiagonal) GTEST_SKIP() << "float on CUDA only";
  for (const int n : {47, 64, 65, 100}) this->expect_values(n, n, SvdMethod::bidiagonal, hard_matrices(n, n));
  for (const int n : {127, 128, 129, 256}) this->expect_values(n, n, SvdMethod::bidiagonal, this->few(n, n));
  for (const auto& [rows, cols] : Sizes{{200, 17}, {17, 200}, {120, 60}})
    this->expect_values(rows, cols, SvdMethod::bidiagonal, this->few(rows, cols));
}
TYPED_TEST(Spectra, ValuesOfRectangularMatrices) {
  for (const auto& [rows, cols] :
       Sizes{{1, 9}, {9, 1}, {7, 13}, {30, 16}, {5, 40}, {40, 5}, {100, 3}, {3, 300}, {70, 36}})
    this->expect_values(rows, cols);
}
TYPED_TEST(Spectra, VectorsOfAWarpsMatrices) {
  for (const int n : {1, 2, 3, 15, 16, 17, 31, 32}) this->expect_vectors(n, n);
}
TYPED_TEST(Spectra, VectorsOfABlocksMatrices) {
  this->expect_vectors(33, 33);
  for (const int n : {47, 64}) this->expect_vectors(n, n, this->few(n, n));
}
TYPED_TEST(Spectra, VectorsOfRectangularMatrices) {
  for (const auto& [rows, cols] :
       Sizes{{1, 9}, {9, 1}, {7, 13}, {30, 16}, {5, 40}, {40, 5}, {100, 3}, {3, 300}, {300, 20}})
    this->expect_vectors(rows, cols);
}

// Columns that do not fit into shared memory lie in the workspace; a block treats several matrices.
TYPED_TEST(Spectra, MatricesBeyondSharedMemory) {
  if (this->where == Where::host) GTEST_SKIP() << "of a device";
#if defined(COHORT_EMULATED)
  using T = typename TypeParam::Real;
  const Batch<T> batch(37, 40, this->few(37, 40));
  const Vectors<T> expected = this->vectors(batch);
  const Values<T> expected_values = this->values(batch, SvdMethod::jacobi);
  size_t& limit = ::emulator::options().smem_per_block;
  const size_t before = limit;
  limit = 4096;
  const Vectors<T> got = this->vectors(batch);
  const Values<T> got_values = this->values(batch, SvdMethod::jacobi);
  limit = before;
  EXPECT_EQ(bits(got.u), bits(expected.u));
  EXPECT_EQ(bits(got.s), bits(expected.s));
  EXPECT_EQ(bits(got.v), bits(expected.v));
  EXPECT_EQ(bits(got.status), bits(expected.status));
  EXPECT_EQ(bits(got_values.s), bits(expected_values.s));
#else
  this->expect_vectors(300, 200, this->few(300, 200));
  this->expect_values(500, 400, SvdMethod::jacobi, this->few(500, 400));
#endif
}

TYPED_TEST(Spectra, AMatrixAloneHasTheSameBitsAsAmongOthers) {
  using T = typename TypeParam::Real;
  for (const auto& [rows, cols] : Sizes{{12, 9}, {20, 31}, {37, 34}}) {
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(cols));
    std::vector<HardMatrix> matrices = hard_matrices(rows, cols);
    matrices.erase(matrices.begin() + 9, matrices.end());
    const Batch<T> batch(rows, cols, std::move(matrices));
    const size_t k = size_t(batch.k()), n_u = size_t(rows) * k, n_v = size_t(cols) * k;
    const Vectors<T> all = this->vectors(batch);
    for (const int i : {0, 7, batch.n() - 1}) {
      const Vectors<T> alone = this->vectors(Batch<T>(rows, cols, {batch.matrices[size_t(i)]}));
      EXPECT_EQ(bits(alone.u), bits(all.u, size_t(i) * n_u, n_u));
      EXPECT_EQ(bits(alone.s), bits(all.s, size_t(i) * k, k));
      EXPECT_EQ(bits(alone.v), bits(all.v, size_t(i) * n_v, n_v));
    }
    const int first = 3, count = 4;
    const Vectors<T> part = this->vectors(batch, first, count);
    for (int i = 0; i < batch.n(); ++i) {
      const bool inside = i >= first && i < first + count;
      EXPECT_EQ(part.status[size_t(i)] != this->unset, inside);
      if (inside) {
        EXPECT_EQ(bits(part.u, size_t(i) * n_u, n_u), bits(all.u, size_t(i) * n_u, n_u));
        EXPECT_EQ(bits(part.v, size_t(i) * n_v, n_v), bits(all.v, size_t(i) * n_v, n_v));
      } else {
        EXPECT_EQ(part.u[size_t(i) * n_u], T(-1));
        EXPECT_EQ(part.v[size_t(i + 1) * n_v - 1], T(-1));
      }
    }
    for (const SvdMethod method : this->methods(rows, cols)) {
      const Values<T> whole = this->values(batch, method), some = this->values(batch, method, first, count);
      const Values<T> alone = this->values(Batch<T>(rows, cols, {batch.matrices[3]}), method);
      EXPECT_EQ(bits(alone.s), bits(whole.s, 3 * k, k));
      EXPECT_EQ(bits(some.s, 3 * k, 4 * k), bits(whole.s, 3 * k, 4 * k));
      EXPECT_EQ(some.s[3 * k - 1], T(-1));
      EXPECT_EQ(some.s[7 * k], T(-1));
    }
  }
}

// Spectra with a gap behind the rank, so that the cut is well defined.
TYPED_TEST(Spectra, LowRankCutsAndKeepsTheNorm) {
  using T = typename TypeParam::Real;
  for (const auto& [rows, cols] : Sizes{{1, 1}, {5, 5}, {20, 9}, {9, 20}, {35, 33}, {33, 70}}) {
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(cols));
    const int k = std::min(rows, cols), cut = (k + 1) / 2;
    const auto gap = [&](int i) { return i < cut ? 2.0 - double(i) / k : 0.5 * (k - i) / k; };
    MatrixSource source(5);
    const Dense plain = source.with_values(rows, cols, gap);
    Dense nan = plain;
    nan.x[0] = std::nan("");
    const std::vector<HardMatrix> matrices = {
        {"cut", plain},    {"1e30", scaled(plain, 1e30)}, {"zero", Dense(rows, cols)},
        {"full", plain},   {"NaN", nan, false},           {"full NaN", nan, false},
        {"rank 0", plain}, {"rank k + 1", plain},         {"1e-30", scaled(plain, 1e-30)},
        {"outside", plain}};
    const std::vector<int32_t> ranks = {cut, cut, cut, k, cut, k, 0, k + 1, cut, cut};
    const Batch<T> batch(rows, cols, matrices);
    for (const LowRankScale scale : {LowRankScale::frobenius, LowRankScale::none}) {
      Buffer<T> a(this->where, batch.a);
      Buffer<int32_t> rank(this->where, ranks);
      Buffer<SpectrumStatus> status(this->where, std::vector<SpectrumStatus>(matrices.size(), this->unset));
      LowRankArgs<T> args{.n_matrices = batch.n(), .rows = rows, .cols = cols};
      args.a = a.data();
      args.rank = rank.data();
      args.status = status.data();
      args.scale = scale;
      const int count = batch.n() - 1;
      launch_on(this->where, this->program().low_rank_workspace(args, count), 0, count,
                [&](const Launch& l) { this->program().low_rank(args, l); });
      const std::vector<T> got = a.values();
      const std::vector<SpectrumStatus> states = status.values();
      for (size_t i = 0; i < matrices.size(); ++i) {
        SCOPED_TRACE(matrices[i].name);
        const T* const w = &got[i * batch.size()];
        const bool untouched = i == 9 || (ranks[i] == k && matrices[i].finite);
        if (untouched) {
          EXPECT_EQ(bits(got, i * batch.size(), batch.size()), bits(batch.a, i * batch.size(), batch.size()));
          if (i != 9) {
            EXPECT_EQ(states[i], SpectrumStatus::ok);
          }
          continue;
        }
        if (!matrices[i].finite || ranks[i] < 1 || ranks[i] > k) {
          EXPECT_TRUE(this->all_nan(w, batch.size()));
          EXPECT_EQ(states[i], SpectrumStatus::not_finite);
          continue;
        }
        EXPECT_EQ(states[i], SpectrumStatus::ok);
        const Dense& before = batch.matrices[i].a;
        const Decomposition d = decomposition(before);
        const Dense cut_off = d.composed(cut);
        const double kept = frobenius(cut_off), all = frobenius(before);
        const double gain = scale == LowRankScale::frobenius && kept > 0 ? all / kept : 1;
        Dense difference = dense(rows, cols, w);
        const double norm = frobenius(difference);
        for (size_t e = 0; e < difference.x.size(); ++e) difference.x[e] -= gain * cut_off.x[e];
        const double bound = this->bound(before, d.s[0]);
        EXPECT_LE(frobenius(difference), 4 * bound) << "the gap is a fourth of the largest or more";
        EXPECT_NEAR(norm, gain * kept, bound);
      }
    }
  }
}

// U_X diag(s_Y) V_X^T, which is where <X, Z> is largest among the Z with the singular values of Y (von Neumann).
TYPED_TEST(Spectra, TransplantPutsValuesOnVectors) {
  using T = typename TypeParam::Real;
  for (const auto& [rows, cols] : Sizes{{1, 1}, {6, 6}, {20, 11}, {11, 20}, {34, 33}}) {
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(cols));
    const int k = std::min(rows, cols);
    MatrixSource source(6);
    Dense nan = source.gaussian(rows, cols);
    nan.x[0] = std::nan("");
    const auto spectrum = [&](int i) { return 2.0 - double(i) / k; };
    const Dense x = source.with_values(rows, cols, spectrum), y = source.gaussian(rows, cols);
    const Batch<T> from(rows, cols, {{"", x}, {"", nan, false}, {"", x}, {"", x}, {"", x}});
    const Batch<T> to(rows, cols, {{"", y}, {"", y}, {"", nan, false}, {"", Dense(rows, cols)}, {"", scaled(y, 1e20)}});
    const auto run = [&](int alias) {
      Buffer<T> vectors(this->where, from.a), values(this->where, to.a),
          other(this->where, std::vector<T>(to.a.size(), T(-1)));
      Buffer<SpectrumStatus> status(this->where, std::vector<SpectrumStatus>(5, this->unset));
      Buffer<T>& out = alias == 0 ? other : alias == 1 ? vectors : values;
      const TransplantArgs<T> args{5, rows, cols, vectors.data(), values.data(), out.data(), status.data()};
      launch_on(this->where, this->program().transplant_workspace(args, 4), 1, 4,
                [&](const Launch& l) { this->program().transplant(args, l); });
      launch_on(this->where, this->program().transplant_workspace(args, 1), 0, 1,
                [&](const Launch& l) { this->program().transplant(args, l); });
      return std::pair(out.values(), status.values());
    };
    const auto [out, status] = run(0);
    EXPECT_EQ(bits(run(1).first), bits(out));
    EXPECT_EQ(bits(run(2).first), bits(out));
    for (size_t i = 0; i < 5; ++i) {
      SCOPED_TRACE(i);
      const bool finite = from.matrices[i].finite && to.matrices[i].finite;
      EXPECT_EQ(status[i], finite ? SpectrumStatus::ok : SpectrumStatus::not_finite);
      const Dense z = dense(rows, cols, &out[i * to.size()]);
      if (!finite) {
        EXPECT_TRUE(this->all_nan(&out[i * to.size()], to.size()));
        continue;
      }
      const std::vector<double> of_x = singular_values(from.matrices[i].a), of_y = singular_values(to.matrices[i].a);
      const std::vector<double> of_z = singular_values(z);
      double inner = 0, largest = 0;
      for (size_t e = 0; e < z.x.size(); ++e) inner += z.x[e] * from.matrices[i].a.x[e];
      const double bound = 2 * this->bound(z, of_y[0]);
      for (size_t v = 0; v < of_y.size(); ++v) {
        EXPECT_NEAR(of_z[v], of_y[v], bound);
        largest += of_x[v] * of_y[v];
      }
      EXPECT_NEAR(inner, largest, bound * k * of_x[0]);
      for (const bool left : {false, true}) {  // X^T Z and X Z^T are symmetric
        const Dense a = left ? from.matrices[i].a : transposed(from.matrices[i].a), b = left ? z : transposed(z);
        Dense product = times_transposed(a, b);
        const Dense mirrored = transposed(product);
        for (size_t e = 0; e < product.x.size(); ++e) product.x[e] -= mirrored.x[e];
        EXPECT_LE(frobenius(product), 4 * bound * of_x[0]);
      }
    }
  }
}

TYPED_TEST(Spectra, EntropyIsThatOfTheValues) {
  using T = typename TypeParam::Real;
  const Batch<T> batch(12, 20, hard_matrices(12, 20));
  Buffer<T> a(this->where, batch.a), entropy(this->where, size_t(batch.n()));
  Buffer<SpectrumStatus> status(this->where, std::vector<SpectrumStatus>(size_t(batch.n()), this->unset));
  const SvdEntropyArgs<T> args{batch.n(), 12, 20, a.data(), entropy.data(), status.data()};
  launch_on(this->where, this->program().svd_entropy_workspace(args, batch.n()), 0, batch.n(),
            [&](const Launch& l) { this->program().svd_entropy(args, l); });
  const std::vector<T> got = entropy.values();
  for (size_t i = 0; i < batch.matrices.size(); ++i) {
    const HardMatrix& m = batch.matrices[i];
    SCOPED_TRACE(m.name);
    EXPECT_EQ(status.values()[i], m.finite ? SpectrumStatus::ok : SpectrumStatus::not_finite);
    if (!m.finite) {
      EXPECT_TRUE(std::isnan(got[i]));
      continue;
    }
    double sum = 0, expected = 0;
    const std::vector<double> s = singular_values(m.a);
    for (const double x : s) sum += x;
    // sums of a few denormal numbers have no digits
    if (s[0] < 1e6 * this->denormal) continue;
    for (const double x : s)
      if (x > 0) expected -= x / sum * std::log(x / sum);
    EXPECT_NEAR(double(got[i]), expected / std::log(12.0), 64 * 20 * this->eps) << "the slope is ln(1 / p)";
  }
}

TYPED_TEST(Spectra, RefusesMethodsThatItHasNot) {
  using T = typename TypeParam::Real;
  const Batch<T> batch(257, 1, {{"", Dense(257, 1, 1)}});
  std::vector<SvdMethod> refused = {SvdMethod::bidiagonal, SvdMethod(99)};
  const bool device = this->where == Where::device;
  refused.push_back(device ? SvdMethod::lapack : SvdMethod::jacobi);
  if (!device || sizeof(T) == 8) refused.push_back(SvdMethod::gram);
  for (const SvdMethod method : refused) EXPECT_THROW(this->values(batch, method), Error) << int(method);
  const int most = most_rows_of_spectra;
  const Batch<T> too_large(most + 1, 1, {{"", Dense(most + 1, 1, 1)}});
  EXPECT_THROW(this->values(too_large, SvdMethod::automatic), Error);
  const Values<T> got = this->values(batch, SvdMethod::automatic);
  EXPECT_NEAR(double(got.s[0]), std::sqrt(257.0), 4 * 257 * this->eps * std::sqrt(257.0));
}

}  // namespace
}  // namespace cohort::testing

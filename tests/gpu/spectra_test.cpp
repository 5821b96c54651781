// Batched spectra against LAPACK in double: every row of SpectraProgram that is linked, over matrices of every kind.
#include "cohort/spectra.h"

#include <type_traits>

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
#if defined(COHORT_WITH_CPU_SPECTRA)
struct Cpu {
  static constexpr const char* name = "cpu";
  static constexpr Where where = Where::host;
  template <class Real>
  static const SpectraProgram<Real>& program() {
    return *cpu_spectra<Real>();
  }
};
#endif
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

  // Calls f(launch), launch of matrices [first, first + count) with just the workspace that is needed.
  template <class F>
  static void launch(size_t workspace_bytes, int first, int count, F f) {
    const Scratch scratch(where, workspace_bytes);
    f(Launch{first, count, scratch.data(), workspace_bytes, nullptr});
    if (where == Where::device) gpu::check(cudaDeviceSynchronize(), "spectra");
  }

  static Values<Real> values(const Batch<Real>& batch, SvdMethod method, int first = 0, int count = -1) {
    if (count < 0) count = batch.n();
    Buffer<Real> a(where, batch.a), s(where, std::vector<Real>(size_t(batch.n() * batch.k()), Real(-1)));
    Buffer<SpectrumStatus> status(where, std::vector<SpectrumStatus>(size_t(batch.n()), unset));
    const SvdvalsArgs<Real> args{batch.n(), batch.rows, batch.cols, a.data(), s.data(), status.data(), method};
    launch(program().svdvals_workspace(args, count), first, count,
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
    launch(program().svd_workspace(args, count), first, count, [&](const Launch& l) { program().svd(args, l); });
    return {u.values(), s.values(), v.values(), status.values()};
  }

  static double bound(const Dense& a, double s1) { return 4 * std::max(a.rows, a.cols) * eps * s1; }

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
  // ||Q^T Q - I||_F
  static double distance_from_orthonormal(const Dense& q) {
    const Dense t = transposed(q);
    Dense gram = times_transposed(t, t);
    for (int i = 0; i < gram.rows; ++i) gram(i, i) -= 1;
    return frobenius(gram);
  }
  static void check_vectors(const HardMatrix& m, const Real* u, const Real* s, const Real* v, Worst& worst) {
    const int k = m.a.k(), n = std::max(m.a.rows, m.a.cols);
    if (!m.finite) {
      EXPECT_TRUE(all_nan(u, size_t(m.a.rows * k)));
      EXPECT_TRUE(all_nan(v, size_t(m.a.cols * k)));
      return;
    }
    Decomposition d{dense(m.a.rows, k, u), dense(m.a.cols, k, v), std::vector<double>(s, s + k)};
    take(worst.u, distance_from_orthonormal(d.u) / (4 * n * eps), "U");
    take(worst.v, distance_from_orthonormal(d.v) / (4 * n * eps), "V");
    // scaled, so that the norm of a difference of tiny numbers does not underflow
    const double largest = d.s[0] > 0 ? d.s[0] : 1;
    for (double& x : d.s) x /= largest;
    Dense difference = d.composed(k);
    for (size_t i = 0; i < difference.x.size(); ++i) difference.x[i] -= m.a.x[i] / largest;
    take(worst.residual, frobenius(difference) / (4 * n * eps + k * (denormal / largest)), "residual");
  }

  static void expect_values(int rows, int cols) {
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(cols));
    const Batch<Real> batch(rows, cols, hard_matrices(rows, cols));
    for (const SvdMethod method : methods(rows, cols)) {
      const Values<Real> got = values(batch, method);
      Worst worst;
      for (int i = 0; i < batch.n(); ++i) {
        SCOPED_TRACE(batch.matrices[size_t(i)].name + ", method " + std::to_string(int(method)));
        check_values(batch.matrices[size_t(i)], &got.s[size_t(i * batch.k())], got.status[size_t(i)], worst);
      }
      report("values", int(method), rows, cols, worst);
    }
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

using Rows = ::testing::Types<Row<Cuda, float>, Row<Cuda, double>
#if defined(COHORT_WITH_CPU_SPECTRA)
                              ,
                              Row<Cpu, float>, Row<Cpu, double>
#endif
                              >;
struct RowNames {
  template <class T>
  static std::string GetName(int) {
    return std::string(T::Backend::name) + (sizeof(typename T::Real) == 4 ? "_float" : "_double");
  }
};
TYPED_TEST_SUITE(Spectra, Rows, RowNames);

TYPED_TEST(Spectra, ValuesOfAWarpsMatrices) {
  for (const int n : {1, 2, 3, 15, 16, 17, 31, 32}) this->expect_values(n, n);
}
TYPED_TEST(Spectra, ValuesOfABlocksMatrices) {
  for (const int n : {33, 47, 64, 65}) this->expect_values(n, n);
}
TYPED_TEST(Spectra, ValuesOfRectangularMatrices) {
  for (const auto& [rows, cols] :
       {std::pair(1, 9), {9, 1}, {7, 13}, {30, 16}, {5, 40}, {40, 5}, {100, 3}, {3, 300}, {70, 36}})
    this->expect_values(rows, cols);
}
TYPED_TEST(Spectra, VectorsOfAWarpsMatrices) {
  for (const int n : {1, 2, 3, 15, 16, 17, 31, 32}) this->expect_vectors(n, n);
}
TYPED_TEST(Spectra, VectorsOfABlocksMatrices) {
  for (const int n : {33, 47, 64}) this->expect_vectors(n, n);
}
TYPED_TEST(Spectra, VectorsOfRectangularMatrices) {
  for (const auto& [rows, cols] :
       {std::pair(1, 9), {9, 1}, {7, 13}, {30, 16}, {5, 40}, {40, 5}, {100, 3}, {3, 300}, {36, 70}})
    this->expect_vectors(rows, cols);
}

}  // namespace
}  // namespace cohort::testing

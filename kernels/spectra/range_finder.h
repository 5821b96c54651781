// A matrix of given rank close to the best one, over a team (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1).
#pragma once

#include "cohort/spectra.h"
#include "math/random.h"
#include "spectra/scale.h"
#include "team/arena.h"
#include "team/product.h"

COHORT_BEGIN
namespace finder {

// What one matrix needs beside itself.
template <class Team, class Real>
struct Room {
  int lda;     // Team::pad(cols)
  Real* a;     // [rows][lda], scaled
  Real* y;     // [rows][Team::pad(rank)]
  Real* z;     // [cols][Team::pad(rank)]
  Real* g;     // [rank][lda]
  Real* dots;  // [rank]
  size_t bytes;
  COHORT_FN Room(void* base, int rows, int cols) {
    Arena arena(base);
    const int k = rows < cols ? rows : cols;
    const size_t widest = size_t(Team::template pad<Real>(k));
    lda = Team::template pad<Real>(cols);
    a = arena.take<Real>(size_t(rows) * size_t(lda));
    y = arena.take<Real>(size_t(rows) * widest);
    z = arena.take<Real>(size_t(cols) * widest);
    g = arena.take<Real>(size_t(k) * size_t(lda));
    dots = arena.take<Real>(size_t(k));
    bytes = arena.used();
  }
};

// Columns of y [n][ld], the first r of them, become orthonormal by Gram and Schmidt, each twice: once loses orthogonality. What
// the second pass still shrinks by more than half lies in the span of the columns before it (Kahan's criterion, as in Parlett
// 1980): it becomes zero, as does a zero column.
template <class Team, class Real>
COHORT_PHASE_FN void orthonormalise(const Team& team, Real* y, int n, int r, int ld, Real* dots) {
  for (int j = 0; j < r; ++j) {
    const auto norm = [&] {
      return math::sqrt(
          team.template sum<double>(n, [=](int i) { return double(y[i * ld + j]) * double(y[i * ld + j]); }));
    };
    double length = norm(), before = length;
    for (int pass = 0; pass < 2 && j > 0; ++pass) {
      before = length;
      team.for_each(j, [=](int c) {
        Real dot = Real(0);
        for (int i = 0; i < n; ++i) dot += y[i * ld + c] * y[i * ld + j];
        dots[c] = dot;
      });
      team.sync();
      team.for_each(n, [=](int i) {
        Real sum = Real(0);
        for (int c = 0; c < j; ++c) sum += dots[c] * y[i * ld + c];
        y[i * ld + j] -= sum;
      });
      team.sync();
      length = norm();
    }
    const Real factor = length > .5 * before ? Real(1.0 / length) : Real(0);
    team.for_each(n, [=](int i) { y[i * ld + j] *= factor; });
    team.sync();
  }
}

// out [m][ld] = product, its columns up to pad(n).
template <class Team, class Real>
COHORT_PHASE_FN void multiply(const Team& team, int m, int n, const Product<Real>& product, Real* out, int ld) {
  const Product<Real> products[1] = {product};
  team.gemm(m, n, products, [=](int r, int c, Real value) { out[ptrdiff_t(r) * ld + c] = value; });
}

}  // namespace finder

// a [rows][cols] becomes W = Q Q^T A, Q an orthonormal basis of the range of (A A^T)^4 A Omega, times ||A||_F / ||W||_F where
// `frobenius`. Omega [cols][rank] are normal numbers from `seed`, column after column the same for every rank. Between products
// the columns are made orthonormal, or they would all turn to the first singular vector. A matrix of smaller rank is kept. The
// same status in every lane; ends synced.
template <class Team, class Real>
COHORT_TEAM_FN SpectrumStatus range_finder_of(const Team& team, Real* a, int rows, int cols, int rank, uint64_t seed,
                                              bool frobenius, const finder::Room<Team, Real>& room) {
  using finder::multiply;
  using finder::orthonormalise;
  const int k = rows < cols ? rows : cols, size = rows * cols;
  const MatrixScale scale = scale_of(team, a, size);
  if (!scale.finite || rank < 1 || rank > k) {
    team.for_each(size, [=](int i) { a[i] = Real(__builtin_nanf("")); });
    team.sync();
    return SpectrumStatus::not_finite;
  }
  if (rank == k) return SpectrumStatus::ok;

  const int lda = room.lda, ld = Team::template pad<Real>(rank), exponent = scale.exponent;
  Real *const full = room.a, *const y = room.y, *const z = room.z;
  team.for_each_2d(rows, lda, [=](int r, int c) {
    full[r * lda + c] = c < cols ? Real(::ldexp(a[r * cols + c], -exponent)) : Real(0);
  });
  const rng::Key key(seed, 0, rng::stream_range_finder, 0, 0);
  team.for_each_2d(cols, ld, [=](int r, int c) {
    const rng::Words words = key.words(uint32_t(c * most_rows_of_spectra + r));
    Real normal, other;
    rng::to_normal(words.w[0], words.w[1], &normal, &other);
    z[r * ld + c] = c < rank ? normal : Real(0);
  });
  team.sync();

  constexpr int n_powers = 4;
  for (int i = 0;; ++i) {
    multiply<Team, Real>(team, rows, rank, {full, lda, 1, z, ld, cols}, y, ld);
    orthonormalise(team, y, rows, rank, ld, room.dots);
    if (i == n_powers) break;
    multiply<Team, Real>(team, cols, rank, {full, 1, lda, y, ld, rows}, z, ld);
    orthonormalise(team, z, cols, rank, ld, room.dots);
  }
  multiply<Team, Real>(team, rank, cols, {y, 1, ld, full, lda, rows}, room.g, lda);
  const Product<Real> product[1] = {{y, ld, 1, room.g, lda, rank}};
  team.gemm(rows, cols, product, [=](int r, int c, Real value) {
    if (c < cols) a[r * cols + c] = value;
  });

  double gain = 1.0;
  if (frobenius) {
    const double of_a = team.template sum<double>(rows * lda, [=](int i) { return double(full[i]) * double(full[i]); });
    const double of_w = team.template sum<double>(size, [=](int i) { return double(a[i]) * double(a[i]); });
    if (of_w > 0.0) gain = math::sqrt(of_a / of_w);
  }
  team.for_each(size, [=](int i) { a[i] = Real(::ldexp(gain * double(a[i]), exponent)); });
  team.sync();
  return SpectrumStatus::ok;
}

COHORT_END

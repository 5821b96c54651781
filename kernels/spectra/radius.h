// The spectral radius from powers of the matrix alone, over a team, in double.
#pragma once

#include "cohort/spectra.h"
#include "spectra/measures.h"
#include "spectra/scale.h"
#include "team/product.h"

COHORT_BEGIN

// max |lambda| of a [n][n]; NaN and not_finite where a is not finite; the same in every lane; syncs. b, c: n rows of
// Team::pad<double>(n) each, as the team's products want them.
//
// A^m for m = 1, 2, 4, ... as B 2^(m log), ||B||_F in [1/2, 1): g_m = ln ||A^m||_F / m >= ln |lambda_1| (Gelfand 1941), and
// ||A^m||_F <= K |lambda_1|^m, where K is sqrt(n) times the condition of the eigenvectors, puts it within ln(K) / m. The
// estimate is 2 g_2m - g_m: a constant factor K drops out, so that for a real lambda_1 it settles as (|lambda_2| /
// |lambda_1|)^m; for a conjugate pair the factor swings and ln(K) / m remains. Settled: twice no change by 1e-10, from m = 2^16
// on. Before that, nearly equal moduli look settled, on their average: a change c hides a distance of sqrt(n c / m), 4e-7 for a
// hundred units.
// Rounding: each product is off by n 2^-53 ||B||^2, so the result by some n 2^-53 K ||A|| / |lambda_1| relative.
template <class Team, class Real>
COHORT_TEAM_FN double spectral_radius_of(const Team& team, const Real* a, int n, double* b, double* c,
                                         SpectrumStatus* status) {
  constexpr int least_squarings = 16, most_squarings = 40;
  constexpr double change = 1e-10, ln_2 = 0.69314718055994530942;
  const int ld = Team::template pad<double>(n);
  const MatrixScale scale = scale_of(team, a, n * n);
  *status = scale.finite ? SpectrumStatus::ok : SpectrumStatus::not_finite;
  if (!scale.finite) return measures::no_value();
  {
    const int exponent = scale.exponent;
    team.for_each_2d(n, ld, [=](int r, int col) {
      b[r * ld + col] = col < n ? ::ldexp(double(a[ptrdiff_t(r) * n + col]), -exponent) : 0.0;
    });
    team.sync();
  }
  double log = 0.0, unit = 1.0;  // log: to base 2; unit: 1 / m
  double before = 0.0, estimate = 0.0;
  int n_settled = 0;
  for (int i = 0; i <= most_squarings; ++i) {
    const double norm = math::sqrt(team.template sum<double>(n * ld, [=](int j) { return b[j] * b[j]; }));
    if (norm < 0x1p-1000) return 0.0;  // ||B||_F was about 1 before it was squared: |lambda_1| < 2^-500 ||A||
    int exponent = 0;
    const double fraction = ::frexp(norm, &exponent);
    log += exponent * unit;
    const double gelfand = log + math::log(fraction) / ln_2 * unit;
    const double next = i == 0 ? gelfand : 2.0 * gelfand - before;
    n_settled = i >= least_squarings && math::abs(next - estimate) <= change ? n_settled + 1 : 0;
    before = gelfand;
    estimate = next;
    if (n_settled == 2 || i == most_squarings) break;
    const Product<double> square[1] = {{b, ld, 1, b, ld, n}};
    const double factor = ::ldexp(1.0, -exponent);
    team.gemm(n, n, square, [=](int r, int col, double value) { c[r * ld + col] = value * factor * factor; });
    double* const swap = b;
    b = c;
    c = swap;
    unit *= 0.5;
  }
  const double whole = ::floor(estimate);
  return ::ldexp(math::exp((estimate - whole) * ln_2), int(whole) + scale.exponent);
}

COHORT_END

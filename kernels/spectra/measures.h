// The formulas of SpectrumMeasures, EigenvalueMeasures and the histogram (cohort/spectra.h), over a team, in double. Every lane
// gets the result, and all functions sync. Sums are over what is divided by the largest value, out of reach of overflow. "No
// value" is NaN: the measure is not defined for this spectrum, or is not finite; a spectrum that is not finite has none.
#pragma once

#include "cohort/spectra.h"
#include "math/elementary.h"

COHORT_BEGIN
namespace measures {

COHORT_FORCE_INLINE double no_value() { return double(__builtin_nanf("")); }
COHORT_FORCE_INLINE double finite_or_none(double x) { return x - x == 0.0 ? x : no_value(); }
// No value where it is not finite, 0/0 and x/0 included.
COHORT_FORCE_INLINE double ratio(double numerator, double denominator) {
  return finite_or_none(numerator / denominator);
}
// sqrt(re^2 + im^2), the same for conjugates; exact where one of them is 0.
COHORT_FORCE_INLINE double modulus(double re, double im) {
  const double a = math::abs(re), b = math::abs(im), large = a > b ? a : b, small = a > b ? b : a;
  if (small == 0.0) return large;
  const double q = small / large;
  return large * math::sqrt(1.0 + q * q);
}

template <class Team, class Real>
COHORT_TEAM_FN bool all_finite(const Team& team, const Real* x, int n) {
  return team.template sum<double>(n, [=](int i) { return double(x[i] - x[i]); }) == 0.0;
}

// Of k finite values with s[0] > 0 the largest; total = sum s / s[0].
template <class Team, class Real>
COHORT_TEAM_FN double entropy(const Team& team, const Real* s, int k, double total) {
  const double unit = double(s[0]);
  const double sum = team.template sum<double>(k, [=](int i) {
    const double p = double(s[i]) / unit / total;
    return p > 0.0 ? p * math::log(p) : 0.0;
  });
  return ratio(-sum, math::log(double(k)));
}

}  // namespace measures

// SpectrumMeasures::entropy alone. s [k], descending.
template <class Team, class Real>
COHORT_TEAM_FN double spectrum_entropy_of(const Team& team, const Real* s, int k) {
  if (!measures::all_finite(team, s, k) || !(s[0] > Real(0))) return measures::no_value();
  const double unit = double(s[0]);
  const double total = team.template sum<double>(k, [=](int i) { return double(s[i]) / unit; });
  return measures::entropy(team, s, k, total);
}

// s [k], descending.
template <class Team, class Real>
COHORT_TEAM_FN SpectrumMeasures spectrum_measures_of(const Team& team, const Real* s, int k) {
  const double none = measures::no_value();
  SpectrumMeasures m = {none, none, none, none, none, none, none, none, none, none, none};
  if (!measures::all_finite(team, s, k)) return m;
  const double above = team.template sum<double>(k, [=](int i) { return double(s[i] > Real(1.5)); });
  const double below = team.template sum<double>(k, [=](int i) { return double(s[i] < Real(1.5)); });
  m.above_below = measures::ratio(above, below);
  const double unit = double(s[0]);
  m.largest = unit;
  m.median = .5 * double(s[(k - 1) / 2]) + .5 * double(s[k / 2]);
  m.smallest = double(s[k - 1]);
  if (!(unit > 0.0)) {
    m.nuclear = m.frobenius = m.mean = 0.0;
    return m;
  }
  const double total = team.template sum<double>(k, [=](int i) { return double(s[i]) / unit; });
  const double second = team.template sum<double>(k, [=](int i) {
    const double q = double(s[i]) / unit;
    return q * q;
  });
  const double fourth = team.template sum<double>(k, [=](int i) {
    const double q = double(s[i]) / unit;
    return q * q * (q * q);
  });
  m.entropy = measures::entropy(team, s, k, total);
  m.participation_ratio = measures::ratio(second * second, fourth);
  m.stable_rank = second;
  m.nuclear = measures::finite_or_none(unit * total);
  m.frobenius = measures::finite_or_none(unit * math::sqrt(second));
  m.mean = unit * (total / double(k));
  if (k > 1) m.gap = 1.0 - double(s[1]) / unit;
  return m;
}

// Counts of s [k], descending, in n_bins equal bins over [low, high). A bin is what lies above its lower edge less what lies
// above its upper one.
template <class Team, class Real>
COHORT_TEAM_FN void histogram_of(const Team& team, const Real* s, int k, int n_bins, double low, double high,
                                 int32_t* histogram) {
  const auto at_or_above = [=](int edge) {  // how many of s; bisection
    int begin = 0, end = k;
    while (begin < end) {
      const int middle = (begin + end) / 2;
      const double x = double(s[middle]);
      const bool is = edge == 0        ? x >= low
                      : edge == n_bins ? x >= high
                                       : (x - low) / (high - low) * double(n_bins) >= double(edge);
      (is ? begin : end) = is ? middle + 1 : middle;
    }
    return begin;
  };
  team.for_each(n_bins, [=](int bin) { histogram[bin] = at_or_above(bin) - at_or_above(bin + 1); });
  team.sync();
}

// eigenvalues [n][2] by falling modulus, conjugates side by side.
template <class Team, class Real>
COHORT_TEAM_FN EigenvalueMeasures eigenvalue_measures_of(const Team& team, const Real* eigenvalues, int n) {
  const double none = measures::no_value();
  EigenvalueMeasures m = {none, none, none};
  if (!measures::all_finite(team, eigenvalues, 2 * n)) return m;
  const auto modulus = [=](int i) {
    return measures::modulus(double(eigenvalues[2 * i]), double(eigenvalues[2 * i + 1]));
  };
  const double radius = modulus(0);
  m.radius = measures::finite_or_none(radius);
  const double total = team.template sum<double>(n, [=](int i) { return modulus(i) / radius; });
  m.effective_rank = measures::ratio(total, double(n));
  const int other = eigenvalues[1] != Real(0) ? 2 : 1;
  if (other < n) m.gap = measures::finite_or_none(1.0 - modulus(other) / radius);
  return m;
}

COHORT_END

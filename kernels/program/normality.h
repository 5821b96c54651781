// Samples of weights against the normal distribution (cohort/normality.h): a sample is drawn up in double, then standardised to
// floats, then these are sorted by the driver, then compared. What does not belong to a sample is `absent` and sorted behind it.
// A team needs largest(n, f) as well: the largest f(i) >= 0, i < n, in float.
#pragma once

#include <limits>

#include "cohort/normality.h"
#include "program/dispatch.h"

COHORT_BEGIN

inline constexpr double absent = std::numeric_limits<double>::infinity();
inline constexpr double no_value = std::numeric_limits<double>::quiet_NaN();
COHORT_TEAM_FN double finite_or_none(double x) { return x - x == 0 ? x : no_value; }

// The change of a network's weights in the dual space of its potential number `of` as a sample x [n]. Ends synced.
template <class Team>
COHORT_TEAM_FN void draw_sample(const Team& team, const DualChangeArgs& a, int net, int of, double* x) {
  const int64_t at = net * a.stride, row = int64_t(net) * a.n_potentials + of;
  const float *const before = a.before + at, *const after = a.after + at;
  const uint8_t* const mask = a.mask ? a.mask + at : nullptr;
  const int n = int(a.n);
  const Potential potential = a.potentials[row];
  const geometry::Params params{potential.p, potential.beta};
  const auto moves = [=](int i) { return !mask || mask[i] != 0; };
  double change = no_value, start = no_value;  // squared norms
  if (int32_t(potential.geometry) < 0 || int32_t(potential.geometry) >= n_geometries)
    team.for_each(n, [=](int i) { x[i] = no_value; });
  with_geometry(potential.geometry, params, [&](auto map) {
    // Maps need not keep NaN: the sign of one is 0.
    const auto dual = [=](float w) { return w - w == 0 ? map.to_dual(double(w), params) : no_value; };
    change = team.template sum<double>(n, [=](int i) {
      const double d = dual(after[i]) - dual(before[i]);
      x[i] = moves(i) ? finite_or_none(d) : absent;
      return moves(i) ? d * d : 0.0;
    });
    start = team.template sum<double>(n, [=](int i) {
      const double y = dual(before[i]);
      return moves(i) ? y * y : 0.0;
    });
  });
  const double flips = team.template sum<double>(
      n, [=](int i) { return moves(i) && math::sign(before[i]) * math::sign(after[i]) < 0 ? 1.0 : 0.0; });
  if (team.lane() == 0) {
    a.changes[row].laziness = finite_or_none(math::sqrt(change) / math::sqrt(start));
    a.changes[row].sign_flips = int64_t(flips);
  }
}

// The logarithms of a network's weights as a sample x [n]. Ends synced.
template <class Team>
COHORT_TEAM_FN void draw_sample(const Team& team, const LogWeightsArgs& a, int net, double* x) {
  const float* const weights = a.weights + net * a.n;
  team.for_each(int(a.n), [=](int i) {
    const double w = math::abs(double(weights[i]));
    x[i] = w == 0 ? absent : finite_or_none(math::log(w));
  });
  team.sync();
}

// Standard deviation over n - 1.
COHORT_TEAM_FN double sd_of(const Normality& fit) {
  return fit.n > 1 ? math::sqrt(fit.m2 * (double(fit.n) / double(fit.n - 1))) : no_value;
}

// Moments of the sample x [n], and keys[i] = x[i] / sd in float, all of them absent if the sample has no spread.
template <class Team>
COHORT_TEAM_FN void standardise(const Team& team, int n, const double* x, float* keys, Normality* out) {
  const auto over = [&](auto term) {
    return team.template sum<double>(n, [=](int i) { return x[i] == absent ? 0.0 : term(x[i]); });
  };
  constexpr double none = no_value;
  const double count = over([](double) { return 1.0; });
  Normality fit{int64_t(count), none, none, none, none, none, none, none, none};
  if (count > 0) {
    int first = 0;
    while (x[first] == absent) ++first;
    const double reference = x[first];  // deviations from a value: the mean of equal ones is exact
    const double mean = reference + over([=](double v) { return v - reference; }) / count;
    const auto moment = [&](auto power) { return over([=](double v) { return power(v - mean); }) / count; };
    const double m2 = moment([](double d) { return d * d; }), m3 = moment([](double d) { return d * d * d; }),
                 m4 = moment([](double d) { return d * d * d * d; });
    fit.mean = mean;
    fit.m2 = m2;
    fit.skewness = finite_or_none(m3 / (m2 * math::sqrt(m2)));
    fit.kurtosis = finite_or_none(m4 / (m2 * m2) - 3);
  }
  const double sd = sd_of(fit);
  const bool spread = sd > 0;
  team.for_each(n, [=](int i) { keys[i] = float(spread ? x[i] / sd : absent); });
  if (team.lane() == 0) *out = fit;
}

// The distances of a sample whose moments are known, from its sorted keys. Ends synced.
template <class Team>
COHORT_TEAM_FN void compare(const Team& team, const float* keys, Normality* fit) {
  const int64_t n = fit->n;
  const double sd = sd_of(*fit), mean = fit->mean / sd;
  if (!(sd > 0)) return;
  const auto cdf = [&](double shift) {
    return team.template sum<double>(delta_cdf_points, [=](int k) { return delta_cdf_term(keys, n, shift, k); });
  };
  const auto ks = [&](double shift) {
    return double(team.largest(int(n), [=](int i) { return float(ks_term(keys, n, shift, i)); }));
  };
  const double plain[2] = {cdf(0), ks(0)}, centred[2] = {cdf(mean), ks(mean)};
  if (team.lane() != 0) return;
  fit->delta_cdf = plain[0];
  fit->ks = plain[1];
  fit->delta_cdf_centred = centred[0];
  fit->ks_centred = centred[1];
}

COHORT_END

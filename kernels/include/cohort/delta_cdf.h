// How far a sample is from the standard normal distribution: Delta-CDF, the integral over [-5, 5] of |F(z) - Phi(z)|, by the
// trapezoidal rule on 1000 equally spaced points, and the Kolmogorov-Smirnov distance, sup |F(z) - Phi(z)|. F is the share of
// the sample that is at most z. Samples come sorted, ascending; what is compared is x - shift.
// Source: Pogodin, Cornford, Ghosh, Gidel, Lajoie, Richards (ICLR 2024), Synaptic weight distributions depend on the geometry of
// plasticity. An exactly normal sample of n has a Delta-CDF of about 1.1 / sqrt(n).
#pragma once

#include <math.h>

#include "cohort/normal.h"

namespace cohort {

inline constexpr int delta_cdf_points = 1000;
inline constexpr double delta_cdf_reach = 5;

// How many of sorted [n] are at most x.
template <class Real>
COHORT_FN int64_t count_up_to(const Real* sorted, int64_t n, double x) {
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (double(sorted[middle]) <= x)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

// Points 0 <= k < delta_cdf_points, and what each adds to Delta-CDF where `share` of the sample is at most there.
inline constexpr double delta_cdf_step = 2 * delta_cdf_reach / (delta_cdf_points - 1);
COHORT_FN double delta_cdf_point(int k) { return k * delta_cdf_step - delta_cdf_reach; }
COHORT_FN double delta_cdf_term(double share, int k) {
  const double weight = k == 0 || k == delta_cdf_points - 1 ? delta_cdf_step / 2 : delta_cdf_step;
  return weight * ::fabs(share - normal_cdf(delta_cdf_point(k)));
}
// Of a sorted sample, n > 0.
template <class Real>
COHORT_FN double delta_cdf_term(const Real* sorted, int64_t n, double shift, int k) {
  return delta_cdf_term(double(count_up_to(sorted, n, delta_cdf_point(k) + shift)) / double(n), k);
}
template <class Real>
COHORT_FN double delta_cdf(const Real* sorted, int64_t n, double shift = 0) {
  double sum = 0;
  for (int k = 0; k < delta_cdf_points; ++k) sum += delta_cdf_term(sorted, n, shift, k);
  return sum;
}

// The larger distance at the two sides of value i; Kolmogorov-Smirnov's is the largest over 0 <= i < n.
template <class Real>
COHORT_FN double ks_term(const Real* sorted, int64_t n, double shift, int64_t i) {
  const double cdf = normal_cdf(double(sorted[i]) - shift), before = cdf - double(i) / double(n),
               after = double(i + 1) / double(n) - cdf;
  return before > after ? before : after;
}

}  // namespace cohort

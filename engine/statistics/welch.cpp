#include "statistics/welch.h"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "statistics/moments.h"

namespace cohort::engine {

Welch welch_test(std::span<const double> a, std::span<const double> b) {
  const Moments first = moments(a), second = moments(b);
  if (first.n < 2 || second.n < 2) return {};
  const double va = first.sd * first.sd / double(first.n), vb = second.sd * second.sd / double(second.n);
  const double v = va + vb;  // of the difference of the means
  if (!(v > 0) || !std::isfinite(v)) return {};
  const double fa = va / v, fb = vb / v;
  const double t = (first.mean - second.mean) / std::sqrt(v);
  const double df = 1 / (fa * fa / double(first.n - 1) + fb * fb / double(second.n - 1));
  if (!std::isfinite(t)) return {};
  using boost::math::students_t, boost::math::cdf, boost::math::complement;
  return {t, df, 2 * cdf(complement(students_t(df), std::abs(t)))};
}

}  // namespace cohort::engine

#include "statistics/regression.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "cohort/error.h"

namespace cohort::engine {

Regression linear_regression(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size()) throw Error(fmt::format("a regression of {} values on {}", y.size(), x.size()));
  Regression out;
  double x_mean = 0, y_mean = 0;
  const auto each = [&](const auto& use) {
    for (size_t i = 0; i < x.size(); ++i)
      if (std::isfinite(x[i]) && std::isfinite(y[i])) use(x[i], y[i]);
  };
  each([&](double a, double b) { x_mean += a, y_mean += b, ++out.n; });
  if (out.n < 2) return out;
  x_mean /= double(out.n);
  y_mean /= double(out.n);
  double xx = 0, xy = 0, yy = 0;
  each([&](double a, double b) {
    xx += (a - x_mean) * (a - x_mean);
    xy += (a - x_mean) * (b - y_mean);
    yy += (b - y_mean) * (b - y_mean);
  });
  if (!(xx > 0) || !std::isfinite(xx) || !std::isfinite(yy)) return out;
  out.slope = xy / xx;
  out.intercept = y_mean - out.slope * x_mean;
  if (yy > 0) out.r = std::clamp(xy / std::sqrt(xx) / std::sqrt(yy), -1.0, 1.0);
  if (out.n < 3 || !(yy > 0)) return out;
  const double df = double(out.n - 2), unexplained = (1 - out.r) * (1 + out.r);
  out.slope_error = std::sqrt(unexplained * yy / xx / df);
  const double t = std::abs(out.r) * std::sqrt(df / unexplained);
  using boost::math::students_t, boost::math::cdf, boost::math::complement;
  out.p = unexplained > 0 ? 2 * cdf(complement(students_t(df), t)) : 0;
  return out;
}

}  // namespace cohort::engine

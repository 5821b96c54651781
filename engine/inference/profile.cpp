#include "inference/profile.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "inference/maximise.h"
#include "statistics/normal.h"

namespace cohort::engine {
namespace {

// Where f crosses `level` between `inside`, where it is above, and `outside`, where it is below: of the square root of what
// f has fallen from its maximum, which is nearly a straight line, by false position (Illinois).
double crossing(const std::function<double(double)>& f, const Maximum& top, double level, double inside, double outside,
                double outside_value) {
  const double wanted = std::sqrt(top.value - level);
  const auto fallen = [&](double value) {
    return std::sqrt(std::min(std::max(top.value - value, 0.0), 1e12)) - wanted;
  };
  double a = inside, fa = inside == top.at ? -wanted : fallen(f(inside)), b = outside, fb = fallen(outside_value);
  for (int i = 0; i < 60; ++i) {
    const bool halve = i % 4 == 3 || fb > 10 * wanted;
    const double x = halve ? (a + b) / 2 : a - fa * (b - a) / (fb - fa), fx = fallen(f(x));
    if (std::abs(fx) < 2e-3 * wanted || std::abs(b - a) < 1e-9 * std::abs(outside - top.at)) return x;
    if (fx < 0) {
      a = x, fa = fx;
    } else {
      b = x, fb = fx;
    }
  }
  return (a + b) / 2;
}

}  // namespace

Profile profile(const std::function<double(double)>& log_likelihood, std::span<const double> grid, double drop) {
  std::vector<Maximum> points;
  for (const double x : grid) points.push_back({x, log_likelihood(x)});
  const size_t n = points.size(), best = size_t(std::ranges::max_element(points, {}, &Maximum::value) - points.begin());
  Profile out{.estimate = points[best].at, .log_likelihood = points[best].value, .low = grid[0], .high = grid[n - 1]};
  if (!std::isfinite(out.log_likelihood)) return out;
  const Maximum top =
      maximise(log_likelihood, points[best > 0 ? best - 1 : 0], points[best], points[std::min(best + 1, n - 1)]);
  out.estimate = top.at;
  out.log_likelihood = top.value;

  const double level = top.value - drop;
  for (const bool up : {false, true}) {
    double inside = top.at;
    for (size_t k = 0; k < n; ++k) {
      const Maximum& point = points[up ? k : n - 1 - k];
      if (up ? point.at <= top.at : point.at >= top.at) continue;
      if (point.value < level) {
        (up ? out.high : out.low) = crossing(log_likelihood, top, level, inside, point.at, point.value);
        break;
      }
      inside = point.at;
    }
  }
  return out;
}

double profile_drop(double level) {
  const double z = normal_quantile((1 + level) / 2);
  return z * z / 2;
}

}  // namespace cohort::engine

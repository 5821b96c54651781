#include "inference/maximise.h"

#include <algorithm>
#include <cmath>

namespace cohort::engine {

Maximum maximise(const std::function<double(double)>& f, Maximum low, Maximum inside, Maximum high, double gain) {
  constexpr double golden = 0.381966;
  const double range = high.at - low.at;
  bool settled = false;  // the last step promised, and brought, next to nothing
  for (int i = 0; i < 60 && high.at - low.at > 1e-9 * range; ++i) {
    const double below = inside.at - low.at, above = high.at - inside.at;
    // The parabola through the three points: inside + u (slope + u bend / 2).
    double next = inside.at, promised = 1e300;
    if (below > 0 && above > 0 && std::isfinite(low.value) && std::isfinite(high.value)) {
      const double left = (inside.value - low.value) / below, right = (high.value - inside.value) / above;
      const double bend = 2 * (right - left) / (below + above),
                   slope = (left * above + right * below) / (below + above);
      if (bend < 0) {
        next = inside.at - slope / bend;
        promised = -slope * slope / (2 * bend);
      }
    }
    if (promised < gain) {
      if (settled) break;
      settled = true;
    } else {
      settled = false;
    }
    // Every third step halves the bracket's larger part, so that both ends close in.
    const bool usable = promised < 1e300 && next > low.at && next < high.at && (settled || i % 3 != 2);
    if (!usable) next = above > below ? inside.at + golden * above : inside.at - golden * below;
    if (std::abs(next - inside.at) < 1e-9 * range) next = inside.at + (above > below ? 1 : -1) * 1e-6 * range;
    next = std::clamp(next, low.at, high.at);
    if (next == inside.at) break;
    const Maximum tried{next, f(next)};
    if (tried.value > inside.value) {
      (next > inside.at ? low : high) = inside;
      inside = tried;
    } else {
      (next > inside.at ? high : low) = tried;
      if (below == 0 || above == 0) {  // the maximum may be the end itself: where the slope leads away from it, it is
        settled = settled || std::abs(inside.value - tried.value) < gain;
        if (settled) break;
      }
    }
  }
  return inside;
}

Maximum climb(const std::function<double(double)>& f, Maximum start, double step, double longest, double least,
              double most, double gain) {
  const auto at = [&](double x) {
    x = std::clamp(x, least, most);
    return Maximum{x, f(x)};
  };
  Maximum inside = start, low = at(start.at - step), high = at(start.at + step);
  while (high.value > inside.value && high.at < most) {
    low = inside;
    inside = high;
    high = at(inside.at + (step = std::min(2 * step, longest)));
  }
  while (low.value > inside.value && low.at > least) {
    high = inside;
    inside = low;
    low = at(inside.at - (step = std::min(2 * step, longest)));
  }
  if (low.value > inside.value) inside = low;
  if (high.value > inside.value) inside = high;
  return maximise(f, low, inside, high, gain);
}

}  // namespace cohort::engine

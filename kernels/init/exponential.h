// Exponential magnitudes with mean gain / sqrt(fan) and a random sign.
#pragma once

#include "init/draw.h"

COHORT_BEGIN
namespace init {

struct exponential {
  static constexpr const char* doc = "exponential magnitudes, mean gain / sqrt(n_hidden), random signs";
  template <class Team, class Real>
  COHORT_TEAM_FN static void draw(const Team& team, const Draw& d, const parameterisation::Parts<Real>& w) {
    const Real mean = Real(d.gain) / math::sqrt(Real(d.fan));
    fill(team, d.rows * d.cols, w.main, [=](int i) {
      const Element e(d.key, i);
      return e.sign<Real>() * e.exponential(mean);
    });
  }
};

}  // namespace init
COHORT_END

// Normal weights that keep the size of activity from layer to layer (He et al., ICCV 2015): variance gain^2 2 / fan_in behind
// rectified units, gain^2 / fan_in for the network's inputs.
#pragma once

#include "init/draw.h"

COHORT_BEGIN
namespace init {

struct he_normal {
  static constexpr const char* doc = "normal, variance gain^2 2 / fan in, of the network's inputs gain^2 / fan in (He)";
  template <class Team, class Real>
  COHORT_TEAM_FN static void draw(const Team& team, const Draw& d, const parameterisation::Parts<Real>& w) {
    const Real sd = Real(d.gain) * math::sqrt(Real(d.takes_inputs() ? 1 : 2) / Real(d.cols));
    fill(team, d.rows * d.cols, w.main, [=](int i) { return sd * Element(d.key, i).normal<Real>(); });
  }
};

}  // namespace init
COHORT_END

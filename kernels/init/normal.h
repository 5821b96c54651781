// Normal weights: standard deviation gain / sqrt(fan).
#pragma once

#include "init/draw.h"

COHORT_BEGIN
namespace init {

struct normal {
  static constexpr const char* doc = "normal, standard deviation gain / sqrt(n_hidden)";
  template <class Team, class Real>
  COHORT_TEAM_FN static void draw(const Team& team, const Draw& d, const parameterisation::Parts<Real>& w) {
    const Real sd = Real(d.gain) / math::sqrt(Real(d.fan));
    fill(team, d.rows * d.cols, w.main, [=](int i) { return sd * Element(d.key, i).normal<Real>(); });
  }
};

}  // namespace init
COHORT_END

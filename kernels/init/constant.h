// All weights equal.
#pragma once

#include "init/draw.h"

COHORT_BEGIN
namespace init {

struct constant {
  static constexpr const char* doc = "every weight is the gain";
  template <class Team, class Real>
  COHORT_TEAM_FN static void draw(const Team& team, const Draw& d, const parameterisation::Parts<Real>& w) {
    const Real value = Real(d.gain);
    fill(team, d.rows * d.cols, w.main, [=](int) { return value; });
  }
};

}  // namespace init
COHORT_END

// Uniform weights of the same variance as normal ones: +- sqrt(3) gain / sqrt(fan).
#pragma once

#include "init/draw.h"

COHORT_BEGIN
namespace init {

struct uniform {
  static constexpr const char* doc = "uniform, +- sqrt(3) gain / sqrt(n_hidden)";
  template <class Team, class Real>
  COHORT_TEAM_FN static void draw(const Team& team, const Draw& d, const parameterisation::Parts<Real>& w) {
    const Real bound = math::sqrt(Real(3)) * Real(d.gain) / math::sqrt(Real(d.fan));
    fill(team, d.rows * d.cols, w.main,
         [=](int i) { return bound * (Real(2) * Element(d.key, i).uniform<Real>() - Real(1)); });
  }
};

}  // namespace init
COHORT_END

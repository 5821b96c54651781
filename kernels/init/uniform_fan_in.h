// Uniform weights +- gain / sqrt(number of presynaptic units) (Liu et al., ICLR 2024, input and readout).
#pragma once

#include "init/draw.h"

COHORT_BEGIN
namespace init {

struct uniform_fan_in {
  static constexpr const char* doc = "uniform, +- gain / sqrt(fan in)";
  template <class Team, class Real>
  COHORT_TEAM_FN static void draw(const Team& team, const Draw& d, const parameterisation::Parts<Real>& w) {
    const Real bound = Real(d.gain) / math::sqrt(Real(d.cols));
    fill(team, d.rows * d.cols, w.main,
         [=](int i) { return bound * (Real(2) * Element(d.key, i).uniform<Real>() - Real(1)); });
  }
};

}  // namespace init
COHORT_END

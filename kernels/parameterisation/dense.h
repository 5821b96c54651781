// The parameters are the weights.
#pragma once

#include "parameterisation/parts.h"

COHORT_BEGIN
namespace parameterisation {

struct dense {
  static constexpr const char* doc = "weights of any sign";
  template <class Team, class Real, class Out>
  COHORT_TEAM_FN static void assemble(const Team& team, const Info& info, const Parts<Real>& w, Out out) {
    const int cols = info.cols;
    team.for_each_2d(info.rows, cols, [=](int i, int j) { out(i, j, w.main[i * cols + j]); });
  }
  template <class Team, class Real, class In>
  COHORT_TEAM_FN static void pull_back(const Team& team, const Info& info, const Parts<Real>&, In dw,
                                       const Parts<Real>& grad) {
    const int cols = info.cols;
    team.for_each_2d(info.rows, cols, [=](int i, int j) { grad.main[i * cols + j] = dw(i, j); });
  }
};

}  // namespace parameterisation
COHORT_END

// Start of a Dale ANN (Li et al., NeurIPS 2023, recurrent form): W_ex ~ Exp(s); every row of W_ix is the column mean of
// W_ex (or i.i.d. Exp(s)); rows of W_ei are exponential and sum to 1. So the effective weights have zero column means.
// s = sqrt(1 / (3 (rows - 1))), for the readout sqrt(2 rows / (cols (rows - 1))), with one row sqrt(2 / cols).
#pragma once

#include "init/draw.h"

COHORT_BEGIN
namespace init {

struct dann {
  static constexpr const char* doc = "exponential, inhibition centres every column (DANN)";
  template <class Team, class Real>
  COHORT_TEAM_FN static void draw(const Team& team, const Draw& d, const parameterisation::Parts<Real>& w) {
    const int rows = d.rows, cols = d.cols, ni = d.n_inhibitory;
    const Real others = Real(rows > 1 ? rows - 1 : 1);
    const Real readout =
        rows > 1 ? math::sqrt(Real(2) * Real(rows) / (Real(cols) * others)) : math::sqrt(Real(2) / Real(cols));
    const Real s = Real(d.gain) * (d.role == Role::readout ? readout : math::sqrt(Real(1) / (Real(3) * others)));
    fill(team, rows * cols, w.main, [=](int i) { return Element(d.key, i).exponential(s); });
    fill(team, ni * cols, w.ix, [=](int i) {
      if (d.iid_inhibition) return Element(d.key, i, 1).exponential(s);
      Real mean = Real(0);
      for (int r = 0; r < rows; ++r) mean += w.main[r * cols + i % cols] / Real(rows);
      return mean;
    });
    fill(team, rows * ni, w.ei, [=](int i) { return Element(d.key, i, 2).exponential(Real(1)); });
    for (int r = team.lane(); r < rows; r += team.size()) {
      Real total = Real(0);
      for (int k = 0; k < ni; ++k) total += w.ei[r * ni + k];
      for (int k = 0; k < ni; ++k) w.ei[r * ni + k] /= total;
    }
    team.sync();
  }
};

}  // namespace init
COHORT_END

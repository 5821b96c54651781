// Start of a layer of Dale's ANN (Cornford et al., ICLR 2021) with d inputs: W_ex ~ Exp(s), s = sqrt(2 pi / (d (2 pi - 1)))
// behind rectified units and sqrt(1 / (2 d)) for the network's inputs. Inhibition takes off about the mean of the excitatory
// input: W_ix ~ Exp(s) and all W_ei = 1 / n_inhibitory; one interneuron does so exactly, by the mean row of W_ex and W_ei = 1.
// Or (iid_inhibition) both ~ Exp(sqrt(s / n_inhibitory)).
#pragma once

#include "init/draw.h"

COHORT_BEGIN
namespace init {

struct dann_feedforward {
  static constexpr const char* doc = "exponential, inhibition centres a layer's input (DANN; Cornford et al. 2021)";
  template <class Team, class Real>
  COHORT_TEAM_FN static void draw(const Team& team, const Draw& d, const parameterisation::Parts<Real>& w) {
    const int rows = d.rows, cols = d.cols, ni = d.n_inhibitory;
    const Real two_pi = Real(6.283185307179586);
    const Real share = d.takes_inputs() ? Real(0.5) : two_pi / (two_pi - Real(1));
    const Real s = Real(d.gain) * math::sqrt(share / Real(cols)), iid = math::sqrt(s / Real(ni > 0 ? ni : 1));
    fill(team, rows * cols, w.main, [=](int i) { return Element(d.key, i).exponential(s); });
    fill(team, ni * cols, w.ix, [=](int i) {
      if (d.iid_inhibition || ni > 1) return Element(d.key, i, 1).exponential(d.iid_inhibition ? iid : s);
      Real mean = Real(0);
      for (int r = 0; r < rows; ++r) mean += w.main[r * cols + i] / Real(rows);
      return mean;
    });
    fill(team, rows * ni, w.ei,
         [=](int i) { return d.iid_inhibition ? Element(d.key, i, 2).exponential(iid) : Real(1) / Real(ni); });
  }
};

}  // namespace init
COHORT_END

// Magnitudes of a column-E/I network (Li et al., NeurIPS 2023, ColEI): exponential, inhibitory columns stronger by
// n_e / n_i so that columns balance; the first layer, which has no inhibitory inputs, is Exp(sqrt(1 / n_in)). Recurrent
// weights start with a zero diagonal, unless told otherwise; their spectral radius is set afterwards (init.spectral_radius).
#pragma once

#include "init/draw.h"

COHORT_BEGIN
namespace init {

struct column_ei_balanced {
  static constexpr const char* doc = "exponential magnitudes, excitation and inhibition balanced (ColEI)";
  template <class Team, class Real>
  COHORT_TEAM_FN static void draw(const Team& team, const Draw& d, const parameterisation::Parts<Real>& w) {
    const int cols = d.cols, ne = d.n_excitatory < cols ? d.n_excitatory : cols, ni = cols - ne;
    const Real two_pi = Real(6.283185307179586), e = Real(ne), i = Real(ni > 0 ? ni : 1);
    const Real balanced = math::sqrt(two_pi / ((two_pi - Real(1)) * (e + e * e / i)));
    const Real excitatory = Real(d.gain) * (ni > 0 ? balanced : math::sqrt(Real(1) / Real(cols))),
               inhibitory = excitatory * e / i;
    const bool hollow = d.role == Role::recurrent && d.zero_diagonal;
    fill(team, d.rows * cols, w.main, [=](int k) {
      const int row = k / cols, col = k % cols;
      const Real magnitude = Element(d.key, k).exponential(col < ne ? excitatory : inhibitory);
      return hollow && row == col ? Real(0) : magnitude;
    });
  }
};

}  // namespace init
COHORT_END

// Update corrections of Dale's ANNs (Cornford et al., ICLR 2021): the gradients of inhibitory parts are scaled so that a step
// changes a layer's outputs, in the metric of the Fisher information, about as much by any part as by W_ex.
#pragma once

#include "math/elementary.h"

COHORT_BEGIN

COHORT_TEAM_FN bool has_corrections(const Signature& g) {
  return g.n_inhibitory > 0 || g.n_inhibitory_recurrent > 0 || g.n_inhibitory_readout > 0;
}

// Scales a gradient in the layout of theta by NetSpec::fisher, in place. Ends synced.
template <class Team, class Real>
COHORT_PHASE_FN void correct_gradient(const Team& team, const Signature& g, const FisherSpec& fisher, Real* gradient) {
  const auto scale = [&](size_t first, size_t end, double factor) {
    Real* const d = gradient + first;
    const Real by = Real(factor);
    if (factor != 1) team.for_each(int(end - first), [=](int i) { d[i] *= by; });
  };
  const auto power = [](int size, double exponent) { return math::pow_abs(double(size), -exponent); };
  for (int k = 0; k < n_tensors(g); ++k) {
    const Tensor t = tensor(g, k);
    if (t.size() == 0) continue;
    if (t.role == Role::alpha) {
      const Tensor weights = tensor(g, input_tensor(g, t.layer));
      scale(t.offset, t.end, power(weights.rows, fisher.alpha_rows) * power(weights.cols, fisher.alpha_cols));
    } else if (t.n_inhibitory > 0) {
      scale(t.offset_ei, t.offset_ix, power(t.cols, fisher.ei_cols));
      scale(t.offset_ix, t.end, power(t.rows, fisher.ix_rows));
    }
  }
  team.sync();
}

COHORT_END

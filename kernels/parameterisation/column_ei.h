// Dale's law by columns: W_ij = M_ij s_j with magnitudes M >= 0 (kept so by the rule) and s_j = -1 for inhibitory
// presynaptic units. Li et al., NeurIPS 2023 (Learning better with Dale's law: a spectral perspective), ColEI.
#pragma once

#include "parameterisation/parts.h"

COHORT_BEGIN
namespace parameterisation {

struct column_ei {
  static constexpr const char* doc = "magnitudes times the sign of the presynaptic unit (ColEI; Li et al. 2023)";
  template <class Team, class Real, class Out>
  COHORT_TEAM_FN static void assemble(const Team& team, const Info& info, const Parts<Real>& w, Out out) {
    const int cols = info.cols, ne = info.n_excitatory;
    team.for_each_2d(info.rows, cols,
                     [=](int i, int j) { out(i, j, j < ne ? w.main[i * cols + j] : -w.main[i * cols + j]); });
  }
  template <class Team, class Real, class In>
  COHORT_TEAM_FN static void pull_back(const Team& team, const Info& info, const Parts<Real>&, In dw,
                                       const Parts<Real>& grad) {
    const int cols = info.cols, ne = info.n_excitatory;
    team.for_each_2d(info.rows, cols, [=](int i, int j) { grad.main[i * cols + j] = j < ne ? dw(i, j) : -dw(i, j); });
  }
};

}  // namespace parameterisation
COHORT_END

// Dale's ANN with subtractive feedforward inhibition: W = W_ex - W_ei W_ix, all three non-negative (kept so by the rule).
// Cornford et al., ICLR 2021 (Learning to live with Dale's principle); recurrent form: Li et al., NeurIPS 2023.
// Gradients are exact; their corrections are the update's (program/correction.h).
#pragma once

#include "parameterisation/parts.h"

COHORT_BEGIN
namespace parameterisation {

struct dann {
  static constexpr const char* doc = "W_ex - W_ei W_ix with inhibitory interneurons (DANN; Cornford et al. 2021)";
  template <class Team, class Real, class Out>
  COHORT_TEAM_FN static void assemble(const Team& team, const Info& info, const Parts<Real>& w, Out out) {
    const int cols = info.cols, ni = info.n_inhibitory;
    team.for_each_2d(info.rows, cols, [=](int i, int j) {
      Real v = w.main[i * cols + j];
      for (int k = 0; k < ni; ++k) v -= w.ei[i * ni + k] * w.ix[k * cols + j];
      out(i, j, v);
    });
  }
  template <class Team, class Real, class In>
  COHORT_TEAM_FN static void pull_back(const Team& team, const Info& info, const Parts<Real>& w, In dw,
                                       const Parts<Real>& grad) {
    const int rows = info.rows, cols = info.cols, ni = info.n_inhibitory;
    team.for_each_2d(rows, cols, [=](int i, int j) { grad.main[i * cols + j] = dw(i, j); });
    team.for_each_2d(rows, ni, [=](int i, int k) {
      Real sum = Real(0);
      for (int j = 0; j < cols; ++j) sum -= dw(i, j) * w.ix[k * cols + j];
      grad.ei[i * ni + k] = sum;
    });
    team.for_each_2d(ni, cols, [=](int k, int j) {
      Real sum = Real(0);
      for (int i = 0; i < rows; ++i) sum -= dw(i, j) * w.ei[i * ni + k];
      grad.ix[k * cols + j] = sum;
    });
  }
};

}  // namespace parameterisation
COHORT_END

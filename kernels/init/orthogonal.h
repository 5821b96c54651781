// gain times a matrix with orthonormal rows (or columns, whichever are fewer), from Gaussian vectors by Gram and
// Schmidt, applied twice: once loses orthogonality.
#pragma once

#include "init/draw.h"

COHORT_BEGIN
namespace init {

struct orthogonal {
  static constexpr const char* doc = "orthonormal rows or columns, times gain";
  template <class Team, class Real>
  COHORT_TEAM_FN static void draw(const Team& team, const Draw& d, const parameterisation::Parts<Real>& w) {
    fill(team, d.rows * d.cols, w.main, [=](int i) { return Element(d.key, i).normal<Real>(); });
    const bool by_rows = d.rows <= d.cols;
    const int n_vectors = by_rows ? d.rows : d.cols, length = by_rows ? d.cols : d.rows;
    const ptrdiff_t next = by_rows ? d.cols : 1, step = by_rows ? 1 : d.cols;
    for (int i = 0; i < n_vectors; ++i) {
      Real* const v = w.main + i * next;
      for (int j = 0; j < 2 * i; ++j) {
        const Real* const u = w.main + (j % i) * next;
        const Real dot = team.template sum<Real>(length, [=](int k) { return v[k * step] * u[k * step]; });
        team.for_each(length, [=](int k) { v[k * step] -= dot * u[k * step]; });
        team.sync();
      }
      const Real norm = math::sqrt(team.template sum<Real>(length, [=](int k) { return v[k * step] * v[k * step]; }));
      team.for_each(length, [=](int k) { v[k * step] /= norm; });
      team.sync();
    }
    const Real gain = Real(d.gain);
    team.for_each(d.rows * d.cols, [=](int i) { w.main[i] *= gain; });
    team.sync();
  }
};

}  // namespace init
COHORT_END

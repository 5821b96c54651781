// How a low-rank matrix gets the norm of the whole one (Liu et al., ICLR 2024).
#pragma once

#include "math/elementary.h"
#include "team/target.h"

COHORT_BEGIN

// sqrt(sum of all s^2 / sum of the first `rank`), of s [k] descending: relative to s[0], out of reach of overflow. 1 for a zero
// matrix. The same in every lane; syncs.
template <class Team, class Real>
COHORT_TEAM_FN Real frobenius_gain(const Team& team, const Real* s, int k, int rank) {
  if (!(s[0] > 0)) return 1;
  const auto share = [&](int begin, int end) {
    return team.template sum<Real>(end - begin, [=](int i) {
      const Real x = s[begin + i] / s[0];
      return x * x;
    });
  };
  const Real kept = share(0, rank), rest = share(rank, k);
  return math::sqrt(1 + rest / kept);
}

COHORT_END

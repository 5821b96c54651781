// What a distribution draws: one weight tensor from its own stream. A distribution is a struct in init/<name>.h with
//   draw(team, d, parts)    fills every part of the tensor; element i comes from element i of the stream d.key; ends synced
// Fan: n_hidden for all tensors, that is fan_out of input and recurrent weights and fan_in of the readout (Cornford et al.
// 2024), unless the distribution says otherwise.
#pragma once

#include "math/random.h"
#include "parameterisation/parts.h"

COHORT_BEGIN
namespace init {

struct Draw {
  rng::Key key;
  int rows, cols, n_inhibitory, fan;
  Role role;
  double gain, mean_over_sd;
  int n_excitatory;  // excitatory presynaptic columns
  bool iid_inhibition;
  bool zero_diagonal;
};

// Uniform numbers and a random sign for element i, apart from those of four_normals.
struct Element {
  rng::Words words;
  COHORT_TEAM_FN Element(const rng::Key& key, int i, uint32_t part = 0) : words(key.words(uint32_t(i), 1 + part)) {}
  template <class Real>
  COHORT_TEAM_FN Real exponential(Real mean) const {
    return -mean * math::log(rng::to_uniform<Real>(words.w[0]));
  }
  template <class Real>
  COHORT_TEAM_FN Real normal() const {
    Real a, b;
    rng::to_normal(words.w[0], words.w[1], &a, &b);
    return a;
  }
  template <class Real>
  COHORT_TEAM_FN Real uniform() const {
    return rng::to_uniform<Real>(words.w[0]);
  }
  template <class Real>
  COHORT_TEAM_FN Real sign() const {
    return words.w[2] >> 31 ? Real(-1) : Real(1);
  }
};

template <class Team, class Real, class F>
COHORT_TEAM_FN void fill(const Team& team, int n, Real* w, F f) {
  for (int i = team.lane(); i < n; i += team.size()) w[i] = f(i);
  team.sync();
}

}  // namespace init
COHORT_END

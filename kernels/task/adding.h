// The adding problem: remember two marked numbers of a sequence and give their sum.
// Hochreiter and Schmidhuber (Long short-term memory, 1997); as in Li, Cornford, Ghosh, Richards, NeurIPS 2023
// (Learning better with Dale's law: a spectral perspective).
#pragma once

#include "task/trial.h"

COHORT_BEGIN

// Channel 0 is u_t ~ U(0, 1), channel 1 a mask that is 1 at two different steps, drawn uniformly. The target of a step
// is the sum of the marked numbers so far, at the last step therefore of both, so that every loss_steps makes sense.
struct adding {
  static constexpr const char* doc = "adding problem: the sum of two marked numbers of a sequence (Li et al. 2023)";
  static constexpr ParamInfo params[] = {
      {"steps", 20, 2, 4096, "steps of a sequence"},
  };
  static constexpr LossId loss = LossId::mse;
  static constexpr LossSteps loss_steps = LossSteps::last;
  static constexpr bool classes = false;
  static constexpr DataKind needs_data = DataKind::none;

  COHORT_FN static int n_in(const double*) { return 2; }
  COHORT_FN static int n_out(const double*) { return 1; }
  COHORT_FN static int n_steps(const double* p) { return int(p[0]); }
  COHORT_FN static double noise_sd(const double*, int, int) { return 0; }
  COHORT_FN static bool decision(const double* p, int t) { return t == int(p[0]) - 1; }

  template <class Real>
  COHORT_TEAM_FN static void trial(const double* p, const Dataset&, int, rng::Sequence& random, Trial<Real>& out) {
    const int steps = int(p[0]);
    const int i = random.below(steps);
    const int k = random.below(steps - 1);
    const int j = k + (k >= i);
    Real sum = Real(0);
    for (int t = 0; t < steps; ++t) {
      const Real u = random.uniform<Real>();
      const Real marked = t == i || t == j ? Real(1) : Real(0);
      out.input(t, 0) = u;
      out.input(t, 1) = marked;
      sum += marked * u;
      out.target(t, 0, sum);
    }
  }
};

COHORT_END

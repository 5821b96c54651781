// 2AF, a two-alternative perceptual decision: two noisy channels, the stronger one is the answer.
// Liu et al., ICLR 2024 (How connectivity structure shapes rich and lazy learning in neural circuits), section "tasks".
#pragma once

#include "task/trial.h"

COHORT_BEGIN

struct perceptual_decision {
  static constexpr const char* doc = "two-alternative perceptual decision (2AF; Liu et al. 2024)";
  static constexpr ParamInfo params[] = {
      {"stimulus_steps", 7, 1, 4096, "steps of fixation and stimulus before the decision step"},
      {"noise", 0.1, 0, 100, "standard deviation of the stimulus channels, per step"},
      {"coherence", 1, 0, 100, "factor on the coherences 0, 6.4, 12.8, 25.6, 51.2"},
      {"irrelevant", 0, 0, 4096, "further input channels of pure noise"},
  };
  static constexpr LossId loss = LossId::cross_entropy;
  static constexpr LossSteps loss_steps = LossSteps::all;
  static constexpr bool classes = true;
  static constexpr DataKind needs_data = DataKind::none;

  COHORT_FN static int n_in(const double* p) { return 3 + int(p[3]); }
  COHORT_FN static int n_out(const double*) { return 3; }
  COHORT_FN static int n_steps(const double* p) { return int(p[0]) + 1; }
  COHORT_FN static double noise_sd(const double* p, int t, int i) { return i > 0 && t < int(p[0]) ? p[1] : 0; }
  COHORT_FN static bool decision(const double* p, int t) { return t == int(p[0]); }

  template <class Real>
  COHORT_TEAM_FN static void trial(const double* p, const Dataset&, int, rng::Sequence& random, Trial<Real>& out) {
    const int choice = random.below(2);
    const int level = random.below(5);
    const Real coherence = Real(p[2]) * (level == 0 ? Real(0) : Real(6.4) * Real(1 << (level - 1)));
    const int stimulus = int(p[0]);
    for (int t = 0; t < stimulus; ++t) {
      out.input(t, 0) = Real(1);
      for (int j = 0; j < 2; ++j) out.input(t, 1 + j) = Real(0.5) + (j == choice ? coherence : -coherence) / Real(200);
      out.label(t, 0);
    }
    out.label(stimulus, choice + 1);
  }
};

COHORT_END

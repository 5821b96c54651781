// DMS, delayed match to sample: was the second stimulus the same as the first?
// Liu et al., ICLR 2024 (How connectivity structure shapes rich and lazy learning in neural circuits), section "tasks".
#pragma once

#include "task/trial.h"

COHORT_BEGIN

// Steps: sample, delay, test, and one decision step whose inputs are zero. Channel 0 is fixation (1 until the decision,
// noiseless); channels 1 and 2 are the two stimuli, one-hot and noisy while the sample or the test is shown.
// Labels: 0 until the decision, then 1 = match, 2 = non-match.
struct delay_match_sample {
  static constexpr const char* doc = "delayed match to sample (DMS; Liu et al. 2024)";
  static constexpr ParamInfo params[] = {
      {"delay_steps", 5, 0, 4096, "steps between the sample and the test"},
      {"noise", 0.1, 0, 100, "standard deviation of the stimulus channels while a stimulus is shown, per step"},
      {"sample_steps", 1, 1, 4096, "steps of the sample"},
      {"test_steps", 1, 1, 4096, "steps of the test"},
  };
  static constexpr LossId loss = LossId::cross_entropy;
  static constexpr LossSteps loss_steps = LossSteps::all;
  static constexpr bool classes = true;
  static constexpr DataKind needs_data = DataKind::none;

  COHORT_FN static int test_start(const double* p) { return int(p[2]) + int(p[0]); }
  COHORT_FN static int decision_step(const double* p) { return test_start(p) + int(p[3]); }
  // A stimulus is shown at step t.
  COHORT_FN static bool shown(const double* p, int t) {
    return t < int(p[2]) || (t >= test_start(p) && t < decision_step(p));
  }

  COHORT_FN static int n_in(const double*) { return 3; }
  COHORT_FN static int n_out(const double*) { return 3; }
  COHORT_FN static int n_steps(const double* p) { return decision_step(p) + 1; }
  COHORT_FN static double noise_sd(const double* p, int t, int i) { return i > 0 && shown(p, t) ? p[1] : 0; }
  COHORT_FN static bool decision(const double* p, int t) { return t == decision_step(p); }

  template <class Real>
  COHORT_TEAM_FN static void trial(const double* p, const Dataset&, int, rng::Sequence& random, Trial<Real>& out) {
    const int differs = random.below(2);  // 0 = match
    const int sample = random.below(2);
    const int test = sample ^ differs;
    const int sample_end = int(p[2]), decide = decision_step(p);
    for (int t = 0; t < decide; ++t) {
      out.input(t, 0) = Real(1);
      if (shown(p, t)) out.input(t, 1 + (t < sample_end ? sample : test)) = Real(1);
      out.label(t, 0);
    }
    out.label(decide, 1 + differs);
  }
};

COHORT_END

// CXT, a context-dependent decision: two noisy modalities at once, of which a context cue says which one to answer.
// Liu et al., ICLR 2024 (How connectivity structure shapes rich and lazy learning in neural circuits), section "tasks".
#pragma once

#include "task/trial.h"

COHORT_BEGIN

// Channels: 0 fixation, 1-2 modality 1, 3-4 modality 2, 5-6 context (one-hot, on at every step). Steps: stimulus, with
// noise on all seven channels; delay; one decision step, at which only the context is on. A modality that stands for
// side s in {0, 1} with coherence c shows (1 + c/100)/2 on channel s and (1 - c/100)/2 on the other one.
// Labels: 0 until the decision, then 1 + the side of the modality that the context names.
struct context_decision {
  static constexpr const char* doc = "context-dependent decision between two modalities (CXT; Liu et al. 2024)";
  static constexpr ParamInfo params[] = {
      {"stimulus_steps", 2, 1, 4096, "steps of the stimulus"},
      {"delay_steps", 5, 0, 4096, "steps between the stimulus and the decision step"},
      {"noise", 0.1, 0, 100, "standard deviation of every channel while the stimulus is shown, per step"},
      {"coherence", 1, 0, 100, "factor on the coherences 5, 15, 50 (percent)"},
  };
  static constexpr LossId loss = LossId::cross_entropy;
  static constexpr LossSteps loss_steps = LossSteps::all;
  static constexpr bool classes = true;
  static constexpr DataKind needs_data = DataKind::none;

  COHORT_FN static int decision_step(const double* p) { return int(p[0]) + int(p[1]); }

  COHORT_FN static int n_in(const double*) { return 7; }
  COHORT_FN static int n_out(const double*) { return 3; }
  COHORT_FN static int n_steps(const double* p) { return decision_step(p) + 1; }
  COHORT_FN static double noise_sd(const double* p, int t, int) { return t < int(p[0]) ? p[2] : 0; }
  COHORT_FN static bool decision(const double* p, int t) { return t == decision_step(p); }

  template <class Real>
  COHORT_TEAM_FN static void trial(const double* p, const Dataset&, int, rng::Sequence& random, Trial<Real>& out) {
    const int choice = random.below(2);   // side of the relevant modality
    const int other = random.below(2);    // side of the irrelevant one
    const int context = random.below(2);  // which modality is relevant
    const int level[2] = {random.below(3), random.below(3)};
    const int stimulus = int(p[0]), decide = decision_step(p);
    for (int m = 0; m < 2; ++m) {
      const int side = m == context ? choice : other;
      const Real coherence = Real(p[3]) * (level[m] == 0 ? Real(5) : level[m] == 1 ? Real(15) : Real(50)) / Real(200);
      for (int t = 0; t < stimulus; ++t) {
        out.input(t, 1 + 2 * m + side) = Real(0.5) + coherence;
        out.input(t, 2 + 2 * m - side) = Real(0.5) - coherence;
      }
    }
    for (int t = 0; t < decide; ++t) {
      out.input(t, 0) = Real(1);
      out.input(t, 5 + context) = Real(1);
      out.label(t, 0);
    }
    out.input(decide, 5 + context) = Real(1);
    out.label(decide, 1 + choice);
  }
};

COHORT_END

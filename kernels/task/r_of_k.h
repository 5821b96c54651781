// The r-of-k point neuron: are at least r of k binary inputs on, among many that do not matter?
// Cornford et al. 2024 (Brain-like learning with exponentiated gradients), sparse relevance.
#pragma once

#include "task/trial.h"

COHORT_BEGIN

// Inputs are 0 or 1 with equal probability; the target is 1 where at least `threshold` of the first `relevant` are on. In
// training, and there only, 1 is added to that count with probability label_noise and subtracted with the same. The logit is
// w x - threshold.
struct r_of_k {
  static constexpr const char* doc = "r of k: are at least r of the first k binary inputs on? (Cornford et al. 2024)";
  static constexpr ParamInfo params[] = {
      {"inputs", 200, 1, 1e6, "binary inputs"},
      {"relevant", 100, 1, 1e6, "k: inputs that count", true, 0},
      {"threshold", 50, 0, 1e6, "r: so many of them make the answer 1; subtracted from the logit", true},
      {"label_noise", 0.05, 0, 0.5, "probability that training counts one too many, and that it counts one too few"},
  };
  static constexpr LossId loss = LossId::bce;
  static constexpr LossSteps loss_steps = LossSteps::all;
  static constexpr bool classes = false;
  static constexpr DataKind needs_data = DataKind::none;
  static constexpr bool fills_inputs = true;

  COHORT_FN static int n_in(const double* p) { return int(p[0]); }
  COHORT_FN static int n_out(const double*) { return 1; }
  COHORT_FN static int n_steps(const double*) { return 1; }
  COHORT_FN static double noise_sd(const double*, int, int) { return 0; }
  COHORT_FN static bool decision(const double*, int) { return true; }
  COHORT_FN static double logit_offset(const double* p) { return -p[2]; }

  template <class Real>
  COHORT_TEAM_FN static void trial(const double* p, const Dataset&, int, rng::Sequence& random, Trial<Real>& out) {
    const int n = n_in(p), k = int(p[1]);
    Real* const x = &out.input(0, 0);
    int on = 0;
    for (int first = 0; first < n; first += 32) {
      const uint32_t word = random.word();
      Real* const to = x + first;
      if (n - first >= 32) {
        COHORT_SIMD
        for (int i = 0; i < 32; ++i) to[i] = Real(int32_t(word >> i & 1u));
      } else {
        for (int i = 0; i < n - first; ++i) to[i] = Real(int32_t(word >> i & 1u));
      }
      const int counted = k - first < 32 ? k - first : 32;
      for (int i = 0; i < counted; ++i) on += int(word >> i & 1u);
    }
    if (out.training()) {
      const double u = random.uniform<double>();
      on += (u < p[3]) - (u >= 1 - p[3]);
    }
    out.target(0, 0, on >= int(p[2]) ? Real(1) : Real(0));
  }
};

COHORT_END

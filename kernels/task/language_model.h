// Word-level language modelling: at every step the next word, from the embeddings of the words so far.
// Li, Cornford, Ghosh, Richards, NeurIPS 2023 (Learning better with Dale's law: a spectral perspective): windows of 50 words
// of Penn Treebank, embeddings of 300 numbers.
#pragma once

#include "task/trial.h"

COHORT_BEGIN

// Trial i is window i of the data set: tokens [i steps, (i + 1) steps) as their embedding vectors, each labelled with the
// token after it. Every step is a decision.
struct language_model {
  static constexpr const char* doc = "language modelling: the next word, at every step of a window (Li et al. 2023)";
  static constexpr ParamInfo params[] = {
      {"vocabulary", 10000, 1, 1e6, "words, the rows of embeddings.txt; as many outputs"},
      {"dimension", 300, 1, 16384, "numbers of an embedding; as many inputs"},
      {"steps", 50, 1, 4096, "words of a window"},
  };
  static constexpr LossId loss = LossId::cross_entropy;
  static constexpr LossSteps loss_steps = LossSteps::all;
  static constexpr bool classes = true;
  static constexpr DataKind needs_data = DataKind::tokens;

  COHORT_FN static int n_in(const double* p) { return int(p[1]); }
  COHORT_FN static int n_out(const double* p) { return int(p[0]); }
  COHORT_FN static int n_steps(const double* p) { return int(p[2]); }
  COHORT_FN static double noise_sd(const double*, int, int) { return 0; }
  COHORT_FN static bool decision(const double*, int) { return true; }

  template <class Real>
  COHORT_TEAM_FN static void trial(const double* p, const Dataset& data, int sample, rng::Sequence&, Trial<Real>& out) {
    const int dimension = int(p[1]), steps = int(p[2]);
    const int32_t* const token = data.tokens + ptrdiff_t(sample) * steps;
    for (int t = 0; t < steps; ++t) {
      const float* const from = data.embeddings + ptrdiff_t(token[t]) * dimension;
      Real* const to = &out.input(t, 0);
      COHORT_SIMD
      for (int i = 0; i < dimension; ++i) to[i] = Real(from[i]);
      out.label(t, token[t + 1]);
    }
  }
};

COHORT_END

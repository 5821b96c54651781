// What the image tasks share: one labelled 28 x 28 image of ten classes, its pixels shown in order over n_steps steps.
// No task of its own.
#pragma once

#include "task/trial.h"

COHORT_BEGIN

// The image has the same label at every step. 784 % steps must be 0; the data set must be one of 28 x 28 images.
template <int steps>
struct ImageTask {
  static constexpr ParamInfo params[] = {
      {"mean", 0, -1e3, 1e3, "subtracted from pixel/255 (MNIST's own mean is 0.1307)"},
      {"sd", 1, 1e-3, 1e3, "divides pixel/255 - mean (MNIST's own standard deviation is 0.3081)"},
  };
  static constexpr LossId loss = LossId::cross_entropy;
  static constexpr LossSteps loss_steps = LossSteps::last;
  static constexpr bool classes = true;
  static constexpr DataKind needs_data = DataKind::images;
  static constexpr int n_pixels = 28 * 28;
  static_assert(n_pixels % steps == 0);

  COHORT_FN static int n_in(const double*) { return n_pixels / steps; }
  COHORT_FN static int n_out(const double*) { return 10; }
  COHORT_FN static int n_steps(const double*) { return steps; }
  COHORT_FN static double noise_sd(const double*, int, int) { return 0; }
  COHORT_FN static bool decision(const double*, int t) { return t == steps - 1; }

  template <class Real>
  COHORT_TEAM_FN static void trial(const double* p, const Dataset& data, int sample, rng::Sequence&, Trial<Real>& out) {
    constexpr int width = n_pixels / steps;
    const Real scale = Real(1 / (255 * p[1])), offset = Real(-p[0] / p[1]);
    const uint8_t* pixels = data.pixels + ptrdiff_t(sample) * n_pixels;
    const int32_t label = data.labels[sample];
    for (int t = 0; t < steps; ++t) {
      const uint8_t* const from = pixels + t * width;
      Real* const to = &out.input(t, 0);
      COHORT_SIMD
      for (int i = 0; i < width; ++i) to[i] = Real(int32_t(from[i])) * scale + offset;
      out.label(t, label);
    }
  }
};

COHORT_END

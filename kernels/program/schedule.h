// The learning rate of a step: base x warm-up x cool-down x schedule.
#pragma once

#include "math/elementary.h"

COHORT_BEGIN

struct constant {
  static constexpr const char* doc = "1";
  COHORT_TEAM_FN static double factor(const RuleSpec&, int64_t, int64_t) { return 1; }
};
struct cosine {
  static constexpr const char* doc = "(1 + cos(pi step / steps)) / 2";
  COHORT_TEAM_FN static double factor(const RuleSpec&, int64_t step, int64_t steps) {
    double s, c;
    math::sincospi(double(step) / double(steps), &s, &c);
    return 0.5 * (1 + c);
  }
};
struct step_decay {
  static constexpr const char* doc = "decay_factor every decay_every steps";
  COHORT_TEAM_FN static double factor(const RuleSpec& r, int64_t step, int64_t) {
    return r.decay_every > 0 ? math::pow_abs(r.decay_factor, double(step / r.decay_every)) : 1;
  }
};

// Step counts from 0. Warm-up: step / warmup, so the first update has rate 0. Cool-down: (steps - step) / cooldown over
// the last `cooldown` steps.
COHORT_TEAM_FN double learning_rate(const RuleSpec& r, int64_t step, int64_t steps) {
  double factor = 1;
  switch (r.schedule) {
#define COHORT_CASE(word)                  \
  case ScheduleId::word:                   \
    factor = word::factor(r, step, steps); \
    break;
    COHORT_FOR_EACH_SCHEDULE(COHORT_CASE)
#undef COHORT_CASE
  }
  if (step < r.warmup) factor *= double(step) / double(r.warmup);
  if (steps - step < r.cooldown) factor *= double(steps - step) / double(r.cooldown);
  return r.lr * factor;
}

// That of candidate i of a search (RateSearch): 0 is the rate itself, the last one goes down to lr_min.
COHORT_TEAM_FN double candidate_rate(const RuleSpec& r, int i, int candidates, int64_t step, int64_t steps) {
  const double rate = learning_rate(r, step, steps);
  if (i == 0 || candidates < 2 || !(r.lr > 0)) return rate;
  return rate * (1 + (r.lr_min / r.lr - 1) * double(i) / double(candidates - 1));
}

COHORT_END

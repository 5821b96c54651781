// What a task writes: one trial of n_steps steps. The program has zeroed the inputs and set every weight to 1 before
// the task sees it, and adds noise_sd(param, t, i) * N(0,1) to every input afterwards.
//
// A task is a struct in task/<name>.h with
//   static constexpr const char* doc;  static constexpr ParamInfo params[];
//   static constexpr LossId loss; static constexpr LossSteps loss_steps;
//   static constexpr bool classes; static constexpr DataKind needs_data;
//   COHORT_FN static int n_in(const double* p), n_out(const double* p), n_steps(const double* p);
//   COHORT_FN static double noise_sd(const double* p, int t, int i);       // of input i at step t
//   COHORT_FN static bool decision(const double* p, int t);                // steps that count for the accuracy
//   template <class Real> COHORT_TEAM_FN static void trial(const double* p, const Dataset& data, int sample,
//                                                          rng::Sequence& random, Trial<Real>& out);
// `p` holds the parameters in the order of `params`; `sample` is an image or window of `data` (tasks that need data only).
// It may have
//   static constexpr bool fills_inputs = true;                             // trial writes every input
//   COHORT_FN static double logit_offset(const double* p);                 // added to every logit
// and, where drawing inputs takes a whole team and memory, in scratch [n_task_scratch(n_in)],
//   template <class Team, class Real> COHORT_TEAM_FN static void prepare(const Team&, const double* p, Real* scratch);
//   template <class Team, class Real> COHORT_TEAM_FN static void add_inputs(const Team&, const double* p, const rng::Key& key,
//                                                                           uint32_t base, Real* scratch, Real* inputs);
//   COHORT_FN static uint32_t n_blocks(const double* p);
// prepare once per batch, then add_inputs for every trial (of one step) from blocks [base, base + n_blocks(p)) of a stream; both end
// synced.
#pragma once

#include "math/random.h"

COHORT_BEGIN

COHORT_FN size_t n_task_scratch(int n_in) { return 12 * size_t(n_in) + 12; }

template <class Real>
class Trial {
 public:
  COHORT_FN Trial(Real* x, ptrdiff_t x_step, int n_in, int32_t* label, Real* target, uint8_t* weight, ptrdiff_t step,
                  ptrdiff_t output_step, bool training = true)
      : x_(x),
        label_(label),
        target_(target),
        weight_(weight),
        x_step_(x_step),
        step_(step),
        output_step_(output_step),
        n_in_(n_in),
        training_(training) {}
  COHORT_FN int n_in() const { return n_in_; }
  COHORT_FN bool training() const { return training_; }  // else of an evaluation
  COHORT_FN Real& input(int t, int i) { return x_[t * x_step_ + i]; }
  COHORT_FN void label(int t, int value) { label_[t * step_] = value; }  // class at step t (tasks with classes)
  COHORT_FN void target(int t, int o, Real value) { target_[o * output_step_ + t * step_] = value; }  // real targets
  COHORT_FN void weight(int t, bool counts) {
    weight_[t * step_] = counts;
  }  // the task's own mask, loss_steps = masked

 private:
  Real* x_;
  int32_t* label_;
  Real* target_;
  uint8_t* weight_;
  ptrdiff_t x_step_, step_, output_step_;
  int n_in_;
  bool training_;
};

COHORT_END

// Sums over the tangent kernels K = J J^T of the logits y[t, b, k] with respect to one weight tensor, now and at the start, in
// the form that cohort/tangent.h chooses. Rows: all k, all trials, the steps that enter the loss.
#pragma once

#include "alignment/tangent_columns.h"
#include "alignment/tangent_factored.h"

COHORT_BEGIN

// For any network that the arguments allow.
template <class Team, class Real>
COHORT_FN size_t tangent_bytes(const TangentArgs<Real>& a) {
  const Signature& g = a.cohort.signature;
  const Tensor t = tensor(g, a.tensor);
  size_t most = 0;
  for (int k = a.loss_steps == LossSteps::last ? 1 : 0; k < 2; ++k) {
    const LossSteps loss_steps = k == 0 ? LossSteps::all : LossSteps::last;
    const TangentRows rows(g, loss_steps, t);
    Arena arena(nullptr);
    if (tangent_form(a.form, g, a.tensor, a.trials, loss_steps, sizeof(Real)) == TangentForm::factored)
      FactoredTangent<Real>::template carve<Team>(arena, g, a.trials, t, rows);
    else
      ColumnsTangent<Real>::template carve<Team>(arena, g, a.trials, t, rows);
    if (arena.used() > most) most = arena.used();
  }
  return most;
}

template <class Team, class Real>
COHORT_TEAM_FN void tangent_network(const Team& team, const TangentArgs<Real>& a, int i, void* memory) {
  const Signature& g = a.cohort.signature;
  const Network<Real> net(a.cohort, i);
  const NetSpec& spec = net.spec;
  const LossSteps loss_steps = spec.task.loss_steps;
  if (a.loss_steps == LossSteps::last && loss_steps != LossSteps::last) {
    TangentSums& to = a.sums[i];
    if (team.lane() == 0)
      to.now_start = to.now_now = to.start_start = to.target_now = to.target_start = to.target_target =
          __builtin_nan("");
    return;
  }
  const Tensor t = tensor(g, a.tensor);
  const TangentRows rows(g, loss_steps, t);
  Real* const start = const_cast<Real*>(a.theta_start) + size_t(i) * n_params(g);
  const bool factored = tangent_form(a.form, g, a.tensor, a.trials, loss_steps, sizeof(Real)) == TangentForm::factored;
  const TangentSums sums =
      factored ? factored_sums(team, g, spec, a.cohort.data, t, rows, a.trials, net.theta, start, memory)
               : columns_sums(team, g, spec, a.cohort.data, t, rows, a.trials, net.theta, start, memory);
  if (team.lane() == 0) {  // J of W is alpha times J of the core's R or S
    const double leak = leak_of(spec, t), square = leak * leak, fourth = square * square;
    a.sums[i] = {fourth * sums.now_start,  fourth * sums.now_now,      fourth * sums.start_start,
                 square * sums.target_now, square * sums.target_start, sums.target_target};
  }
  team.sync();
}

COHORT_END

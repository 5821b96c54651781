// A training step with the operands of the core's products rounded as programs on tensor cores round them (core/precision.h):
// weights R, S, c and V, inputs, states, errors and deltas, each once, when it is stored. Sums, activations, losses, the
// readout's bias and the update are those of the exact step.
#pragma once

#include "core/precision.h"
#include "program/step.h"
#include "team/rounding.h"

COHORT_BEGIN

// f(array, n) for every array of weights that is an operand, copies included.
template <class Team, class Real, class F>
void for_each_operand(const Signature& g, const RecurrentWeights<Real>& w, F f) {
  const int n = g.n_hidden, ld = Team::template pad<Real>(n), ld_out = Team::template pad<Real>(g.n_out);
  for (int l = 0; l < g.n_layers; ++l) {
    const auto& layer = w.layer[l];
    if (!is_dense_layer(g, l)) {
      f(layer.r, n * ld);
      f(layer.r_t, n * ld);
    }
    f(layer.s_t, (l == 0 ? g.n_in : n) * ld);
    if (l > 0) f(layer.s, n * ld);
    f(layer.c, ld);
  }
  f(w.v, g.n_out * ld);
  f(w.v_t, n * ld_out);
}

template <class Real>
Real largest_of(const Real* x, int n) {
  Real largest = Real(0);
  for (int i = 0; i < n; ++i) largest = math::max(math::abs(x[i]), largest);
  return largest;
}

// loss_and_gradient with rounded operands; the inputs come from `inputs`. Ends early, with NaN, once an operand has overflowed.
template <class Real>
Real rounded_loss_and_gradient(const RoundingTeam& team, const Signature& g, const Network<Real>& net, bool classes,
                               int rows, const Workspace<Real>& w, bool noisy, uint64_t step, const Real* inputs) {
  const auto overflowed = [&] { return team.overflowed && *team.overflowed; };
  assemble(team, g, net.spec, net.theta, w.weights);
  Real largest = Real(0);
  for_each_operand<RoundingTeam>(g, w.weights,
                                 [&](const Real* x, int n) { largest = math::max(largest, largest_of(x, n)); });
  const bool narrow = team.operands != Operands::two_bfloat16s;
  if (narrow && !(largest <= math::largest_half)) *team.overflowed = true;
  const RoundingTeam of_weights = team.scaled(narrow ? scale_to(float(largest), weight_exponent) : 1.0f);
  for_each_operand<RoundingTeam>(g, w.weights, [&](Real* x, int n) { of_weights.round_operands(x, n); });

  const int n_positions = g.n_steps * rows;
  for (int i = 0; i < n_positions * g.n_in; ++i) w.batch.x[i] = inputs[i];
  team.round_operands(w.batch.x, n_positions * g.n_in);
  clear_gradients(team, w);
  prepare_states(team, g, net.spec, rows, w.h, noisy, step);
  const Real loss = forward_loss(team, g, net.spec, classes, rows, w, noisy);
  if (overflowed()) return Real(__builtin_nanf(""));

  const int n_errors = n_positions * g.n_out;
  const RoundingTeam of_errors =
      team.scaled(narrow ? scale_to(float(largest_of(w.batch.y, n_errors)), error_exponent) : 1.0f);
  of_errors.round_operands(w.batch.y, n_errors);
  recurrent_learn(of_errors, g, w.weights, net.spec.activation, extent_of(g, net.spec, rows), w.batch.x, w.h, w.batch.y,
                  w.delta, w.dweights);
  pull_back(team, g, net.spec, net.theta, w.dweights, w.gradient);
  return loss;
}

// What train_part calls: in halves until a number leaves their range; that step again, and all after it, in bf16x3.
template <class Real>
Real loss_and_gradient(const RoundingTeam& team, const Signature& g, const Network<Real>& net, bool classes, int rows,
                       const Workspace<Real>& w, bool noisy, uint64_t step) {
  Real* const inputs = static_cast<Real*>(team.inputs);
  const int n = g.n_steps * rows * g.n_in;
  for (int i = 0; i < n; ++i) inputs[i] = w.batch.x[i];
  const auto attempt = [&](Operands operands, bool* overflowed) {
    RoundingTeam rounding = team;
    rounding.operands = operands;
    rounding.overflowed = overflowed;
    return rounded_loss_and_gradient(rounding, g, net, classes, rows, w, noisy, step, inputs);
  };
  if (net.state.overflowed_at < 0) {
    bool overflowed = false;
    const Real loss = attempt(g.precision == Precision::fp16 ? Operands::half : Operands::two_halves, &overflowed);
    if (!overflowed) return loss;
    net.state.overflowed_at = int64_t(step);
  }
  return attempt(Operands::two_bfloat16s, nullptr);
}

COHORT_END

// One training step of one network on the batch in its workspace: assemble, forward, loss, backward, pull back.
#pragma once

#include "core/loss.h"
#include "program/update.h"
#include "program/workspace.h"

COHORT_BEGIN

// Slot 0 of every layer's states is h_{-1} = 0; with noise the other slots of recurrent layers hold what the core adds before
// the activation.
template <class Team, class Real>
COHORT_PHASE_FN void prepare_states(const Team& team, const Signature& g, const NetSpec& spec, int rows, Real* h,
                                    bool noisy, uint64_t step) {
  const int n = g.n_hidden, ld = Team::template pad<Real>(n), slot = rows * ld;
  for (int l = 0; l < g.n_layers; ++l) {
    Real* const hl = h + ptrdiff_t(l) * slot * (g.n_steps + 1);
    team.for_each(slot, [=](int i) { hl[i] = Real(0); });
    if (!noisy || is_dense_layer(g, l)) continue;
    const rng::Key key(spec.seed, 0, rng::stream_recurrent_noise, uint32_t(l), step);
    const int blocks = (n + 3) / 4;
    const Real sd = Real(spec.noise);
    team.for_each_2d(g.n_steps * rows, blocks, [=](int r, int q) {
      Real z[4];
      rng::four_normals(key, uint32_t(r * blocks + q), &z[0], &z[1], &z[2], &z[3]);
      for (int i = 0; i < 4 && 4 * q + i < ld; ++i) hl[slot + r * ld + 4 * q + i] = sd * z[i];
    });
    team.for_each_2d(g.n_steps * rows, ld - 4 * blocks > 0 ? ld - 4 * blocks : 0,
                     [=](int r, int i) { hl[slot + r * ld + 4 * blocks + i] = Real(0); });
  }
  team.sync();
}

// What the programs ask of a core, by its workspace; here the recurrent one (the other: program/feedforward.h).
//
// load_weights: theta -> the core's weights. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void load_weights(const Team& team, const Signature& g, const NetSpec& spec, Real* theta,
                                 const Workspace<Real>& w) {
  assemble(team, g, spec, theta, w.weights);
}
// States and logits of the batch for steps >= first.
template <class Team, class Real>
COHORT_TEAM_FN void forward(const Team& team, const Signature& g, const NetSpec& spec, int rows, int first,
                            const Workspace<Real>& w) {
  prepare_states(team, g, spec, rows, w.h, false, 0);
  recurrent_forward(team, g, w.weights, spec.activation, Extent{rows, g.n_steps, first}, w.batch.x, w.h, false,
                    w.batch.y);
}
// The first step that evaluations and probes ask forward for. All logits: a decision may lie before the last step.
template <class Real>
COHORT_TEAM_FN int first_step(const Signature&, const NetSpec&, const Workspace<Real>&) {
  return 0;
}
// Activity of layer l at a step of the batch, after forward from first_step: [rows][ld], ld as returned.
template <class Team, class Real>
COHORT_TEAM_FN const Real* states_at(const Signature& g, const NetSpec&, const Workspace<Real>& w, int l, int step,
                                     int rows, int* ld) {
  *ld = Team::template pad<Real>(g.n_hidden);
  return w.h + (ptrdiff_t(l) * (g.n_steps + 1) + step + 1) * rows * *ld;
}

COHORT_TEAM_FN Extent extent_of(const Signature& g, const NetSpec& spec, int rows) {
  return {rows, g.n_steps, spec.task.loss_steps == LossSteps::last ? g.n_steps - 1 : 0};
}

// Loss of the batch from its logits, which the errors replace.
template <class Team, class Real>
COHORT_TEAM_FN Real batch_loss(const Team& team, const Signature& g, const NetSpec& spec, bool classes, int rows,
                               const Batch<Real>& b) {
  const Extent extent = extent_of(g, spec, rows);
  const int n = extent.steps * rows, unread = extent.first * rows;
  for (int o = 0; o < g.n_out; ++o) team.for_each(unread, [=](int i) { b.y[ptrdiff_t(o) * n + i] = Real(0); });
  team.sync();
  const Targets<Real> targets{classes ? b.label : nullptr, b.target, b.weight};
  return apply_loss(team, spec.task.loss, b.y, g.n_out, n, targets, Real(spec.task.label_smoothing), b.row_loss);
}

// Forward pass and loss of the batch; errors replace the logits. Weights must be assembled, states prepared.
template <class Team, class Real>
COHORT_TEAM_FN Real forward_loss(const Team& team, const Signature& g, const NetSpec& spec, bool classes, int rows,
                                 const Workspace<Real>& w, bool noisy) {
  recurrent_forward(team, g, w.weights, spec.activation, extent_of(g, spec, rows), w.batch.x, w.h, noisy, w.batch.y);
  return batch_loss(team, g, spec, classes, rows, w.batch);
}

// Loss of the batch and its gradient in w.gradient (layout of theta).
template <class Team, class Real>
COHORT_TEAM_FN Real loss_and_gradient(const Team& team, const Signature& g, const Network<Real>& net, bool classes,
                                      int rows, const Workspace<Real>& w, bool noisy, uint64_t step) {
  assemble(team, g, net.spec, net.theta, w.weights);
  clear_gradients(team, w);
  prepare_states(team, g, net.spec, rows, w.h, noisy, step);
  const Real loss = forward_loss(team, g, net.spec, classes, rows, w, noisy);
  recurrent_learn(team, g, w.weights, net.spec.activation, extent_of(g, net.spec, rows), w.batch.x, w.h, w.batch.y,
                  w.delta, w.dweights);
  pull_back(team, g, net.spec, net.theta, w.dweights, w.gradient);
  return loss;
}

COHORT_END

// Gradient descent preconditioned by a running diagonal of the Fisher information: the baseline of Cornford et al. (ICLR 2021),
// with targets sampled from the network's own softmax, not taken from the data.
//
// What a core of networks with NetSpec::natural does in a step, instead of loss_and_gradient and update:
//   1. forward pass; sample_labels(team, g, spec, step, rows, y, sampled) on the logits, before errors replace them
//   2. loss, backward pass with the labels of the batch          -> gradient
//   3. the same logits' loss, backward pass with sampled labels  -> sampled_gradient
//   4. natural_update(team, g, net, step, gradient, sampled_gradient)
// Both gradients are exact means over the positions that count (LossSteps all or last), in the layout of theta.
#pragma once

#include "math/random.h"
#include "program/update.h"

COHORT_BEGIN

// label[i] ~ softmax(y[., i]) for positions i of y [n_out][n_steps x rows], from the network's own stream. Ends synced.
template <class Team, class Real>
COHORT_PHASE_FN void sample_labels(const Team& team, const Signature& g, const NetSpec& spec, uint64_t step, int rows,
                                   const Real* y, int32_t* label) {
  const rng::Key key(spec.seed, 0, rng::stream_sampled_label, 0, step);
  const int n = g.n_steps * rows, n_out = g.n_out;
  team.for_each(n, [=](int i) {
    const auto logit = [=](int o) { return y[size_t(o) * size_t(n) + size_t(i)]; };
    Real top = logit(0), total = Real(0);
    for (int o = 1; o < n_out; ++o) top = math::max(top, logit(o));
    for (int o = 0; o < n_out; ++o) total += math::exp(logit(o) - top);
    Real left = rng::to_uniform<Real>(key.words(uint32_t(i)).w[0]) * total;
    int sampled = 0;
    for (; sampled + 1 < n_out; ++sampled) {
      left -= math::exp(logit(sampled) - top);
      if (left < Real(0)) break;
    }
    label[i] = sampled;
  });
  team.sync();
}

// How many positions of a training batch enter the loss.
COHORT_TEAM_FN int counted_positions(const Signature& g, const NetSpec& spec) {
  return spec.task.loss_steps == LossSteps::last ? g.batch : g.batch * g.n_steps;
}

// One step. F, in the momentum array, is lambda (B s)^2 after the first step and (1 - c) F + c lambda (B s)^2 after others,
// with s the sampled gradient, B the positions that count. A parameter of layer l moves by the learning rate times its
// gradient, clipped, times P / ||P of W_ex of layer l|| with P = 1 / (F + 1e-8), and is projected; masked ones stay.
// Returns false, and moves nothing, where a gradient is not finite. Syncs.
template <class Team, class Real>
COHORT_PHASE_FN bool natural_update(const Team& team, const Signature& g, const Network<Real>& net, int64_t step,
                                    const Real* gradient, const Real* sampled_gradient) {
  const NetSpec& spec = net.spec;
  const Real total = squared_norm(team, g, gradient), sampled = squared_norm(team, g, sampled_gradient);
  if (!(total - total == Real(0) && sampled - sampled == Real(0))) return false;
  const Real positions = Real(counted_positions(g, spec)), lambda = Real(spec.natural.scale);
  const Real take = step == 0 ? Real(1) : Real(spec.natural.decay);
  Real* const fisher = net.momentum;
  team.for_each(int(n_params(g)), [=](int i) {
    const Real s = positions * sampled_gradient[i], estimate = lambda * s * s;
    fisher[i] = take == Real(1) ? estimate : (Real(1) - take) * fisher[i] + take * estimate;  // at first F is not read
  });
  team.sync();
  const auto preconditioner = [=](size_t i) { return Real(1) / (fisher[i] + Real(1e-8)); };
  Real layer_norm = Real(1);
  for_each_clipped(team, g, spec, gradient, total, [&](const Tensor& t, Real scale) {
    if (is_weights(t.role))
      layer_norm = math::sqrt(team.template sum<Real>(t.rows * t.cols, [=](int i) {
        const Real p = preconditioner(t.offset + size_t(i));
        return p * p;
      }));
    const RuleSpec& rule = spec.rule[int(t.role)];
    const Real rate = Real(learning_rate(rule, step, spec.steps)) * scale / layer_norm;
    Real* const w = net.theta;
    const uint8_t* const mask = net.mask;
    with_projection(rule.projection, [&](auto projection) {
      team.for_each(int(t.size()), [=](int j) {
        const size_t i = t.offset + size_t(j);
        const Real moved = projection.apply(w[i], w[i] - rate * preconditioner(i) * gradient[i]);
        w[i] = mask && !mask[i] ? w[i] : moved;
      });
    });
  });
  team.sync();
  return true;
}

COHORT_END

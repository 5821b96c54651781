// Gradient descent preconditioned by a running diagonal of the Fisher information: the baseline of Cornford et al. (ICLR 2021),
// with targets sampled from the network's own softmax, not taken from the data.
//
// A step of a network with NetSpec::natural (program/feedforward.h, learn):
//   1. forward pass; sample_labels on the logits, before errors replace them
//   2. loss and backward pass with the sampled labels    -> a gradient for estimate_fisher
//   3. loss and backward pass with the batch's labels    -> the gradient for natural_update
// Gradients are exact means over the positions that count (LossSteps all or last), in the layout of theta.
#pragma once

#include "math/random.h"
#include "program/update.h"

COHORT_BEGIN

// label[i] ~ softmax(y[., i]) for the positions i that count of y [n_out][n_steps x rows], from the network's own stream; 0 for
// others. Ends synced.
template <class Team, class Real>
COHORT_PHASE_FN void sample_labels(const Team& team, const Signature& g, const NetSpec& spec, uint64_t step, int rows,
                                   const Real* y, int32_t* label) {
  const rng::Key key(spec.seed, 0, rng::stream_sampled_label, 0, step);
  const int n = g.n_steps * rows, n_out = g.n_out;
  const int first = spec.task.loss_steps == LossSteps::last ? n - rows : 0;
  team.for_each(first, [=](int i) { label[i] = 0; });
  team.for_each(n - first, [=](int j) {
    const int i = first + j;
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

// F, in the momentum array: lambda (B s)^2 after the first step, (1 - c) F + c lambda (B s)^2 after others, with s the gradient of
// sampled labels and B the positions that count. Returns false, and changes nothing, where s is not finite. Ends synced.
template <class Team, class Real>
COHORT_PHASE_FN bool estimate_fisher(const Team& team, const Signature& g, const Network<Real>& net, int64_t step,
                                     const Real* sampled_gradient) {
  const NetSpec& spec = net.spec;
  const Real size = squared_norm(team, g, sampled_gradient);
  if (!(size - size == Real(0))) return false;
  const Real positions = Real(counted_positions(g, spec)), lambda = Real(spec.natural.scale),
             take = Real(spec.natural.decay);
  const bool first = step == 0;  // then F holds nothing yet
  Real* const fisher = net.momentum;
  team.for_each(int(n_params(g)), [=](int i) {
    const Real s = positions * sampled_gradient[i], estimate = lambda * s * s;
    fisher[i] = first ? estimate : (Real(1) - take) * fisher[i] + take * estimate;
  });
  team.sync();
  return true;
}

// A parameter of layer l moves by the learning rate times its gradient, clipped, times P / ||P of W_ex of layer l|| with
// P = 1 / (F + 1e-8), and is projected; masked ones stay. Returns false, and moves nothing, where the gradient is not finite.
// Syncs.
template <class Team, class Real>
COHORT_PHASE_FN bool natural_update(const Team& team, const Signature& g, const Network<Real>& net, int64_t step,
                                    const Real* gradient) {
  const NetSpec& spec = net.spec;
  const Real total = squared_norm(team, g, gradient);
  if (!(total - total == Real(0))) return false;
  const Real* const fisher = net.momentum;
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

// What the programs ask of the feedforward core: workspace, weights, forward pass, loss and gradient.
#pragma once

#include "core/feedforward.h"
#include "program/natural.h"
#include "program/step.h"

COHORT_BEGIN

template <class Real>
struct FeedforwardWorkspace {
  FeedforwardLayers<Real> layers;
  Batch<Real> batch;
  Real* x;  // [T * rows][ld of n_in]: the batch's inputs, padded
  FeedforwardScratch<Real> scratch;
  Real* gradient;    // [n_params]
  int32_t* sampled;  // [T][rows] labels, of natural gradients
  void* zeroed;      // layers and x
  size_t zeroed_bytes;

  template <class Team>
  COHORT_FN static FeedforwardWorkspace carve(Arena& arena, const Signature& g, int rows, Purpose purpose) {
    const int positions = g.n_steps * rows;
    FeedforwardWorkspace w{};
    const size_t start = arena.used();
    w.zeroed = arena.take<unsigned char>(0);
    w.layers = {static_cast<unsigned char*>(w.zeroed), positions};
    for (int l = 0; l <= g.n_layers; ++l) FeedforwardLayers<Real>::template carve<Team>(arena, g, l, positions);
    w.x = arena.take<Real>(size_t(positions) * size_t(Team::template pad<Real>(g.n_in)));
    w.zeroed_bytes = arena.used() - start;
    w.batch = Batch<Real>::carve(arena, g, rows);
    if (purpose == Purpose::learning) {
      w.scratch = FeedforwardScratch<Real>::template carve<Team>(arena, g, positions);
      w.gradient = arena.take<Real>(n_params(g));
      w.sampled = arena.take<int32_t>(size_t(positions));
    }
    return w;
  }
};

// Before the first use: padding must be 0. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void clear_weights(const Team& team, const FeedforwardWorkspace<Real>& w) {
  constexpr size_t piece = size_t(1) << 32;  // bytes, whose words an int counts
  for (size_t from = 0; from < w.zeroed_bytes; from += piece)
    clear_bytes(team, w.zeroed, from, w.zeroed_bytes - from < piece ? w.zeroed_bytes : from + piece);
}

// theta -> the layers' weights. Ends synced.
template <class Team, class Real>
COHORT_PHASE_FN void load_weights(const Team& team, const Signature& g, const NetSpec& spec, Real* theta,
                                  const FeedforwardWorkspace<Real>& w) {
  for (int l = 0; l <= g.n_layers; ++l) {
    const cell::Layer<Real> layer = w.layers.template layer<Team>(g, l);
    const Tensor t = tensor(g, input_tensor(g, l));
    const auto parts = tensor_parts(theta, t);
    const int ni = layer.ni, ld = layer.ld, ld_d = layer.ld_d, ld_i = layer.ld_i;
    const auto main = [=](int i, int j, Real v) { layer.w[i * ld_d + j] = v; };
    if (l == 0)  // the data are excitatory: parameters are weights
      team.transpose(layer.n, layer.d, parts.main, layer.d, layer.w_t, ld);
    else if (ni > 0)
      parameterisation::dense{}.assemble(team, tensor_info(g, spec, t), parts, main);
    else
      for_each_effective(team, g, spec, t, theta, main);
    const auto vector = [&](int k, Real* to) {
      const Tensor of = tensor(g, k);
      const Real* const from = theta + of.offset;
      team.for_each(int(of.size()), [=](int i) { to[i] = from[i]; });
    };
    Real* const b = layer.b;
    for_each_effective(team, g, spec, tensor(g, layer_bias_tensor(l)), theta, [=](int i, int, Real v) { b[i] = v; });
    if (const double offset = l == g.n_layers ? logit_offset(spec.task) : 0; offset != 0) {
      team.sync();
      const bool bias = g.bias;
      team.for_each(layer.n, [=](int i) { layer.b[i] = (bias ? layer.b[i] : Real(0)) + Real(offset); });
    }
    if (layer.g) vector(layer_gain_tensor(l), layer.g);
    if (layer.factor) {
      const Real* const alpha = theta + tensor(g, layer_alpha_tensor(l)).offset;
      team.for_each(ni, [=](int k) { layer.factor[k] = math::exp(alpha[k]); });
    }
    team.sync();
    if (l > 0) team.transpose(layer.n, layer.d, layer.w, ld_d, layer.w_t, ld);
    if (ni == 0) continue;
    const int d = layer.d;
    team.for_each_2d(layer.n, ni, [=](int i, int k) { layer.minus_ei[i * ld_i + k] = -parts.ei[i * ni + k]; });
    team.for_each_2d(ni, d, [=](int k, int j) { layer.ix[k * ld_d + j] = parts.ix[k * d + j]; });
    team.transpose(ni, d, parts.ix, d, layer.ix_t, ld_i);
    if (layer.eia)
      team.for_each_2d(layer.n, ni,
                       [=](int i, int k) { layer.eia[i * ld_i + k] = parts.ei[i * ni + k] * layer.factor[k]; });
    team.sync();
    team.transpose(layer.n, ni, layer.minus_ei, ld_i, layer.minus_ei_t, ld);
    if (layer.eia) team.transpose(layer.n, ni, layer.eia, ld_i, layer.eia_t, ld);
  }
  team.sync();
}

// States and logits of the batch for steps >= first. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void forward(const Team& team, const Signature& g, const NetSpec& spec, int rows, int first,
                            const FeedforwardWorkspace<Real>& w) {
  const int n_in = g.n_in, ld = Team::template pad<Real>(n_in);
  Real* const x = w.x;
  const Real* const from = w.batch.x;
  team.for_each_2d(g.n_steps * rows, n_in, [=](int p, int i) { x[p * ld + i] = from[p * n_in + i]; });
  team.sync();
  feedforward_forward(team, g, w.layers, spec.activation, spec.norm, first * rows, (g.n_steps - first) * rows, x,
                      w.batch.y);
}

// The first step that anything is read from: batch norm has the statistics of training, of the steps that enter the loss, unless
// a decision comes earlier.
template <class Real>
COHORT_TEAM_FN int first_step(const Signature& g, const NetSpec& spec, const FeedforwardWorkspace<Real>&) {
  int first = extent_of(g, spec, 0).first;
  with_task(spec.task.id, [&](auto task) {
    for (int t = first - 1; t >= 0; --t)
      if (task.decision(spec.task.param, t)) first = t;
  });
  return first;
}

// Activity of layer l at a step of the batch, after forward from first_step: [rows][ld], ld as returned.
template <class Team, class Real>
COHORT_TEAM_FN const Real* states_at(const Signature& g, const NetSpec& spec, const FeedforwardWorkspace<Real>& w,
                                     int l, int step, int rows, int* ld) {
  const cell::Layer<Real> layer = w.layers.template layer<Team>(g, l);
  *ld = layer.ld;
  return layer.h + ptrdiff_t(step - first_step(g, spec, w)) * rows * layer.ld;
}

// Where what layer l learns goes in a gradient in the layout of theta.
template <class Real>
COHORT_TEAM_FN cell::Gradient<Real> layer_gradient(const Signature& g, int l, Real* gradient) {
  const auto at = [&](int k) {
    const Tensor t = tensor(g, k);
    return t.size() ? gradient + t.offset : nullptr;
  };
  const auto parts = tensor_parts(gradient, tensor(g, input_tensor(g, l)));
  return {parts.main,
          parts.ei,
          parts.ix,
          at(layer_bias_tensor(l)),
          at(layer_gain_tensor(l)),
          at(layer_alpha_tensor(l)),
          bias_parts(g, l)};
}

// The gradient of theta from the errors in the batch's y. Ends synced.
template <class Team, class Real>
COHORT_PHASE_FN void feedforward_learn(const Team& team, const Signature& g, const NetSpec& spec, int rows, Real* theta,
                                       const FeedforwardWorkspace<Real>& w, Real* gradient) {
  const int first = extent_of(g, spec, rows).first * rows, n = g.n_steps * rows - first;
  const auto of_layer = [&](int l) { return layer_gradient(g, l, gradient); };
  feedforward_backward(team, g, w.layers, spec.activation, spec.norm, first, n, w.x, w.batch.y, w.scratch, 0, of_layer,
                       [&](int l, const cell::Layer<Real>& layer, const cell::Input<Real>& input, const Real* du) {
                         const Tensor t = tensor(g, input_tensor(g, l));
                         const auto to = tensor_parts(gradient, t);
                         const int d = layer.d;
                         const Product<Real> main[1] = {{du, 1, layer.ld, input.a, input.ld, n}};
                         team.gemm(layer.n, d, main, [=](int i, int j, Real v) {
                           if (j < d) to.main[i * d + j] = v;
                         });
                         if (layer.ni > 0) {
                           const Product<Real> ix[1] = {{w.scratch.cell.dzi, 1, layer.ld_i, input.a, input.ld, n}};
                           team.gemm(layer.ni, d, ix, [=](int k, int j, Real v) {
                             if (j < d) to.ix[k * d + j] = v;
                           });
                         } else if (spec.parameterisation != ParameterisationId::dense) {
                           const auto effective = [=](int i, int j) { return to.main[i * d + j]; };
                           with_parameterisation(spec.parameterisation, [&](auto p) {
                             p.pull_back(team, tensor_info(g, spec, t), tensor_parts(theta, t), effective, to);
                           });
                           team.sync();
                         }
                       });
  for (int l = 0; l <= g.n_layers && g.bias > 1; ++l) {  // every part of a bias has its gradient
    const cell::Gradient<Real> to = layer_gradient(g, l, gradient);
    Real* const bias = to.bias;
    const int parts = to.bias_parts;
    team.for_each(layer_width(g, l), [=](int i) {
      for (int k = 1; k < parts; ++k) bias[i * parts + k] = bias[i * parts];
    });
  }
  team.sync();
}

// Loss of the batch and its gradient in w.gradient (layout of theta).
template <class Team, class Real>
COHORT_TEAM_FN Real loss_and_gradient(const Team& team, const Signature& g, const Network<Real>& net, bool classes,
                                      int rows, const FeedforwardWorkspace<Real>& w, bool, uint64_t) {
  load_weights(team, g, net.spec, net.theta, w);
  forward(team, g, net.spec, rows, extent_of(g, net.spec, rows).first, w);
  const Real loss = batch_loss(team, g, net.spec, classes, rows, w.batch);
  team.sync();
  feedforward_learn(team, g, net.spec, rows, net.theta, w, w.gradient);
  return loss;
}

// What train_part calls: a step of the rule, or of the natural gradient.
template <class Team, class Real>
COHORT_TEAM_FN Learned<Real> learn(const Team& team, const Signature& g, const Network<Real>& net, bool classes,
                                   const FeedforwardWorkspace<Real>& w, bool noisy, int64_t step) {
  const NetSpec& spec = net.spec;
  const int rows = g.batch;
  bool healthy = true;
  if (spec.natural.on) {
    load_weights(team, g, spec, net.theta, w);
    forward(team, g, spec, rows, extent_of(g, spec, rows).first, w);
    sample_labels(team, g, spec, uint64_t(step), rows, w.batch.y, w.sampled);
    Batch<Real> sampled = w.batch;
    sampled.label = w.sampled;
    batch_loss(team, g, spec, true, rows, sampled);
    team.sync();
    feedforward_learn(team, g, spec, rows, net.theta, w, w.gradient);
    healthy = estimate_fisher(team, g, net, step, w.gradient);
  }
  const Real loss = loss_and_gradient(team, g, net, classes, rows, w, noisy, uint64_t(step));
  healthy = healthy && loss - loss == Real(0);
  if (!healthy) return {loss, false};
  return {loss,
          spec.natural.on ? natural_update(team, g, net, step, w.gradient) : update(team, g, net, step, w.gradient)};
}

COHORT_END

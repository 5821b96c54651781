// Loss and accuracy of one network on trials it was not trained on, and its hidden states on the probe trials.
#pragma once

#include "program/train.h"

COHORT_BEGIN

template <class Team, class Real, template <class> class W = Workspace>
COHORT_FN size_t forward_bytes(const Signature& g) {
  Arena arena(nullptr);
  W<Real>::template carve<Team>(arena, g, g.batch, Purpose::forward);
  return arena.used();
}

// Can answers be right or wrong: classes, or a single logit whose sign says yes or no?
COHORT_TEAM_FN bool has_accuracy(const TaskSpec& task, int n_out) {
  return has_classes(task.id) || (task.loss == LossId::bce && n_out == 1);
}

// Right answers among positions [first, first + rows) of the logits y [n_out][n]. Syncs.
template <class Team, class Real>
COHORT_TEAM_FN double count_right(const Team& team, const TaskSpec& task, int n_out, const Real* y, int n, int first,
                                  int rows, const Batch<Real>& b) {
  const bool classes = has_classes(task.id);
  return double(team.template sum<Real>(rows, [=](int r) {
    const int p = first + r;
    if (!classes) return (y[p] > Real(0)) == (b.target[p] > Real(0.5)) ? Real(1) : Real(0);
    int best = 0;
    for (int o = 1; o < n_out; ++o)
      if (y[o * n + p] > y[best * n + p]) best = o;
    return best == b.label[p] ? Real(1) : Real(0);
  }));
}

template <template <class> class W = Workspace, class Team, class Real>
COHORT_TEAM_FN void evaluate_network(const Team& team, const EvaluateArgs<Real>& a, int i, void* memory) {
  const Signature& g = a.cohort.signature;
  const Network<Real> net(a.cohort, i);
  Arena arena(memory);
  const W<Real> w = W<Real>::template carve<Team>(arena, g, g.batch, Purpose::forward);
  clear_weights(team, w);
  load_weights(team, g, net.spec, net.theta, w);
  const bool classes = has_classes(net.spec.task.id);
  const rng::Phase phase = a.split == Split::validation ? rng::phase_validate : rng::phase_evaluate;
  const Batch<Real>& b = w.batch;
  const int first = first_step(g, net.spec, w);
  double loss = 0, correct = 0, decisions = 0;
  for (int done = 0; done < a.trials; done += g.batch) {
    const int rows = a.trials - done < g.batch ? a.trials - done : g.batch, n = g.n_steps * rows;
    fill_batch(team, g, net.spec, a.cohort.data, a.split, {phase, 0, uint32_t(done)}, rows, b);
    for (int o = 0; o < g.n_out; ++o) team.for_each(first * rows, [=](int p) { b.y[o * n + p] = Real(0); });
    forward(team, g, net.spec, rows, first, w);
    if (has_accuracy(net.spec.task, g.n_out))
      for (int t = 0; t < g.n_steps; ++t) {
        bool decides = false;
        with_task(net.spec.task.id, [&](auto task) { decides = task.decision(net.spec.task.param, t); });
        if (!decides) continue;
        decisions += rows;
        correct += count_right(team, net.spec.task, g.n_out, b.y, n, t * rows, rows, b);
      }
    team.sync();
    const Targets<Real> targets{classes ? b.label : nullptr, b.target, b.weight};
    loss += double(rows) * double(apply_loss(team, net.spec.task.loss, b.y, g.n_out, n, targets,
                                             Real(net.spec.task.label_smoothing), b.row_loss));
  }
  if (team.lane() == 0) {
    a.loss[i] = loss / a.trials;
    a.accuracy[i] = decisions > 0 ? correct / decisions : __builtin_nan("");
  }
  team.sync();
}

template <template <class> class W = Workspace, class Team, class Real>
COHORT_TEAM_FN void probe_network(const Team& team, const ProbeArgs<Real>& a, int i, void* memory) {
  const Signature& g = a.cohort.signature;
  const Network<Real> net(a.cohort, i);
  Arena arena(memory);
  const W<Real> w = W<Real>::template carve<Team>(arena, g, g.batch, Purpose::forward);
  clear_weights(team, w);
  load_weights(team, g, net.spec, net.theta, w);
  int decision = g.n_steps - 1;
  with_task(net.spec.task.id, [&](auto task) {
    for (int t = 0; t < g.n_steps; ++t)
      if (task.decision(net.spec.task.param, t)) decision = t;
  });
  const int n = g.n_hidden;
  Real* const out = a.hidden + size_t(i) * size_t(g.n_layers) * size_t(a.trials) * size_t(n);
  for (int done = 0; done < a.trials; done += g.batch) {
    const int rows = a.trials - done < g.batch ? a.trials - done : g.batch;
    fill_batch(team, g, net.spec, a.cohort.data, Split::train, {rng::phase_probe, 0, uint32_t(done)}, rows, w.batch);
    forward(team, g, net.spec, rows, first_step(g, net.spec, w), w);
    for (int l = 0; l < g.n_layers; ++l) {
      int ld = 0;
      const Real* const h = states_at<Team>(g, net.spec, w, l, decision, rows, &ld);
      Real* const to = out + (size_t(l) * size_t(a.trials) + size_t(done)) * size_t(n);
      const int width = layer_width(g, l);
      team.for_each_2d(rows, n, [=](int r, int u) { to[r * n + u] = u < width ? h[r * ld + u] : Real(0); });
    }
    team.sync();
  }
}

COHORT_END

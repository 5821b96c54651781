// K training steps of one network, and parts of them.
#pragma once

#include "program/step.h"

COHORT_BEGIN

COHORT_TEAM_FN bool has_classes(TaskId id) {
  bool classes = false;
  with_task(id, [&](auto task) { classes = task.classes; });
  return classes;
}

// W: the workspace of the networks' core, by which everything that is the core's is found.
template <class Team, template <class> class W = Workspace, class Real>
COHORT_FN size_t train_bytes(const TrainArgs<Real>& a) {
  Arena arena(nullptr);
  W<Real>::template carve<Team>(arena, a.cohort.signature, a.cohort.signature.batch, Purpose::learning);
  return arena.used();
}

// One step on the batch in w: loss, gradient, update. Another core may have its own for its workspace.
template <class Team, class W, class Real>
COHORT_TEAM_FN Learned<Real> learn(const Team& team, const Signature& g, const Network<Real>& net, bool classes,
                                   const W& w, bool noisy, int64_t step) {
  const Real loss = loss_and_gradient(team, g, net, classes, g.batch, w, noisy, uint64_t(step));
  return {loss, loss - loss == Real(0) && update(team, g, net, step, w.gradient)};
}

// Steps [first, first + count) of the launch's a.steps: their losses go to that part of the network's history.
template <template <class> class W = Workspace, class Team, class Real>
COHORT_TEAM_FN void train_part(const Team& team, const TrainArgs<Real>& a, int i, int64_t first, int64_t count,
                               void* memory) {
  const Signature& g = a.cohort.signature;
  const Network<Real> net(a.cohort, i);
  Arena arena(memory);
  const W<Real> w = W<Real>::template carve<Team>(arena, g, g.batch, Purpose::learning);
  clear_weights(team, w);
  const bool classes = has_classes(net.spec.task.id), noisy = net.spec.noise > 0;
  Real* const history = a.loss + size_t(i) * size_t(a.steps) + first;
  int64_t done = 0, step = net.state.step;
  bool healthy = net.state.diverged_at < 0;
  for (; done < count && step < net.spec.steps && healthy; ++done) {
    fill_batch(team, g, net.spec, a.cohort.data, Split::train, {rng::phase_train, uint64_t(step), 0}, g.batch, w.batch);
    const Learned<Real> learned = learn(team, g, net, classes, w, noisy, step);
    healthy = learned.healthy;
    if (team.lane() == 0) history[done] = learned.loss;
    step += healthy;
  }
  const Real nothing = Real(__builtin_nanf(""));
  for (int64_t k = done + team.lane(); k < count; k += team.size()) history[k] = nothing;
  team.sync();
  if (team.lane() == 0) {
    net.state.step = step;
    if (!healthy && net.state.diverged_at < 0) net.state.diverged_at = step;
  }
  team.sync();
}
template <template <class> class W = Workspace, class Team, class Real>
COHORT_TEAM_FN void train_network(const Team& team, const TrainArgs<Real>& a, int i, void* memory) {
  train_part<W>(team, a, i, 0, a.steps, memory);
}

COHORT_END

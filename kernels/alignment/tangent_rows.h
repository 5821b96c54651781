// What both forms of the tangent kernels start from: presynaptic activity and deltas of every trial and row, and the targets
// of the rows; and the sums that they end in.
#pragma once

#include "cohort/tangent.h"
#include "program/train.h"

COHORT_BEGIN

// Scratch of the passes of one network over all trials.
template <class Real>
struct TangentPasses {
  Workspace<Real> forward;  // all trials are its rows
  Real* error;              // [n_out][T][n_rows] one-hot
  Real* delta;              // [layers][T][n_rows][ld] of one trial
  Real* target;             // [trials][n_rows] centred

  template <class Team>
  COHORT_FN static TangentPasses carve(Arena& arena, const Signature& g, int trials, const TangentRows& rows) {
    const size_t r = size_t(rows.n_rows()), errors = rows.diagonal ? 0 : size_t(g.n_steps) * r;
    TangentPasses w;
    w.forward = Workspace<Real>::template carve<Team>(arena, g, trials, Purpose::forward);
    w.error = arena.take<Real>(size_t(g.n_out) * errors);
    w.delta = arena.take<Real>(size_t(g.n_layers) * errors * size_t(Team::template pad<Real>(g.n_hidden)));
    w.target = arena.take<Real>(size_t(trials) * r);
    return w;
  }
};

// One trial after the passes: the gradient of a row's logit is sum_s post(s, row) (x) pre(s).
template <class Real>
struct TangentTrial {
  TangentRows rows;
  const Real *activity, *delta;
  ptrdiff_t activity_step;
  int n_rows, ld;
  COHORT_FORCE_INLINE Real pre(int s, int j) const { return activity[s * activity_step + j]; }
  COHORT_FORCE_INLINE Real post(int s, int row, int u) const {
    if (rows.diagonal) return rows.time(row) == s && row % rows.n_out == u ? Real(1) : Real(0);
    return delta[(ptrdiff_t(s) * n_rows + row) * ld + u];
  }
};

// take(b, trial) for every trial, with parameters theta; the batch is in the workspace. Ends synced.
template <class Team, class Real, class Take>
COHORT_TEAM_FN void tangent_passes(const Team& team, const Signature& g, const NetSpec& spec, Real* theta,
                                   const Tensor& t, const TangentRows& rows, int trials, const TangentPasses<Real>& w,
                                   const Take& take) {
  const Workspace<Real>& f = w.forward;
  assemble(team, g, spec, theta, f.weights);
  prepare_states(team, g, spec, trials, f.h, false, 0);
  recurrent_forward(team, g, f.weights, spec.activation, Extent{trials, g.n_steps, g.n_steps - 1}, f.batch.x, f.h,
                    false, f.batch.y);
  const int ld = Team::template pad<Real>(g.n_hidden), n_rows = rows.n_rows(), n_positions = g.n_steps * n_rows;
  const ptrdiff_t slot = ptrdiff_t(trials) * ld, layer_size = slot * (g.n_steps + 1);
  if (!rows.diagonal)
    team.for_each_2d(g.n_out, n_positions, [=](int o, int p) {
      const int step = p / n_rows, row = p % n_rows;
      w.error[o * n_positions + p] = rows.time(row) == step && row % rows.n_out == o ? Real(1) : Real(0);
    });
  team.sync();
  const bool from_input = t.role == Role::input && t.layer == 0;
  const int source = t.role == Role::input ? t.layer - 1 : t.role == Role::readout ? g.n_layers - 1 : t.layer;
  const int later = t.role == Role::recurrent ? 0 : 1;  // recurrent weights see h_{s-1}
  for (int b = 0; b < trials; ++b) {
    Real* const h = f.h + ptrdiff_t(b) * ld;
    if (!rows.diagonal)
      recurrent_backward(
          team, g, f.weights, spec.activation, Extent{n_rows, g.n_steps, rows.first}, w.error,
          [=](int l) {
            return States<Real>{h + l * layer_size, slot, 0};
          },
          w.delta, [](int, int) {});
    TangentTrial<Real> trial{rows, nullptr, nullptr, 0, n_rows, ld};
    trial.activity = from_input ? f.batch.x + ptrdiff_t(b) * g.n_in : h + source * layer_size + later * slot;
    trial.activity_step = from_input ? ptrdiff_t(trials) * g.n_in : slot;
    if (!rows.diagonal) trial.delta = w.delta + ptrdiff_t(t.layer) * n_positions * ld;
    take(b, trial);
    team.sync();
  }
}

// The centred one-hot (or real) targets of all rows; returns their squares' sum. The batch is in the workspace.
template <class Team, class Real>
COHORT_TEAM_FN double tangent_targets(const Team& team, const Signature& g, const NetSpec& spec,
                                      const TangentRows& rows, int trials, const TangentPasses<Real>& w) {
  const Batch<Real>& batch = w.forward.batch;
  const Targets<Real> targets{has_classes(spec.task.id) ? batch.label : nullptr, batch.target, batch.weight};
  const int n_rows = rows.n_rows(), n_positions = g.n_steps * trials, n_counted = (g.n_steps - rows.first) * trials;
  Real* const y = w.target;
  for (int k = 0; k < g.n_out; ++k) {
    const Real mean = team.template sum<Real>(n_counted, [=](int p) {
      return targets.at(k, rows.first * trials + p, n_positions);
    }) / Real(n_counted);
    team.for_each_2d(trials, g.n_steps - rows.first, [=](int b, int s) {
      y[b * n_rows + s * rows.n_out + k] = targets.at(k, (rows.first + s) * trials + b, n_positions) - mean;
    });
  }
  team.sync();
  return team.template sum<double>(trials * n_rows, [=](int p) { return double(y[p]) * double(y[p]); });
}

// Adds `times` what a block [rows][ld] of `cols` columns of the two kernels gives; y and y2: targets of its rows and columns.
template <class Team, class Real>
COHORT_TEAM_FN void add_tangent_block(const Team& team, int rows, int cols, int ld, const Real* now, const Real* start,
                                      const Real* y, const Real* y2, double times, TangentSums& sums) {
  const auto sum = [&](auto term) {
    return times * team.template sum<double>(rows * cols, [=](int k) { return term(k / cols, k % cols); });
  };
  const auto product = [=](const Real* a, const Real* b) {
    return [=](int r, int c) { return double(a[r * ld + c]) * double(b[r * ld + c]); };
  };
  const auto with_targets = [=](const Real* a) {
    return [=](int r, int c) { return double(y[r]) * double(a[r * ld + c]) * double(y2[c]); };
  };
  sums.now_start += sum(product(now, start));
  sums.now_now += sum(product(now, now));
  sums.start_start += sum(product(start, start));
  sums.target_now += sum(with_targets(now));
  sums.target_start += sum(with_targets(start));
}

COHORT_END

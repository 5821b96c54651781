// Sums over the tangent kernels of a feedforward network, with respect to the main weights W of one layer. Positions do not
// touch each other, so the gradient of a logit is delta (x) a, delta = dlogit/d(W a), and
//   K[(p, k), (p', k')] = (delta_pk . delta_p'k') (a_p . a_p').
// Batch norm ties positions together: it has no such kernel, and its sums are NaN.
#pragma once

#include "alignment/tangent_rows.h"
#include "program/feedforward.h"

COHORT_BEGIN

template <class Real>
struct FeedforwardTangent {
  FeedforwardWorkspace<Real> forward;  // all trials are its rows
  FeedforwardScratch<Real> scratch;
  struct Side {     // the network now, and at its start
    Real* delta;    // [n_rows][ld_n], row = position * n_out + k
    Real* delta_t;  // [n][ld_rows]
    Real* a;        // [positions][ld_d]
    Real* a_t;      // [d][ld_positions]
    Real* kernel;   // [tangent_strip][ld_rows]
  } side[2];
  Real* overlaps;  // [positions][ld_positions]
  Real* target;    // [n_rows] centred
  Real* unused;    // [n_params]: what the layers learn
  int n, d, n_out, positions, n_rows, ld_n, ld_d, ld_rows, ld_positions;

  template <class Team>
  COHORT_FN static FeedforwardTangent carve(Arena& arena, const Signature& g, int trials, const Tensor& t,
                                            LossSteps loss_steps) {
    FeedforwardTangent w;
    w.n = t.rows;
    w.d = t.cols;
    w.n_out = g.n_out;
    w.positions = trials * (loss_steps == LossSteps::last ? 1 : g.n_steps);
    w.n_rows = w.positions * g.n_out;
    w.ld_n = Team::template pad<Real>(w.n);
    w.ld_d = Team::template pad<Real>(w.d);
    w.ld_rows = Team::template pad<Real>(w.n_rows);
    w.ld_positions = Team::template pad<Real>(w.positions);
    w.forward = FeedforwardWorkspace<Real>::template carve<Team>(arena, g, trials, Purpose::forward);
    w.scratch = FeedforwardScratch<Real>::template carve<Team>(arena, g, trials * g.n_steps);
    for (auto& s : w.side) {
      s.delta = arena.take<Real>(size_t(w.n_rows) * size_t(w.ld_n));
      s.delta_t = arena.take<Real>(size_t(w.n) * size_t(w.ld_rows));
      s.a = arena.take<Real>(size_t(w.positions) * size_t(w.ld_d));
      s.a_t = arena.take<Real>(size_t(w.d) * size_t(w.ld_positions));
      s.kernel = arena.take<Real>(size_t(tangent_strip) * size_t(w.ld_rows));
    }
    w.overlaps = arena.take<Real>(size_t(w.positions) * size_t(w.ld_positions));
    w.target = arena.take<Real>(size_t(w.n_rows));
    w.unused = arena.take<Real>(n_params(g));
    return w;
  }
};

// delta and a of every row with parameters theta; the batch is in the workspace. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void feedforward_factors(const Team& team, const Signature& g, const NetSpec& spec, Real* theta,
                                        const Tensor& t, int trials, const FeedforwardTangent<Real>& w,
                                        const typename FeedforwardTangent<Real>::Side& side) {
  const FeedforwardWorkspace<Real>& f = w.forward;
  load_weights(team, g, spec, theta, f);
  const int first_step = extent_of(g, spec, trials).first, first = first_step * trials, n_out = w.n_out,
            n_positions = g.n_steps * trials;
  forward(team, g, spec, trials, first_step, f);
  Real* const y = f.batch.y;
  for (int k = 0; k < n_out; ++k) {
    team.sync();
    team.for_each_2d(n_out, n_positions, [=](int o, int p) {
      y[ptrdiff_t(o) * n_positions + p] = o == k && p >= first ? Real(1) : Real(0);
    });
    team.sync();
    feedforward_backward(
        team, g, f.layers, spec.activation, spec.norm, first, w.positions, f.x, y, w.scratch, t.layer,
        [&](int l) { return layer_gradient(g, l, w.unused); },
        [&](int l, const cell::Layer<Real>& layer, const cell::Input<Real>& input, const Real* du) {
          if (l != t.layer) return;
          const int ld = layer.ld, ld_n = w.ld_n, ld_rows = w.ld_rows;
          team.for_each_2d(w.positions, w.n, [=](int p, int u) {
            const int row = p * n_out + k;
            side.delta[ptrdiff_t(row) * ld_n + u] = du[p * ld + u];
            side.delta_t[ptrdiff_t(u) * ld_rows + row] = du[p * ld + u];
          });
          if (k > 0) return;
          const int ld_d = w.ld_d, ld_positions = w.ld_positions, ld_a = input.ld;
          const Real* const a = input.a;
          team.for_each_2d(w.positions, w.d, [=](int p, int j) {
            side.a[ptrdiff_t(p) * ld_d + j] = a[ptrdiff_t(p) * ld_a + j];
            side.a_t[ptrdiff_t(j) * ld_positions + p] = a[ptrdiff_t(p) * ld_a + j];
          });
        });
  }
  const int n_rows = w.n_rows, ld_rows = w.ld_rows, positions = w.positions, ld_positions = w.ld_positions;
  team.for_each_2d(w.n, ld_rows - n_rows,
                   [=](int u, int r) { side.delta_t[ptrdiff_t(u) * ld_rows + n_rows + r] = Real(0); });
  team.for_each_2d(w.d, ld_positions - positions,
                   [=](int j, int p) { side.a_t[ptrdiff_t(j) * ld_positions + positions + p] = Real(0); });
  team.sync();
}

template <class Team, class Real>
COHORT_PHASE_FN TangentSums feedforward_tangent_sums(const Team& team, const Signature& g, const NetSpec& spec,
                                                     const Dataset& data, const Tensor& t, int trials, Real* theta,
                                                     Real* theta_start, void* memory) {
  Arena arena(memory);
  const auto w = FeedforwardTangent<Real>::template carve<Team>(arena, g, trials, t, spec.task.loss_steps);
  clear_weights(team, w.forward);
  const Batch<Real>& batch = w.forward.batch;
  fill_batch(team, g, spec, data, Split::train, {rng::phase_kernel, 0, 0}, trials, batch);
  feedforward_factors(team, g, spec, theta, t, trials, w, w.side[0]);
  feedforward_factors(team, g, spec, theta_start, t, trials, w, w.side[1]);

  const Targets<Real> targets{has_classes(spec.task.id) ? batch.label : nullptr, batch.target, batch.weight};
  const int n_out = w.n_out, positions = w.positions, n_rows = w.n_rows, n_positions = g.n_steps * trials,
            first = n_positions - positions;
  Real* const y = w.target;
  for (int k = 0; k < n_out; ++k) {
    const Real mean = team.template sum<Real>(positions, [=](int p) { return targets.at(k, first + p, n_positions); }) /
                      Real(positions);
    team.for_each(positions, [=](int p) { y[p * n_out + k] = targets.at(k, first + p, n_positions) - mean; });
  }
  team.sync();
  TangentSums sums{};
  sums.target_target = team.template sum<double>(n_rows, [=](int r) { return double(y[r]) * double(y[r]); });
  const int ld_rows = w.ld_rows, ld_positions = w.ld_positions;
  for (int r0 = 0; r0 < n_rows; r0 += tangent_strip) {
    const int height = n_rows - r0 < tangent_strip ? n_rows - r0 : tangent_strip, p0 = r0 / n_out,
              p1 = (r0 + height - 1) / n_out + 1;
    for (const auto& s : w.side) {
      Real *const overlaps = w.overlaps, *const kernel = s.kernel;
      const Product<Real> a[1] = {{s.a + ptrdiff_t(p0) * w.ld_d, w.ld_d, 1, s.a_t, ld_positions, w.d}};
      team.gemm(p1 - p0, positions, a, [=](int p, int q, Real v) { overlaps[ptrdiff_t(p) * ld_positions + q] = v; });
      const Product<Real> deltas[1] = {{s.delta + ptrdiff_t(r0) * w.ld_n, w.ld_n, 1, s.delta_t, ld_rows, w.n}};
      team.gemm(height, n_rows, deltas, [=](int r, int c, Real v) {
        if (c < n_rows)
          kernel[ptrdiff_t(r) * ld_rows + c] =
              v * overlaps[ptrdiff_t((r0 + r) / n_out - p0) * ld_positions + c / n_out];
      });
    }
    add_tangent_block(team, height, n_rows, ld_rows, w.side[0].kernel, w.side[1].kernel, y + r0, y, 1, sums);
  }
  return sums;
}

template <class Team, class Real>
COHORT_FN size_t feedforward_tangent_bytes(const TangentArgs<Real>& a) {
  Arena arena(nullptr);
  FeedforwardTangent<Real>::template carve<Team>(arena, a.cohort.signature, a.trials,
                                                 tensor(a.cohort.signature, a.tensor), a.loss_steps);
  return arena.used();
}

template <class Team, class Real>
COHORT_TEAM_FN void feedforward_tangent_network(const Team& team, const TangentArgs<Real>& a, int i, void* memory) {
  const Signature& g = a.cohort.signature;
  const Network<Real> net(a.cohort, i);
  const double nothing = __builtin_nan("");
  TangentSums sums{nothing, nothing, nothing, nothing, nothing, nothing};
  const bool small = a.loss_steps == LossSteps::last && net.spec.task.loss_steps != LossSteps::last;
  if (g.cell != CellId::batch_norm && !small)
    sums = feedforward_tangent_sums(team, g, net.spec, a.cohort.data, tensor(g, a.tensor), a.trials, net.theta,
                                    const_cast<Real*>(a.theta_start) + size_t(i) * n_params(g), memory);
  if (team.lane() == 0) a.sums[i] = sums;
  team.sync();
}

COHORT_END

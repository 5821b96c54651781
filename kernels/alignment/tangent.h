// Tangent kernels K = J J^T of the logits y[t, b, k] with respect to one weight tensor, in the factored form (Liu et al.,
// ICLR 2024, kernel alignment): the gradient of a row is sum_s delta_s (x) p_s with p the presynaptic activity, so
//   K[(t,b,k), (t',b',k')] = sum_{s, s'} (delta_s . delta'_s') (p_s . p'_s').
// Rows: all k, all trials, the steps that enter the loss. Nothing of size rows x rows is stored: blocks of two trials are
// made for the network now and at its start, and only their sums kept.
#pragma once

#include "program/train.h"

COHORT_BEGIN

// Pairs (row, s) of one trial with a non-zero delta, grouped by row = (t - first) * n_out + k; s runs from `origin` to t.
// For recurrent weights s = 0 drops out (h_{-1} = 0); for the readout only s = t counts.
struct TangentRows {
  int first, steps, n_out, origin;
  bool diagonal;
  COHORT_FN TangentRows(const Signature& g, LossSteps loss_steps, const Tensor& t)
      : first(loss_steps == LossSteps::last ? g.n_steps - 1 : 0),
        steps(g.n_steps),
        n_out(g.n_out),
        origin(t.role == Role::recurrent ? 1 : 0),
        diagonal(t.role == Role::readout) {}
  COHORT_FN int n_rows() const { return (steps - first) * n_out; }
  COHORT_FN int time(int row) const { return first + row / n_out; }
  COHORT_FN int length(int row) const { return diagonal ? 1 : time(row) + 1 - origin; }
  COHORT_FN int step(int row, int i) const { return diagonal ? time(row) : origin + i; }
  COHORT_FN int n_pairs() const {
    int n = 0;
    for (int row = 0; row < n_rows(); ++row) n += length(row);
    return n;
  }
};

template <class Real>
struct TangentWorkspace {
  Workspace<Real> forward;  // all trials are its rows
  Real* error;              // [n_out][T][n_rows] one-hot
  Real* delta;              // [layers][T][n_rows][ld] of one trial
  struct Side {             // the network now, and at its start
    Real* post;             // [trials][n_pairs][ld_post] deltas
    Real* post_t;           // [trials][n_post][ld_pairs]
    Real* pre;              // [trials][T][ld_pre] presynaptic activity
    Real* pre_t;            // [trials][n_pre][ld_steps]
    Real* kernel;           // [n_rows][n_rows] of a block
  } side[2];
  Real* products;                  // [n_pairs][ld_pairs]
  Real* overlaps;                  // [T][ld_steps]
  Real* target;                    // [trials][n_rows] centred
  int32_t *pair_step, *row_begin;  // [n_pairs], [n_rows + 1]
  int n_post, n_pre, n_pairs, ld_post, ld_pre, ld_pairs, ld_steps;

  template <class Team>
  COHORT_FN static TangentWorkspace carve(Arena& arena, const Signature& g, int trials, int tensor_index) {
    const Tensor t = tensor(g, tensor_index);
    const TangentRows rows(g, LossSteps::all, t);  // the most rows that any network of the signature has
    TangentWorkspace w;
    w.n_post = t.rows;
    w.n_pre = t.cols;
    w.n_pairs = rows.n_pairs();
    w.ld_post = Team::template pad<Real>(t.rows);
    w.ld_pre = Team::template pad<Real>(t.cols);
    w.ld_pairs = Team::template pad<Real>(w.n_pairs);
    w.ld_steps = Team::template pad<Real>(g.n_steps);
    const size_t n = size_t(trials), r = size_t(rows.n_rows()), steps = size_t(g.n_steps);
    w.forward = Workspace<Real>::template carve<Team>(arena, g, trials, Purpose::forward);
    w.error = arena.take<Real>(size_t(g.n_out) * steps * r);
    w.delta = arena.take<Real>(size_t(g.n_layers) * steps * r * size_t(Team::template pad<Real>(g.n_hidden)));
    for (auto& s : w.side) {
      s.post = arena.take<Real>(n * size_t(w.n_pairs) * size_t(w.ld_post));
      s.post_t = arena.take<Real>(n * size_t(w.n_post) * size_t(w.ld_pairs));
      s.pre = arena.take<Real>(n * steps * size_t(w.ld_pre));
      s.pre_t = arena.take<Real>(n * size_t(w.n_pre) * size_t(w.ld_steps));
      s.kernel = arena.take<Real>(r * r);
    }
    w.products = arena.take<Real>(size_t(w.n_pairs) * size_t(w.ld_pairs));
    w.overlaps = arena.take<Real>(steps * size_t(w.ld_steps));
    w.target = arena.take<Real>(n * r);
    w.pair_step = arena.take<int32_t>(size_t(w.n_pairs));
    w.row_begin = arena.take<int32_t>(r + 1);
    return w;
  }
};

template <class Team, class Real>
COHORT_FN size_t tangent_bytes(const TangentArgs<Real>& a) {
  Arena arena(nullptr);
  TangentWorkspace<Real>::template carve<Team>(arena, a.cohort.signature, a.trials, a.tensor);
  return arena.used();
}

// Deltas and presynaptic activity of every trial for parameters theta; the batch is in the workspace.
template <class Team, class Real>
COHORT_TEAM_FN void tangent_factors(const Team& team, const Signature& g, const NetSpec& spec, Real* theta,
                                    const Tensor& t, const TangentRows& rows, int trials,
                                    const TangentWorkspace<Real>& w,
                                    const typename TangentWorkspace<Real>::Side& side) {
  const Workspace<Real>& f = w.forward;
  assemble(team, g, spec, theta, f.weights);
  prepare_states(team, g, spec, trials, f.h, false, 0);
  recurrent_forward(team, g, f.weights, spec.activation, Extent{trials, g.n_steps, g.n_steps - 1}, f.batch.x, f.h,
                    false, f.batch.y);
  const int ld = Team::template pad<Real>(g.n_hidden), n_rows = rows.n_rows(), n_positions = g.n_steps * n_rows;
  const ptrdiff_t slot = ptrdiff_t(trials) * ld, layer_size = slot * (g.n_steps + 1);
  team.for_each_2d(g.n_out, n_positions, [=](int o, int p) {
    const int step = p / n_rows, row = p % n_rows;
    w.error[o * n_positions + p] = rows.time(row) == step && row % rows.n_out == o ? Real(1) : Real(0);
  });
  team.sync();
  for (int b = 0; b < trials; ++b) {
    const Real* const h = f.h + b * ld;
    const Real* const x = f.batch.x + b * g.n_in;
    const bool from_input = t.role == Role::input && t.layer == 0;
    const int source = t.role == Role::input ? t.layer - 1 : t.role == Role::readout ? g.n_layers - 1 : t.layer;
    const int later = t.role == Role::recurrent ? 0 : 1;  // recurrent weights see h_{s-1}
    Real* const pre = side.pre + ptrdiff_t(b) * g.n_steps * w.ld_pre;
    Real* const pre_t = side.pre_t + ptrdiff_t(b) * w.n_pre * w.ld_steps;
    const ptrdiff_t x_step = ptrdiff_t(trials) * g.n_in;
    team.for_each_2d(g.n_steps, w.n_pre, [=](int s, int j) {
      const Real v = from_input ? x[s * x_step + j] : h[source * layer_size + (s + later) * slot + j];
      pre[s * w.ld_pre + j] = v;
      pre_t[j * w.ld_steps + s] = v;
    });
    Real* const post = side.post + ptrdiff_t(b) * w.n_pairs * w.ld_post;
    Real* const post_t = side.post_t + ptrdiff_t(b) * w.n_post * w.ld_pairs;
    if (t.role != Role::readout) {
      const auto states = [=](int l) { return States<Real>{const_cast<Real*>(h) + l * layer_size, slot, 0}; };
      recurrent_backward(team, g, f.weights, spec.activation, Extent{n_rows, g.n_steps, rows.first}, w.error, states,
                         w.delta, [](int, int) {});
    }
    const Real* const delta = w.delta + ptrdiff_t(t.layer) * n_positions * ld;
    for (int row = 0; row < n_rows; ++row) {
      const int begin = w.row_begin[row];
      team.for_each_2d(w.row_begin[row + 1] - begin, w.n_post, [=](int i, int u) {
        const Real v = rows.diagonal ? (row % rows.n_out == u ? Real(1) : Real(0))
                                     : delta[(ptrdiff_t(rows.step(row, i)) * n_rows + row) * ld + u];
        post[(begin + i) * w.ld_post + u] = v;
        post_t[u * w.ld_pairs + begin + i] = v;
      });
    }
    team.sync();
  }
}

// Block (b, b') of the kernel into side.kernel. Ends synced.
template <class Team, class Real>
COHORT_TEAM_FN void tangent_block(const Team& team, int n_steps, int n_rows, int n_pairs, int b, int b2,
                                  const TangentWorkspace<Real>& w, const typename TangentWorkspace<Real>::Side& side) {
  const int ld_steps = w.ld_steps, ld_pairs = w.ld_pairs;
  const Product<Real> activity[1] = {{side.pre + ptrdiff_t(b) * n_steps * w.ld_pre, w.ld_pre, 1,
                                      side.pre_t + ptrdiff_t(b2) * w.n_pre * ld_steps, ld_steps, w.n_pre}};
  Real* const overlaps = w.overlaps;
  team.gemm(n_steps, n_steps, activity, [=](int s, int s2, Real v) { overlaps[s * ld_steps + s2] = v; });
  const Product<Real> deltas[1] = {{side.post + ptrdiff_t(b) * w.n_pairs * w.ld_post, w.ld_post, 1,
                                    side.post_t + ptrdiff_t(b2) * w.n_post * ld_pairs, ld_pairs, w.n_post}};
  Real* const products = w.products;
  team.gemm(n_pairs, n_pairs, deltas, [=](int i, int j, Real v) { products[i * ld_pairs + j] = v; });
  const int32_t *const step = w.pair_step, *const begin = w.row_begin;
  Real* const kernel = side.kernel;
  for (int k = team.lane(); k < n_rows * n_rows; k += team.size()) {
    const int row = k / n_rows, col = k % n_rows;
    Real sum = Real(0);
    for (int i = begin[row]; i < begin[row + 1]; ++i)
      for (int j = begin[col]; j < begin[col + 1]; ++j)
        sum += products[i * ld_pairs + j] * overlaps[step[i] * ld_steps + step[j]];
    kernel[k] = sum;
  }
  team.sync();
}

template <class Team, class Real>
COHORT_TEAM_FN void tangent_network(const Team& team, const TangentArgs<Real>& a, int i, void* memory) {
  const Signature& g = a.cohort.signature;
  const Network<Real> net(a.cohort, i);
  const NetSpec& spec = net.spec;
  const Tensor t = tensor(g, a.tensor);
  const TangentRows rows(g, spec.task.loss_steps, t);
  const int n_rows = rows.n_rows(), n_pairs = rows.n_pairs(), trials = a.trials;
  Arena arena(memory);
  const TangentWorkspace<Real> w = TangentWorkspace<Real>::template carve<Team>(arena, g, trials, a.tensor);
  clear_weights(team, w.forward);
  for (const auto& s : w.side) {  // padding of the second operands of gemm
    team.for_each_2d(trials * w.n_post, w.ld_pairs - n_pairs,
                     [=](int r, int c) { s.post_t[r * w.ld_pairs + n_pairs + c] = Real(0); });
    team.for_each_2d(trials * w.n_pre, w.ld_steps - g.n_steps,
                     [=](int r, int c) { s.pre_t[r * w.ld_steps + g.n_steps + c] = Real(0); });
  }
  if (team.lane() == 0) {
    int n = 0;
    for (int row = 0; row < n_rows; ++row) {
      w.row_begin[row] = n;
      for (int k = 0; k < rows.length(row); ++k) w.pair_step[n++] = rows.step(row, k);
    }
    w.row_begin[n_rows] = n;
  }
  const Batch<Real>& batch = w.forward.batch;
  fill_batch(team, g, spec, a.cohort.data, Split::train, {rng::phase_kernel, 0, 0}, trials, batch);
  tangent_factors(team, g, spec, net.theta, t, rows, trials, w, w.side[0]);
  tangent_factors(team, g, spec, const_cast<Real*>(a.theta_start) + size_t(i) * n_params(g), t, rows, trials, w,
                  w.side[1]);

  const Targets<Real> targets{has_classes(spec.task.id) ? batch.label : nullptr, batch.target, batch.weight};
  const int n_positions = g.n_steps * trials, n_counted = (g.n_steps - rows.first) * trials;
  double y_y = 0;
  for (int k = 0; k < g.n_out; ++k) {
    const Real mean = team.template sum<Real>(n_counted, [=](int p) {
      return targets.at(k, rows.first * trials + p, n_positions);
    }) / Real(n_counted);
    team.for_each_2d(trials, g.n_steps - rows.first, [=](int b, int s) {
      w.target[b * n_rows + s * g.n_out + k] = targets.at(k, (rows.first + s) * trials + b, n_positions) - mean;
    });
  }
  team.sync();
  y_y = team.template sum<double>(trials * n_rows, [=](int p) { return double(w.target[p]) * double(w.target[p]); });
  TangentSums sums{0, 0, 0, 0, 0, y_y};
  for (int b = 0; b < trials; ++b)
    for (int b2 = b; b2 < trials; ++b2) {
      for (const auto& s : w.side) tangent_block(team, g.n_steps, n_rows, n_pairs, b, b2, w, s);
      const double twice = b == b2 ? 1 : 2;
      const Real *const now = w.side[0].kernel, *const start = w.side[1].kernel, *const y = w.target + b * n_rows,
                        *const y2 = w.target + b2 * n_rows;
      const int n = n_rows * n_rows;
      sums.now_start += twice * team.template sum<double>(n, [=](int k) { return double(now[k]) * double(start[k]); });
      sums.now_now += twice * team.template sum<double>(n, [=](int k) { return double(now[k]) * double(now[k]); });
      sums.start_start +=
          twice * team.template sum<double>(n, [=](int k) { return double(start[k]) * double(start[k]); });
      sums.target_now += twice * team.template sum<double>(n, [=](int k) {
        return double(y[k / n_rows]) * double(now[k]) * double(y2[k % n_rows]);
      });
      sums.target_start += twice * team.template sum<double>(n, [=](int k) {
        return double(y[k / n_rows]) * double(start[k]) * double(y2[k % n_rows]);
      });
    }
  if (team.lane() == 0) {  // J of W is alpha times J of the core's R or S
    const double leak = t.role == Role::readout ? 1 : spec.alpha, square = leak * leak, fourth = square * square;
    a.sums[i] = {fourth * sums.now_start,  fourth * sums.now_now,      fourth * sums.start_start,
                 square * sums.target_now, square * sums.target_start, y_y};
  }
  team.sync();
}

// The effective weights of one tensor.
template <class Team, class Real>
COHORT_TEAM_FN void effective_network(const Team& team, const EffectiveArgs<Real>& a, int i, void*) {
  const Network<Real> net(a.cohort, i);
  const Tensor t = tensor(a.cohort.signature, a.tensor);
  Real* const out = a.weights + size_t(i) * size_t(t.rows) * size_t(t.cols);
  const int cols = t.cols;
  for_each_effective(team, net.spec, t, net.theta, [=](int r, int c, Real v) { out[r * cols + c] = v; });
  team.sync();
}

COHORT_END

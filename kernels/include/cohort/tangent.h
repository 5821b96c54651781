// What the sums over a network's tangent kernels cost in either form, and which form is taken. One rule for every backend,
// so that a network's form never depends on where it is.
#pragma once

#include "cohort/kernels.h"

namespace cohort {

// The rows of one trial's Jacobian, row = (t - first) * n_out + k, and its pairs (row, s) with a non-zero delta: s runs from
// `origin` to t. For recurrent weights s = 0 drops out (h_{-1} = 0); for the readout only s = t counts.
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
    for (int t = first; t < steps; ++t) n += n_out * (diagonal ? 1 : t + 1 - origin);
    return n;
  }
};

inline constexpr int tangent_tile = 64;   // rows and columns of the tiles in which the explicit form keeps kernels
inline constexpr int tangent_strip = 64;  // rows of a feedforward network's kernel that are made at once
inline constexpr size_t tangent_block_bytes = size_t(4) << 20;  // of a block of columns of J, where two units fit
inline constexpr size_t tangent_bound = size_t(512) << 20;      // of what a form keeps, where one of them fits

COHORT_FN int tangent_strips(int n_rows) { return (n_rows + tangent_tile - 1) / tangent_tile; }

// Postsynaptic units of a block of columns of J, for a kernel of n_rows rows: as many as tangent_block_bytes hold, but at
// least one, with its n_pre columns.
COHORT_FN int tangent_block_units(const Tensor& t, int n_rows, size_t real_bytes) {
  const size_t unit = size_t(tangent_strips(n_rows)) * tangent_tile * size_t(t.cols) * real_bytes;
  const size_t fit = tangent_block_bytes / (unit ? unit : 1);
  return fit < 1 ? 1 : fit < size_t(t.rows) ? int(fit) : t.rows;
}

// The widest padding of any program.
COHORT_FN double tangent_pad(double n) { return 16 * double(int64_t((n + 15) / 16)); }

struct TangentCost {
  double flop;   // of matrix products, a multiply-add counted as two: both networks, their passes included
  double bytes;  // of workspace for factors, columns and kernels at least as the programs pad them, without the passes'
};

// A feedforward network has one form (alignment/tangent_feedforward.h): two forward passes and, per output, backward ones down to
// the layer; then strips of the kernel, products of overlaps of activities and of deltas.
COHORT_FN TangentCost feedforward_tangent_cost(const Signature& g, int tensor_index, int trials, LossSteps loss_steps,
                                               size_t real_bytes) {
  const Tensor t = tensor(g, tensor_index);
  const double positions = double(trials) * (loss_steps == LossSteps::last ? 1 : g.n_steps), rows = positions * g.n_out;
  TangentCost cost{};
  for (int l = 0; l <= g.n_layers; ++l) {
    const Tensor w = tensor(g, input_tensor(g, l));
    const double passes = l > t.layer ? 1 + g.n_out : 1;
    cost.flop += 2 * passes * positions * (double(w.rows) * w.cols + (double(w.rows) + w.cols) * w.n_inhibitory);
  }
  for (int64_t r = 0; r < int64_t(rows); r += tangent_strip) {
    const int64_t end = r + tangent_strip < int64_t(rows) ? r + tangent_strip : int64_t(rows);
    cost.flop += 2 * double((end - 1) / g.n_out + 1 - r / g.n_out) * positions * t.cols;
  }
  cost.flop = 2 * (cost.flop + 2 * rows * rows * t.rows);
  cost.bytes = 2 * (rows * tangent_pad(t.rows) + t.rows * tangent_pad(rows) + positions * tangent_pad(t.cols) +
                    t.cols * tangent_pad(positions) + tangent_strip * tangent_pad(rows)) +
               positions * tangent_pad(positions) + rows + double(n_params(g));
  cost.bytes *= double(real_bytes);
  return cost;
}

// One network, `trials` trials, loss steps as the network has them.
//
// Passes: forward over the trials; but for the readout, backward of every row.
// Factored: with n_pairs pairs (row, step) per trial and T steps, every block of two trials b <= b' takes n_pairs^2 dot
// products of n_post deltas, T^2 of n_pre activities and n_pairs^2 multiply-adds.
// Explicit: R rows of n_post x n_pre columns, each a sum over the steps from `origin`; then the lower half of J J^T in
// tiles, those of the diagonal whole.
COHORT_FN TangentCost tangent_cost(TangentForm form, const Signature& g, int tensor_index, int trials,
                                   LossSteps loss_steps, size_t real_bytes) {
  if (g.core == CoreId::feedforward) return feedforward_tangent_cost(g, tensor_index, trials, loss_steps, real_bytes);
  const Tensor t = tensor(g, tensor_index);
  const TangentRows rows(g, loss_steps, t);
  const double n = g.n_hidden, layers = g.n_layers, recurrent = g.n_layers - g.n_dense, steps = g.n_steps, b = trials,
               r = rows.n_rows(), all = b * r, pairs = rows.n_pairs(), n_post = t.rows, n_pre = t.cols,
               params = n_post * n_pre;
  TangentCost cost;
  cost.flop = 2 * b * (recurrent * (steps - 1) * n * n + steps * n * (g.n_in + (layers - 1) * n) + n * g.n_out);
  if (!rows.diagonal)
    cost.flop +=
        2 * all * (recurrent * (steps - 1) * n * n + (steps - rows.first) * n * g.n_out + (layers - 1) * steps * n * n);
  if (form == TangentForm::factored) {
    cost.flop += b * (b + 1) / 2 * (2 * steps * steps * n_pre + 2 * pairs * pairs * n_post + 2 * pairs * pairs);
    cost.bytes = 2 * (b * (pairs * tangent_pad(n_post) + n_post * tangent_pad(pairs) + steps * tangent_pad(n_pre) +
                           n_pre * tangent_pad(steps)) +
                      r * r) +
                 pairs * tangent_pad(pairs) + steps * tangent_pad(steps);
  } else {
    const double strips = tangent_strips(int(all)), last = all - (strips - 1) * tangent_tile,
                 tile = double(tangent_tile) * tangent_tile;
    cost.flop += 2 * (steps - rows.origin) * all * params + (all * all + (strips - 1) * tile + last * last) * params;
    cost.bytes = b * (n_post * steps * tangent_pad(r) + steps * tangent_pad(n_pre)) + strips * (strips + 1) * tile +
                 strips * tangent_tile * n_pre * tangent_block_units(t, int(all), real_bytes);
  }
  cost.flop *= 2;
  cost.bytes *= double(real_bytes);
  return cost;
}

// What TangentForm::cheaper stands for: the form of fewer operations among those that keep no more than tangent_bound; if
// neither does, the one that keeps less. A feedforward network is always factored.
COHORT_FN TangentForm tangent_form(TangentForm wanted, const Signature& g, int tensor_index, int trials,
                                   LossSteps loss_steps, size_t real_bytes) {
  if (wanted != TangentForm::cheaper) return wanted;
  const TangentCost factored = tangent_cost(TangentForm::factored, g, tensor_index, trials, loss_steps, real_bytes);
  const TangentCost columns = tangent_cost(TangentForm::columns, g, tensor_index, trials, loss_steps, real_bytes);
  const bool factored_fits = factored.bytes <= double(tangent_bound),
             columns_fit = columns.bytes <= double(tangent_bound);
  if (factored_fits != columns_fit) return factored_fits ? TangentForm::factored : TangentForm::columns;
  const bool columns_win = factored_fits ? columns.flop < factored.flop : columns.bytes < factored.bytes;
  return columns_win ? TangentForm::columns : TangentForm::factored;
}

}  // namespace cohort

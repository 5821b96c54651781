// The shallow program: training of networks without hidden layers (is_shallow), those that learn from the same data together. Two
// kernels a step: blocks draw a few rows of a group's batch, take them through all its networks and leave each network's part of the
// gradient; then a block per network adds the parts up, in order, and moves the weights as every program does. Parts depend on the
// signature alone, so a network's bits do not depend on its group. Compiled once per Real (COHORT_TARGET, COHORT_REAL, COHORT_ISA
// come from the build).
#include <algorithm>

#include "cuda/arguments.h"
#include "cuda/programs.h"
#include "program/train.h"

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

using Args = TrainArgs<Real>;
constexpr int n_threads = CtaTeam::threads;

// Rows that a block draws at a time.
COHORT_FN int rows_of_part(const Signature& g) {
  const int rows = g.n_in > 4096 ? 32 : 64;
  return rows < g.batch ? rows : g.batch;
}
COHORT_FN int n_parts(const Signature& g) { return (g.batch + rows_of_part(g) - 1) / rows_of_part(g); }

// Memory of the networks of a launch, or of a slice of it.
struct Shared {
  int32_t* n_groups;
  int32_t* group;   // [n + 1] first places of groups in the order of the launch
  uint8_t* starts;  // [n] does a group start here?
  Real* gradient;   // [n][n_parts][n_params]
  Real* loss;       // [n][n_parts]
  Real* counted;    // [n][n_parts] positions that count
  COHORT_FN static Shared carve(Arena& arena, const Signature& g, int n) {
    const size_t nets = size_t(n), parts = nets * size_t(n_parts(g));
    Shared s{};
    s.n_groups = arena.take<int32_t>(1);
    s.group = arena.take<int32_t>(nets + 1);
    s.starts = arena.take<uint8_t>(nets);
    s.gradient = arena.take<Real>(parts * n_params(g));
    s.loss = arena.take<Real>(parts);
    s.counted = arena.take<Real>(parts);
    return s;
  }
};
// Memory of a block: logits and errors [n][n_out][rows] are as many as there are networks in the slice.
struct Scratch {
  Batch<Real> batch;
  Real* y;
  COHORT_FN static Scratch carve(Arena& arena, const Signature& g, int n) {
    Scratch s{};
    s.batch = Batch<Real>::carve(arena, g, rows_of_part(g));
    s.y = arena.take<Real>(size_t(n) * size_t(g.n_out) * size_t(rows_of_part(g)));
    return s;
  }
};
template <class Part>
size_t bytes_of(const Signature& g, int n) {
  Arena arena(nullptr);
  Part::carve(arena, g, n);
  return arena.used();
}

// Networks [first, first + n) of a launch's order.
struct Slice {
  Args args;
  const int32_t* order;  // [n] or nullptr: as they come
  int first, n;
  unsigned char* memory;
  size_t shared_bytes, scratch_bytes;

  COHORT_TEAM_FN Shared shared() const {
    Arena arena(memory);
    return Shared::carve(arena, args.cohort.signature, n);
  }
  COHORT_TEAM_FN Scratch scratch() const {
    Arena arena(memory + shared_bytes + size_t(blockIdx.x) * scratch_bytes);
    return Scratch::carve(arena, args.cohort.signature, n);
  }
  COHORT_TEAM_FN int network(int place) const { return order ? order[place] : first + place; }
  // Does the network take part in the next step? One of natural gradients goes the ordinary way.
  COHORT_TEAM_FN bool learns(int place) const {
    const int i = network(place);
    const NetSpec& spec = args.cohort.nets[i];
    const NetState& state = args.cohort.state[i];
    return !spec.natural.on && state.diverged_at < 0 && state.step < spec.steps;
  }
  COHORT_TEAM_FN bool same_data(int a, int b) const {
    const int i = network(a), j = network(b);
    const NetSpec &x = args.cohort.nets[i], &y = args.cohort.nets[j];
    return x.seed == y.seed && x.task == y.task && args.cohort.state[i].step == args.cohort.state[j].step;
  }
};

// Groups are neighbours of equal data. One block.
__global__ void __launch_bounds__(n_threads) shallow_begin_kernel(const __grid_constant__ Slice slice) {
  const CtaTeam team;
  const Shared shared = slice.shared();
  const int n = slice.n;
  team.for_each(n, [&](int i) { shared.starts[i] = i == 0 || !slice.same_data(i - 1, i); });
  team.sync();
  if (team.lane() > 0) return;
  int groups = 0;
  for (int i = 0; i < n; ++i)
    if (shared.starts[i]) shared.group[groups++] = i;
  shared.group[groups] = n;
  *shared.n_groups = groups;
}

// y[c][r] of `rows` rows x [rows][ld] and the networks at places [first, last) of the slice; 4 x 4 sums a warp.
COHORT_PHASE_FN void shallow_logits(const CtaTeam& team, const Slice& slice, int first, int last, int rows, int stride,
                                    const Real* x, int ld, Real* y) {
  const Signature& g = slice.args.cohort.signature;
  const int n_in = g.n_in, n_out = g.n_out, columns = (last - first) * n_out;
  const size_t weights = tensor(g, readout_tensor(g)).offset, bias = tensor(g, layer_bias_tensor(0)).offset;
  const int down = (rows + 3) / 4, across = (columns + 3) / 4;
  const int lane = team.lane() % 32, n_warps = team.size() / 32;
  for (int tile = team.lane() / 32; tile < down * across; tile += n_warps) {
    const int r0 = tile % down * 4, c0 = tile / down * 4;
    const Real *from[4], *w[4];
    COHORT_UNROLL
    for (int i = 0; i < 4; ++i) {
      from[i] = x + ptrdiff_t(r0 + i < rows ? r0 + i : rows - 1) * ld;
      const int c = c0 + i < columns ? c0 + i : columns - 1;
      w[i] = Network<Real>(slice.args.cohort, slice.network(first + c / n_out)).theta + weights +
             ptrdiff_t(c % n_out) * n_in;
    }
    Real acc[4][4] = {};
    for (int k = lane; k < n_in; k += 32) {
      Real xv[4], wv[4];
      COHORT_UNROLL
      for (int i = 0; i < 4; ++i) {
        xv[i] = from[i][k];
        wv[i] = w[i][k];
      }
      COHORT_UNROLL
      for (int c = 0; c < 4; ++c) COHORT_UNROLL
      for (int r = 0; r < 4; ++r) acc[c][r] += xv[r] * wv[c];
    }
    COHORT_UNROLL
    for (int c = 0; c < 4; ++c) COHORT_UNROLL
    for (int r = 0; r < 4; ++r) {
      Real sum = acc[c][r];
      for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, distance);
      if (lane != 4 * c + r || c0 + c >= columns || r0 + r >= rows) continue;
      const Network<Real> net(slice.args.cohort, slice.network(first + (c0 + c) / n_out));
      const Real constant =
          Real(logit_offset(net.spec.task)) + (g.bias ? net.theta[bias + size_t((c0 + c) % n_out)] : Real(0));
      y[(c0 + c) * stride + r0 + r] = sum + constant;
    }
  }
  team.sync();
}

// to(c)[k] = sum over rows of y[c][r] x[r][k]; a lane has 8 columns and `wide` inputs at a time, so that it reads little for what it
// computes.
template <int wide, class To>
COHORT_PHASE_FN void shallow_gradients(const CtaTeam& team, int columns, int n_in, int rows, const Real* x, int ld,
                                       const Real* y, To to) {
  constexpr int together = 8;
  for (int c0 = 0; c0 < columns; c0 += together)
    for (int k0 = team.lane(); k0 < n_in; k0 += wide * team.size()) {
      Real acc[together][wide] = {};
      int k[wide];
      COHORT_UNROLL
      for (int i = 0; i < wide; ++i) k[i] = k0 + i * team.size() < n_in ? k0 + i * team.size() : k0;
      for (int r = 0; r < rows; ++r) {
        const Real* const from = x + ptrdiff_t(r) * ld;
        Real input[wide];
        COHORT_UNROLL
        for (int i = 0; i < wide; ++i) input[i] = from[k[i]];
        COHORT_UNROLL
        for (int c = 0; c < together; ++c) {
          const Real error = y[ptrdiff_t(c0 + c < columns ? c0 + c : columns - 1) * rows + r];
          COHORT_UNROLL
          for (int i = 0; i < wide; ++i) acc[c][i] += error * input[i];
        }
      }
      COHORT_UNROLL
      for (int c = 0; c < together; ++c) {
        if (c0 + c >= columns) continue;
        COHORT_UNROLL
        for (int i = 0; i < wide; ++i) to(c0 + c)[k[i]] = acc[c][i];
      }
    }
}

// Item i is part i % n_parts of group i / n_parts.
__global__ void __launch_bounds__(n_threads) shallow_gradient_kernel(const __grid_constant__ Slice slice) {
  const CtaTeam team;
  const Shared shared = slice.shared();
  const Scratch scratch = slice.scratch();
  const Signature& g = slice.args.cohort.signature;
  const int parts = n_parts(g), most = rows_of_part(g), n_in = g.n_in, n_out = g.n_out;
  const size_t params = n_params(g), weights = tensor(g, readout_tensor(g)).offset,
               bias = tensor(g, layer_bias_tensor(0)).offset;
  for (int item = int(blockIdx.x); item < *shared.n_groups * parts; item += int(gridDim.x)) {
    const int part = item % parts, first = shared.group[item / parts], last = shared.group[item / parts + 1];
    int any = first;
    while (any < last && !slice.learns(any)) ++any;
    if (any == last) continue;
    const NetSpec& spec = slice.args.cohort.nets[slice.network(any)];
    const uint64_t step = uint64_t(slice.args.cohort.state[slice.network(any)].step);
    const int row = part * most, rows = g.batch - row < most ? g.batch - row : most;
    const Batch<Real>& b = scratch.batch;
    fill_batch(team, g, spec, slice.args.cohort.data, Split::train, {rng::phase_train, step, uint32_t(row)}, rows, b);
    shallow_logits(team, slice, first, last, rows, rows, b.x, b.ld, scratch.y);
    const bool classes = has_classes(spec.task.id);
    const Targets<Real> targets{classes ? b.label : nullptr, b.target, b.weight};
    const Real counted = team.template sum<Real>(rows, [=](int r) { return b.weight[r] ? Real(1) : Real(0); });
    for (int place = first; place < last; ++place) {
      if (!slice.learns(place)) continue;
      Real* const y = scratch.y + ptrdiff_t(place - first) * n_out * rows;
      apply_loss_at(team, spec.task.loss, y, n_out, rows, 0, rows, targets, Real(spec.task.label_smoothing),
                    Real(1) / Real(g.batch), b.row_loss);
      team.sync();
      const Real loss = team.template sum<Real>(rows, [=](int r) { return b.weight[r] ? b.row_loss[r] : Real(0); });
      if (team.lane() > 0) continue;
      shared.loss[place * parts + part] = loss;
      shared.counted[place * parts + part] = counted;
    }
    team.sync();
    const int columns = (last - first) * n_out;
    const auto to = [=](int c) {
      return shared.gradient + size_t((first + c / n_out) * parts + part) * params + weights + size_t(c % n_out * n_in);
    };
    if (n_in >= 4 * team.size())
      shallow_gradients<4>(team, columns, n_in, rows, b.x, b.ld, scratch.y, to);
    else
      shallow_gradients<1>(team, columns, n_in, rows, b.x, b.ld, scratch.y, to);
    if (g.bias)
      team.for_each(columns, [&](int c) {
        Real sum = Real(0);
        for (int r = 0; r < rows; ++r) sum += scratch.y[ptrdiff_t(c) * rows + r];
        shared.gradient[size_t((first + c / n_out) * parts + part) * params + bias + size_t(c % n_out)] = sum;
      });
    team.sync();
  }
}

// Step `done` of the launch for every network, a block each.
__global__ void __launch_bounds__(n_threads) shallow_update_kernel(const __grid_constant__ Slice slice, int64_t done) {
  const CtaTeam team;
  const Shared shared = slice.shared();
  const Args& a = slice.args;
  const Signature& g = a.cohort.signature;
  const int parts = n_parts(g);
  const size_t params = n_params(g);
  for (int place = int(blockIdx.x); place < slice.n; place += int(gridDim.x)) {
    const int i = slice.network(place);
    const Network<Real> net(a.cohort, i);
    const bool learns = slice.learns(place);
    team.sync();
    if (!learns) {
      if (team.lane() == 0 && !net.spec.natural.on)
        a.loss[size_t(i) * size_t(a.steps) + size_t(done)] = Real(__builtin_nanf(""));
      continue;
    }
    Real loss = Real(0), counted = Real(0);
    for (int p = 0; p < parts; ++p) {
      loss += shared.loss[place * parts + p];
      counted += shared.counted[place * parts + p];
    }
    const Real scale = counted > Real(0) ? Real(g.batch) / counted : Real(0);
    loss = counted > Real(0) ? loss / counted : Real(0);
    Real* const gradient = shared.gradient + size_t(place * parts) * params;
    team.for_each(int(params), [=](int k) {
      Real sum = gradient[k];
      for (int p = 1; p < parts; ++p) sum += gradient[size_t(p) * params + size_t(k)];
      gradient[k] = scale * sum;
    });
    team.sync();
    const int64_t step = net.state.step;
    const bool healthy = loss - loss == Real(0) && update(team, g, net, step, gradient);
    team.sync();
    if (team.lane() > 0) continue;
    a.loss[size_t(i) * size_t(a.steps) + size_t(done)] = loss;
    if (healthy)
      net.state.step = step + 1;
    else
      net.state.diverged_at = step;
  }
}

// ---- the row
void check_shallow(const Args& a) {
  check(a.cohort, "train", CoreId::feedforward);
  require(is_shallow(a.cohort.signature), "train", "signature",
          "is not for the program 'shallow': it takes dense networks without hidden layers, with one step and at most "
          "one bias a unit");
  check_steps(a);
}

int n_blocks(const Signature& g, int count) {
  return std::min(count * n_parts(g), gpu::n_resident_blocks(shallow_gradient_kernel, n_threads, 0));
}

// A slice of `count` networks, and the ordinary program's for those of natural gradients.
size_t slice_bytes(const Signature& g, int count) {
  return bytes_of<Shared>(g, count) + size_t(n_blocks(g, count)) * bytes_of<Scratch>(g, count);
}
size_t workspace(const Args& a, int32_t count) {
  check_shallow(a);
  require_at_least(0, count, "train", "count");
  if (count == 0) return 0;
  return std::max(slice_bytes(a.cohort.signature, count), feedforward_program().train_workspace(a, count));
}

void launch(const Args& a, const Launch& l) {
  check_shallow(a);
  check(a.cohort, l, workspace(a, 1), "train");
  if (l.count == 0 || a.steps == 0) return;
  check_history(a);
  const Signature& g = a.cohort.signature;
  int most = l.count;  // networks of a slice
  while (most > 1 && slice_bytes(g, most) > l.workspace_bytes) most = (most + 1) / 2;
  for (int first = 0; first < l.count; first += most) {
    const int n = std::min(most, l.count - first);
    const Slice slice = {a,
                         l.networks ? l.networks + first : nullptr,
                         l.first + first,
                         n,
                         static_cast<unsigned char*>(l.workspace),
                         bytes_of<Shared>(g, n),
                         bytes_of<Scratch>(g, n)};
    gpu::launch(shallow_begin_kernel, 1, n_threads, 0, l.stream, slice);
    for (int64_t done = 0; done < a.steps; ++done) {
      gpu::launch(shallow_gradient_kernel, n_blocks(g, n), n_threads, 0, l.stream, slice);
      gpu::launch(shallow_update_kernel, n, n_threads, 0, l.stream, slice, done);
    }
  }
  train_natural(a, l);
}

}  // namespace

const Program<Real>& shallow_program() {
  static const Program<Real> program = [] {
    Program<Real> p = feedforward_program();
    p.name = "shallow";
    p.together = true;
    p.train_workspace = workspace;
    p.train = launch;
    return p;
  }();
  return program;
}
const char* shallow_refuses(const Signature& g) {
  return is_shallow(g)             ? nullptr
         : g.n_layers > 0          ? "hidden layers"
         : g.n_steps > 1           ? "more than one step"
         : g.cell != CellId::dense ? "cells that are not dense"
                                   : "biases of several parts";
}

COHORT_END

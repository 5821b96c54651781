// Networks without hidden layers (is_shallow) that learn from the same data, all at once: every input is drawn once and meets the
// weights of all networks while it is in the cache. Logits are X W^T and gradients E^T X, with X [rows][n_in] and one row of W and
// one column of E per network and output. What a network computes, and in which order, does not depend on the others.
#pragma once

#include "program/evaluate.h"
#include "team/serial.h"

COHORT_BEGIN

template <class Real>
struct ShallowTile {
  using Vec = typename Tile<Real>::Vec;
  static constexpr int lanes = Tile<Real>::lanes;
  // As many products of rows of x and w at once as a vector has lanes, so that all their sums are one vector.
  static constexpr int rows = lanes < 4 ? lanes : 4, cols = lanes / rows;
  // Inputs that are multiplied at a time: of 16 columns they fit in the first-level cache.
  static constexpr int piece = 2048 / int(sizeof(Real));

  // out[c * rows + r] = sum_k x[r][k] w[c][k] for c < n, k < length, a multiple of `lanes`. Meanwhile next [length] is fetched.
  template <int n>
  static __attribute__((noinline)) void multiply(const Real* const* x, const Real* const* w, int length,
                                                 const Real* next, Real* out) {
    Vec acc[n][rows] = {};
    const Real *const x0 = x[0], *const x1 = x[rows > 1], *const x2 = x[rows > 2 ? 2 : 0],
                      *const x3 = x[rows > 2 ? 3 : 0];
    for (int k = 0; k < length; k += lanes) {
      __builtin_prefetch(next + k);
      Vec xv[4];
      xv[0] = *reinterpret_cast<const Vec*>(x0 + k);
      xv[1] = *reinterpret_cast<const Vec*>(x1 + k);
      xv[2] = *reinterpret_cast<const Vec*>(x2 + k);
      xv[3] = *reinterpret_cast<const Vec*>(x3 + k);
#pragma GCC unroll 4
      for (int c = 0; c < n; ++c) {
        const Vec wv = *reinterpret_cast<const Vec*>(w[c] + k);
#pragma GCC unroll 4
        for (int r = 0; r < rows; ++r) acc[c][r] += xv[r] * wv;
      }
    }
    Vec all[lanes] = {};
#pragma GCC unroll 4
    for (int c = 0; c < n; ++c)
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) all[c * rows + r] = acc[c][r];
    Tile<Real>::template sums<lanes / 2>(all, std::make_integer_sequence<int, lanes>{});
    *reinterpret_cast<Vec*>(out) = all[0];
  }
  template <int n>
  static COHORT_FORCE_INLINE void multiply_some(int have, const Real* const* x, const Real* const* w, int length,
                                                const Real* next, Real* out) {
    if (have == n)
      multiply<n>(x, w, length, next, out);
    else if constexpr (n > 1)
      multiply_some<n - 1>(have, x, w, length, next, out);
  }
};

// Rows of weights where they are. Their last piece is a copy [piece] that goes on with zeros.
template <class Real>
struct ShallowWeights {
  const Real** row;  // [columns]
  Real* last;        // [columns][piece]

  const Real* at(int column, int k, bool in_last) const {
    return in_last ? last + ptrdiff_t(column) * ShallowTile<Real>::piece : row[column] + k;
  }
};

// y[c * ldy + r] += sum_k x[r * ld + k] w_c[k], r < rows, c < cols, k < ld, a multiple of a vector. Pieces of `together` rows of w
// stay in the first-level cache while those of x go by, each fetched while the ones before it are multiplied.
template <class Real>
inline void add_logits(int rows, int cols, int ld, const Real* x, const ShallowWeights<Real>& w, Real* y,
                       ptrdiff_t ldy) {
  using T = ShallowTile<Real>;
  constexpr int together = 16;
  for (int k = 0; k < ld; k += T::piece) {
    const bool in_last = ld - k <= T::piece;
    const int length = in_last ? ld - k : T::piece;
    for (int block = 0; block < cols; block += together) {
      const int end = cols - block < together ? cols : block + together;
      for (int r = 0; r < rows; r += T::rows) {
        const int n = rows - r < T::rows ? rows - r : T::rows;
        const Real *of_x[T::rows], *of_w[T::cols], *next = x + ptrdiff_t(r + n < rows ? r + n : 0) * ld + k;
        if (r + n >= rows && end == cols) next += length;
        for (int i = 0; i < T::rows; ++i) of_x[i] = x + ptrdiff_t(r + (i < n ? i : n - 1)) * ld + k;
        for (int c = block; c < end; c += T::cols, next += ld) {
          const int have = end - c < T::cols ? end - c : T::cols;
          for (int j = 0; j < have; ++j) of_w[j] = w.at(c + j, k, in_last);
          alignas(64) Real out[T::lanes];
          T::template multiply_some<T::cols>(have, of_x, of_w, length, next, out);
          for (int j = 0; j < have; ++j)
            for (int i = 0; i < n; ++i) y[(c + j) * ldy + r + i] += out[j * T::rows + i];
        }
      }
    }
  }
}

// f(c, k, sum_r e[c * lde + r] x[r * ld + k]) for c < cols, k < n_in. Panels of x stay in the first-level cache; each is fetched
// while the one before it is multiplied.
template <class Real, class F>
inline void for_each_gradient(int rows, int cols, int n_in, const Real* e, ptrdiff_t lde, const Real* x, ptrdiff_t ld,
                              F f) {
  constexpr int width = Tile<Real>::widest * Tile<Real>::lanes, height = 6, line = 64 / int(sizeof(Real));
  const SerialTeam team;
  for (int k = 0; k < n_in; k += width) {
    const int have = n_in - k < width ? n_in - k : width;
    for (int c = 0; c < cols; c += height) {
      const int ahead = width + c / height * line % width;
      const Product<Real> product[1] = {{e + c * lde, lde, 1, x + k, ld, rows, ahead}};
      const int high = cols - c < height ? cols - c : height;
      if (have == width)
        team.gemm(high, width, product, [=](int i, int j, Real v) { f(c + i, k + j, v); });
      else
        team.gemm(high, have, product, [=](int i, int j, Real v) {
          if (j < have) f(c + i, k + j, v);
        });
    }
  }
}

// For a group of up to `count` networks.
template <class Real>
struct ShallowWorkspace {
  Batch<Real> batch;       // x [batch][ld]
  Real* y;                 // [count][n_out][batch]
  ShallowWeights<Real> w;  // [count][n_out]
  Real* b;                 // [count][n_out]
  Real* gradient;          // [count][n_params]
  Real* loss;              // [count]
  int32_t* networks;       // [count] those that learn
  double* right;           // [count] of evaluations
  double* mean;            // [count]

  COHORT_FN static ShallowWorkspace carve(Arena& arena, const Signature& g, int count, Purpose purpose) {
    const size_t ld = size_t(SerialTeam::pad<Real>(g.n_in)), columns = size_t(count) * size_t(g.n_out);
    ShallowWorkspace w{};
    w.batch = Batch<Real>::carve(arena, g, g.batch, int(ld));
    w.y = arena.take<Real>(columns * size_t(g.batch));
    w.w = {arena.take<const Real*>(columns), arena.take<Real>(columns * size_t(ShallowTile<Real>::piece))};
    w.b = arena.take<Real>(columns);
    w.loss = arena.take<Real>(size_t(count));
    if (purpose == Purpose::learning) {
      w.gradient = arena.take<Real>(size_t(count) * n_params(g));
      w.networks = arena.take<int32_t>(size_t(count));
    } else {
      w.right = arena.take<double>(size_t(count));
      w.mean = arena.take<double>(size_t(count));
    }
    return w;
  }
};
template <class Real>
size_t shallow_bytes(const Signature& g, int count, Purpose purpose) {
  Arena arena(nullptr);
  ShallowWorkspace<Real>::carve(arena, g, count, purpose);
  return arena.used();
}

// Rows of x that are drawn and used at a time, so that they stay in the second-level cache.
template <class Real>
int shallow_rows(const Signature& g) {
  constexpr int bytes = 512 << 10;
  const int fit = bytes / (SerialTeam::pad<Real>(g.n_in) * int(sizeof(Real))) / 4 * 4;
  return fit < 16 ? 16 : fit > 256 ? 256 : fit;
}

// A generated training set that is one batch: the same at every step but for the order of its trials.
inline bool is_one_batch(const Signature& g, const TaskSpec& task) {
  bool generated = false;
  with_task(task.id, [&](auto t) { generated = t.needs_data == DataKind::none; });
  return generated && task.samples == g.batch;
}

// Does the network go the ordinary way? Natural gradients take a second pass over labels of their own.
inline bool learns_alone(const NetSpec& spec) { return spec.natural.on; }

// Rows [first, first + rows) of a batch of n that lies in memory, `count` networks.
template <class Real>
inline void shallow_logits(const Signature& g, int count, int n, int first, int rows, const ShallowWorkspace<Real>& w) {
  const int columns = count * g.n_out, ld = w.batch.ld;
  for (int c = 0; c < columns; ++c)
    for (int r = 0; r < rows; ++r) w.y[ptrdiff_t(c) * n + first + r] = Real(0);
  add_logits(rows, columns, ld, w.batch.x + ptrdiff_t(first) * ld, w.w, w.y + first, n);
  for (int c = 0; c < columns; ++c)
    for (int r = 0; r < rows; ++r) w.y[ptrdiff_t(c) * n + first + r] += w.b[c];
}

// Weights and biases, with the task's own part of the logit, of these networks.
template <class Real>
inline void shallow_weights(const Cohort<Real>& cohort, const int32_t* networks, int count,
                            const ShallowWorkspace<Real>& w) {
  const Signature& g = cohort.signature;
  constexpr int piece = ShallowTile<Real>::piece;
  const int n_in = g.n_in, n_out = g.n_out, ld = w.batch.ld, last = (n_in - 1) / piece * piece;
  const Tensor weights = tensor(g, readout_tensor(g)), bias = tensor(g, layer_bias_tensor(0));
  for (int i = 0; i < count; ++i) {
    const Network<Real> net(cohort, networks[i]);
    const Real offset = Real(logit_offset(net.spec.task));
    for (int o = 0; o < n_out; ++o) {
      const Real* const from = net.theta + weights.offset + ptrdiff_t(o) * n_in;
      Real* const to = w.w.last + ptrdiff_t(i * n_out + o) * piece;
      w.w.row[i * n_out + o] = from;
      for (int k = last; k < n_in; ++k) to[k - last] = from[k];
      for (int k = n_in; k < ld; ++k) to[k - last] = Real(0);
      w.b[i * n_out + o] = (g.bias ? net.theta[bias.offset + size_t(o)] : Real(0)) + offset;
    }
  }
}

// One step of the networks in w.networks: their losses in w.loss, their gradients in w.gradient. `drawn`: the whole batch is in
// memory.
template <class Real>
inline void shallow_gradients(const TrainArgs<Real>& a, const NetSpec& spec, int count, int64_t step, bool drawn,
                              const ShallowWorkspace<Real>& w) {
  const SerialTeam team;
  const Signature& g = a.cohort.signature;
  const TaskSpec& task = spec.task;
  const int n_out = g.n_out, columns = count * n_out, ld = w.batch.ld;
  const Batch<Real>& batch = w.batch;
  const Targets<Real> targets{has_classes(task.id) ? batch.label : nullptr, batch.target, batch.weight};
  const int most = drawn ? (g.batch < 512 ? g.batch : 512) : shallow_rows<Real>(g);
  const Tensor weights = tensor(g, readout_tensor(g)), bias = tensor(g, layer_bias_tensor(0));
  const ptrdiff_t stride = ptrdiff_t(n_params(g));
  for (int i = 0; i < count; ++i) w.loss[i] = Real(0);
  Real counted = Real(0);
  for (int row = 0; row < g.batch; row += most) {
    const int rows = g.batch - row < most ? g.batch - row : most, n = drawn ? g.batch : rows, first = drawn ? row : 0;
    if (!drawn)
      fill_batch(team, g, spec, a.cohort.data, Split::train, {rng::phase_train, uint64_t(step), uint32_t(row)}, rows,
                 batch);
    shallow_logits(g, count, n, first, rows, w);
    const uint8_t* const weight = batch.weight + first;
    counted += team.sum<Real>(rows, [=](int r) { return weight[r] ? Real(1) : Real(0); });
    for (int i = 0; i < count; ++i) {
      apply_loss_at(team, task.loss, w.y + ptrdiff_t(i) * n_out * n, n_out, n, first, first + rows, targets,
                    Real(task.label_smoothing), Real(1) / Real(g.batch), batch.row_loss);
      const Real* const losses = batch.row_loss + first;
      w.loss[i] += team.sum<Real>(rows, [=](int r) { return weight[r] ? losses[r] : Real(0); });
    }
    Real* const to = w.gradient + weights.offset;
    const auto at = [=](int c, int k) { return (c / n_out) * stride + (c % n_out) * ptrdiff_t(g.n_in) + k; };
    const Real *const e = w.y + first, *const x = batch.x + ptrdiff_t(first) * ld;
    if (row == 0)
      for_each_gradient(rows, columns, g.n_in, e, n, x, ld, [=](int c, int k, Real v) { to[at(c, k)] = v; });
    else
      for_each_gradient(rows, columns, g.n_in, e, n, x, ld, [=](int c, int k, Real v) { to[at(c, k)] += v; });
    if (!g.bias) continue;
    for (int c = 0; c < columns; ++c) {
      Real& sum = w.gradient[(c / n_out) * stride + ptrdiff_t(bias.offset) + c % n_out];
      sum = (row == 0 ? Real(0) : sum) + team.sum<Real>(rows, [=](int r) { return e[ptrdiff_t(c) * n + r]; });
    }
  }
  const Real scale = counted > Real(0) ? Real(1) / counted : Real(0);
  for (int i = 0; i < count; ++i) w.loss[i] *= scale;
  if (counted == Real(g.batch)) return;
  for (ptrdiff_t i = 0; i < count * stride; ++i) w.gradient[i] *= Real(g.batch) * scale;
}

// Up to a.steps steps of networks [count] with the same data, at the same step; of those that learn alone none.
template <class Real>
void train_shallow(const TrainArgs<Real>& a, const int32_t* networks, int count, void* memory) {
  const SerialTeam team;
  const Signature& g = a.cohort.signature;
  Arena arena(memory);
  const ShallowWorkspace<Real> w = ShallowWorkspace<Real>::carve(arena, g, count, Purpose::learning);
  bool any = false;
  for (int i = 0; i < count; ++i) {
    if (learns_alone(a.cohort.nets[networks[i]])) continue;
    any = true;
    for (int64_t k = 0; k < a.steps; ++k) a.loss[networks[i] * a.steps + k] = Real(__builtin_nanf(""));
  }
  if (!any) return;
  const NetSpec& spec = a.cohort.nets[networks[0]];
  const bool drawn = is_one_batch(g, spec.task);
  if (drawn) fill_batch(team, g, spec, a.cohort.data, Split::train, {rng::phase_probe, 0, 0}, g.batch, w.batch);
  for (int64_t done = 0; done < a.steps; ++done) {
    int n = 0;
    int64_t step = 0;
    for (int i = 0; i < count; ++i) {
      const NetState& state = a.cohort.state[networks[i]];
      const NetSpec& own = a.cohort.nets[networks[i]];
      if (learns_alone(own) || state.diverged_at >= 0 || state.step >= own.steps) continue;
      w.networks[n++] = networks[i];
      step = state.step;
    }
    if (n == 0) return;
    shallow_weights(a.cohort, w.networks, n, w);
    shallow_gradients(a, spec, n, step, drawn, w);
    for (int i = 0; i < n; ++i) {
      const Network<Real> net(a.cohort, w.networks[i]);
      Real* const gradient = w.gradient + ptrdiff_t(i) * ptrdiff_t(n_params(g));
      a.loss[ptrdiff_t(w.networks[i]) * a.steps + done] = w.loss[i];
      const bool healthy = w.loss[i] - w.loss[i] == Real(0) && update(team, g, net, step, gradient);
      if (healthy)
        ++net.state.step;
      else
        net.state.diverged_at = step;
    }
  }
}

// Networks [count] with the same data.
template <class Real>
void evaluate_shallow(const EvaluateArgs<Real>& a, const int32_t* networks, int count, void* memory) {
  const SerialTeam team;
  const Signature& g = a.cohort.signature;
  Arena arena(memory);
  const ShallowWorkspace<Real> w = ShallowWorkspace<Real>::carve(arena, g, count, Purpose::forward);
  shallow_weights(a.cohort, networks, count, w);
  const NetSpec& spec = a.cohort.nets[networks[0]];
  const TaskSpec& task = spec.task;
  const Batch<Real>& batch = w.batch;
  const Targets<Real> targets{has_classes(task.id) ? batch.label : nullptr, batch.target, batch.weight};
  const rng::Phase phase = a.split == Split::validation ? rng::phase_validate : rng::phase_evaluate;
  const bool answers = has_accuracy(task, g.n_out);
  const int most = shallow_rows<Real>(g) < g.batch ? shallow_rows<Real>(g) : g.batch;
  for (int i = 0; i < count; ++i) w.right[i] = w.mean[i] = 0;
  for (int done = 0; done < a.trials; done += g.batch) {
    const int of_batch = a.trials - done < g.batch ? a.trials - done : g.batch;
    double counted = 0;
    for (int i = 0; i < count; ++i) w.loss[i] = Real(0);
    for (int row = 0; row < of_batch; row += most) {
      const int rows = of_batch - row < most ? of_batch - row : most;
      fill_batch(team, g, spec, a.cohort.data, a.split, {phase, 0, uint32_t(done + row)}, rows, batch);
      shallow_logits(g, count, rows, 0, rows, w);
      const uint8_t* const weight = batch.weight;
      counted += double(team.sum<Real>(rows, [=](int r) { return weight[r] ? Real(1) : Real(0); }));
      for (int i = 0; i < count; ++i) {
        Real* const y = w.y + ptrdiff_t(i) * g.n_out * rows;
        if (answers) w.right[i] += count_right(team, task, g.n_out, y, rows, 0, rows, batch);
        apply_loss_at(team, task.loss, y, g.n_out, rows, 0, rows, targets, Real(task.label_smoothing), Real(1),
                      batch.row_loss);
        const Real* const losses = batch.row_loss;
        w.loss[i] += team.sum<Real>(rows, [=](int r) { return weight[r] ? losses[r] : Real(0); });
      }
    }
    for (int i = 0; i < count && counted > 0; ++i) w.mean[i] += of_batch * double(w.loss[i]) / counted;
  }
  for (int i = 0; i < count; ++i) {
    a.loss[networks[i]] = w.mean[i] / a.trials;
    a.accuracy[networks[i]] = answers ? w.right[i] / a.trials : __builtin_nan("");
  }
}

COHORT_END

// One batch: inputs, labels or targets, and which positions count; generated or gathered where it is used.
#pragma once

#include "program/dispatch.h"
#include "team/arena.h"

COHORT_BEGIN

template <class Real>
struct Batch {
  Real* x;          // [T][rows][ld], beyond n_in 0
  int ld;           // at least n_in
  Real* y;          // [n_out][T][rows] logits, then errors
  Real* target;     // [n_out][T][rows]
  Real* row_loss;   // [T][rows]
  Real* noise;      // [4][rows]
  int32_t* label;   // [T][rows]
  int32_t* sample;  // [rows] of the samples that trials are made of
  uint8_t* weight;  // [T][rows]
  Real* scratch;    // [n_task_scratch(n_in)]

  COHORT_FN static Batch carve(Arena& arena, const Signature& g, int rows) { return carve(arena, g, rows, g.n_in); }
  COHORT_FN static Batch carve(Arena& arena, const Signature& g, int rows, int ld) {
    const size_t n = size_t(g.n_steps) * size_t(rows);
    Batch b;
    b.ld = ld;
    b.x = arena.take<Real>(n * size_t(ld));
    b.y = arena.take<Real>(n * size_t(g.n_out));
    b.target = arena.take<Real>(n * size_t(g.n_out));
    b.row_loss = arena.take<Real>(n);
    b.noise = arena.take<Real>(4 * size_t(rows));
    b.label = arena.take<int32_t>(n);
    b.sample = arena.take<int32_t>(size_t(rows));
    b.weight = arena.take<uint8_t>(n);
    b.scratch = arena.take<Real>(n_task_scratch(g.n_in));
    return b;
  }
};

// Which trials: the stream's phase and the number of the batch in it; `first` + row is the trial's index.
struct BatchKey {
  rng::Phase phase;
  uint64_t number;
  uint32_t first;
};

// sample [rows]: that of every trial, of `count`. Training walks through shuffled epochs, everything else through them in their
// order. A lane's rows are those of team.lane() + k team.size(), or all. No sync.
template <class Team>
COHORT_TEAM_FN void choose_samples(const Team& team, const NetSpec& spec, int count, const BatchKey& key, int rows,
                                   int batch, int32_t* sample) {
  constexpr int block = Team::block > 1 ? 128 : 1;
  const uint64_t from = key.number * uint64_t(batch) + key.first;
  for (int first = team.lane() * block; first < rows; first += team.size() * block) {
    const int n = rows - first < block ? rows - first : block;
    uint32_t chosen[block], epoch[block];
    for (int j = 0; j < n; ++j) {
      const uint64_t trial = from + uint64_t(first + j);
      chosen[j] = uint32_t(trial % uint64_t(count));
      epoch[j] = uint32_t(trial / uint64_t(count));
    }
    if (key.phase == rng::phase_train)
      rng::permute<block>(n, chosen, epoch, uint32_t(count), {spec.seed, 0, rng::stream_shuffle, key.phase, 0});
    for (int j = 0; j < n; ++j) sample[first + j] = int32_t(chosen[j]);
  }
}

// Fills `rows` trials. Ends synced. Generated trials and their noise come from the phase's own streams, by batch and row;
// those of a fixed training set (TaskSpec::samples) from the streams of training, by their sample alone.
template <class Team, class Real>
COHORT_PHASE_FN void fill_batch(const Team& team, const Signature& g, const NetSpec& spec, const Dataset& data,
                                Split split, const BatchKey& key, int rows, const Batch<Real>& b) {
  const int steps = g.n_steps, n_in = g.n_in, ld = b.ld, n = steps * rows;
  team.for_each(n, [=](int i) { b.weight[i] = 1; });
  with_task(spec.task.id, [&](auto task) {
    if constexpr (requires { task.fills_inputs; })
      team.for_each_2d(n, ld - n_in, [=](int r, int i) { b.x[r * ld + n_in + i] = Real(0); });
    else
      team.for_each(n * ld, [=](int i) { b.x[i] = Real(0); });
    if (!task.classes) team.for_each(n * g.n_out, [=](int i) { b.target[i] = Real(0); });
  });
  team.sync();
  const double* const p = spec.task.param;
  with_task(spec.task.id, [&](auto task) {
    constexpr DataKind kind = decltype(task)::needs_data;
    const int samples = n_samples(kind, data, spec.task, split);
    const bool fixed = kind == DataKind::none && samples > 0;
    const rng::Phase phase = fixed ? rng::phase_train : key.phase;
    const uint64_t number = fixed ? 0 : key.number;
    const rng::Key trials(spec.seed, 0, rng::stream_trial, phase, number);
    if (samples > 0) choose_samples(team, spec, samples, key, rows, g.batch, b.sample);
    for (int r = team.lane(); r < rows; r += team.size()) {
      const int sample = samples > 0 ? b.sample[r] : 0;
      rng::Sequence random(trials, fixed ? uint32_t(sample) : key.first + uint32_t(r));
      Trial<Real> trial(b.x + r * ld, ptrdiff_t(rows) * ld, n_in, b.label + r, b.target + r, b.weight + r, rows, n,
                        split == Split::train);
      const int first = kind == DataKind::none ? 0 : data.first[int(split)];
      task.trial(p, data, first + sample, random, trial);
    }
    team.sync();
    if constexpr (requires { task.n_blocks(p); }) {
      task.prepare(team, p, b.scratch);
      for (int r = 0; r < rows; ++r) {
        const uint32_t trial = fixed ? 0 : key.first + uint32_t(r);
        const rng::Key noise(spec.seed, 0, rng::stream_noise, phase, fixed ? uint64_t(b.sample[r]) : number);
        task.add_inputs(team, p, noise, trial * task.n_blocks(p), b.scratch, b.x + r * ld);
      }
    }
    const uint32_t blocks = uint32_t(n_in + 3) / 4;  // of a trial and step: its noise does not depend on its batch
    for (int t = 0; t < steps; ++t) {
      for (int q = 0; 4 * q < n_in; ++q) {
        const int have = n_in - 4 * q < 4 ? n_in - 4 * q : 4;
        Real sd[4] = {};
        bool noisy = false;
        for (int i = 0; i < have; ++i) {
          sd[i] = Real(task.noise_sd(p, t, 4 * q + i));
          noisy = noisy || sd[i] > Real(0);
        }
        if (!noisy) continue;
        Real* const z = b.noise;
        if (fixed) {
          const uint32_t block = uint32_t(t) * blocks + uint32_t(q);
          team.for_each(rows, [=](int r) {
            const rng::Key noise(spec.seed, 0, rng::stream_noise, rng::phase_train, uint64_t(b.sample[r]));
            rng::four_normals(noise, block, z + r, z + rows + r, z + 2 * rows + r, z + 3 * rows + r);
          });
        } else {
          const rng::Key noise(spec.seed, 0, rng::stream_noise, phase, number);
          const uint32_t base = (key.first * uint32_t(steps) + uint32_t(t)) * blocks + uint32_t(q),
                         next = uint32_t(steps) * blocks;
          rng::fill_normals(team, noise, base, next, rows, z);
        }
        Real* const x = b.x + ptrdiff_t(t) * rows * ld + 4 * q;
        for (int i = 0; i < have; ++i) team.for_each(rows, [=](int r) { x[r * ld + i] += sd[i] * z[i * rows + r]; });
      }
    }
  });
  team.sync();
  if (spec.task.loss_steps != LossSteps::masked) {
    const int first = spec.task.loss_steps == LossSteps::last ? (steps - 1) * rows : 0;
    team.for_each(n, [=](int i) { b.weight[i] = i >= first; });
    team.sync();
  }
}

COHORT_END

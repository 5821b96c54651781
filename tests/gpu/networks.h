// Small networks that between them use every word of the registry.
#pragma once

#include <algorithm>
#include <random>
#include <vector>

#include "cohort/kernels.h"

namespace cohort::testing {

// At its defaults; one that reads tokens with few words.
inline TaskSpec task_of(TaskId id) {
  const TaskInfo& info = task_info(id);
  TaskSpec task;
  task.id = id;
  task.loss = info.loss;
  task.loss_steps = info.loss_steps;
  for (int i = 0; i < info.n_params; ++i) task.param[i] = info.params[i].value;
  if (info.needs_data == DataKind::tokens) {
    const double small[] = {9, 4, 3};  // words, numbers per word, steps
    std::copy_n(small, 3, task.param);
  }
  return task;
}

inline TaskSpec decision_task(int stimulus_steps) {
  TaskSpec task = task_of(TaskId::perceptual_decision);
  task.param[0] = stimulus_steps;
  return task;
}

inline Signature signature_of(const TaskSpec& task, int n_hidden, int n_layers, int batch, bool bias,
                              int n_inhibitory = 0) {
  const TaskInfo& info = task_info(task.id);
  return {.core = CoreId::recurrent,
          .n_in = info.n_in(task.param),
          .n_hidden = n_hidden,
          .n_layers = n_layers,
          .n_out = info.n_out(task.param),
          .n_inhibitory = n_inhibitory,
          .batch = batch,
          .n_steps = info.n_steps(task.param),
          .bias = bias ? 1 + n_hidden % 2 : 0,  // one part or two
          .bias_recurrent = bias && n_hidden % 3 == 0 ? 4 : 0};
}

// `count` networks of one signature; number i takes the words of the registry in turn, with different strides, so that
// they meet in many combinations. The last one diverges.
inline std::vector<NetSpec> variety(const Signature& g, const TaskSpec& task, int count) {
  std::vector<NetSpec> nets(size_t(count), NetSpec{});
  for (int i = 0; i < count; ++i) {
    NetSpec& s = nets[size_t(i)];
    const bool dann = g.n_inhibitory > 0, column_ei = !dann && i % 3 == 1;
    s.seed = 1000 + uint64_t(i / 2);
    s.pairing_salt = uint32_t(i % 2);
    s.parameterisation = dann        ? ParameterisationId::dann
                         : column_ei ? ParameterisationId::column_ei
                                     : ParameterisationId::dense;
    s.activation = ActivationId(i % n_activations);
    s.n_excitatory = g.n_hidden - 2;
    s.alpha = i % 2 ? 0.4 : 1.0;
    s.noise = i % 3 == 2 ? 0.1 : 0.0;
    s.task = task;
    if (task_info(task.id).classes) {
      s.task.loss = LossId((i / 2) % n_losses);
      s.task.label_smoothing = i % 4 == 0 ? 0.1 : 0.0;
    }
    s.task.loss_steps = LossSteps(i % 3);
    if (dann) {
      s.init.recurrent = s.init.input = s.init.readout = DistributionId::dann;
      s.init.iid_inhibition = i % 2;
    } else if (column_ei) {
      s.init.recurrent = DistributionId::column_ei_balanced;
    } else {
      constexpr DistributionId signed_ones[] = {DistributionId::normal, DistributionId::uniform,
                                                DistributionId::exponential, DistributionId::log_normal,
                                                DistributionId::orthogonal};
      s.init.recurrent = signed_ones[i % 5];
      s.init.readout = signed_ones[(i + 2) % 5];
    }
    s.init.bias = BiasStart(i % 3);
    s.init.density = i % 4 == 2 ? 0.5 : 1.0;
    for (int role = 0; role < n_roles; ++role) {
      RuleSpec& r = s.rule[role];
      const int k = i + role;
      r.geometry = GeometryId(k % n_geometries);
      r.projection = dann || column_ei ? ProjectionId::clamp : ProjectionId((k / 2) % n_projections);
      r.schedule = ScheduleId(k % n_schedules);
      r.nesterov = k % 2;
      r.p = k % 2 ? 3.0 : 1.7;
      r.beta = 0.5;
      r.lr = 0.01 * (1 + role);
      r.momentum = k % 4 ? 0.9 : 0.0;
      r.dampening = k % 5 == 1 ? 0.2 : 0.0;
      r.weight_decay = k % 3 == 1 ? 0.01 : 0.0;
      r.clip = k % 2 ? 0.05 : 0.0;
      r.warmup = k % 3 == 2 ? 3 : 0;
      r.cooldown = k % 4 == 3 ? 2 : 0;
      r.decay_every = 2;
      r.decay_factor = 0.7;
      r.adam = k % 7 == 5;
      r.adam_beta2 = 0.99;
      r.adam_epsilon = 0.01;  // else the sign of a gradient that is all rounding would count
    }
    s.clip_scope = i % 2 ? ClipScope::tensor : i % 4 ? ClipScope::cell : ClipScope::global;
    s.clip = i % 2 == 0 ? 0.2 : 0.0;
    if (i % 3 == 2) s.fisher = {0.25, 0.75, 0.0, 0.0};
    if (i % 4 == 3) s.search = {4, 1e-3};  // by the plain step, whatever else a rule has
    s.steps = i % 5 == 4 ? 4 : 5;
  }
  NetSpec& last = nets.back();
  last.activation = ActivationId::linear;
  last.init.gain = 1e38;
  last.noise = 0;
  return nets;
}

struct Images {
  int rows = 28, cols = 28;
  std::vector<uint8_t> pixels, labels;
  explicit Images(int count) : pixels(size_t(count * rows * cols)), labels(size_t(count)) {
    std::mt19937 random(1);
    for (auto& p : pixels) p = uint8_t(random() % 256);
    for (auto& l : labels) l = uint8_t(random() % 10);
  }
};

// Windows of a text for networks of a signature, and embeddings of its words.
struct Text {
  std::vector<int32_t> tokens;
  std::vector<float> embeddings;
  Text(const Signature& g, int windows)
      : tokens(size_t(windows * g.n_steps + 1)), embeddings(size_t(g.n_out) * size_t(g.n_in)) {
    std::mt19937 random(2);
    for (auto& t : tokens) t = int32_t(random() % unsigned(g.n_out));
    for (auto& e : embeddings) e = float(random() % 1000) / 500 - 1;
  }
};

}  // namespace cohort::testing

// What the CUDA programs ask of their arguments. Each throws cohort::Error: operation, field, value, what is allowed.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "cohort/error.h"
#include "core/recurrent.h"
#include "team/cta.h"

COHORT_BEGIN

inline void require(bool good, const char* operation, const char* field, const std::string& problem) {
  if (!good) throw Error(std::string(operation) + ": " + field + " " + problem);
}

inline void require_memory(const void* memory, const char* operation, const char* field) {
  require(memory != nullptr, operation, field, "is null; allowed: device memory");
}

inline void require_at_least(int64_t least, int64_t value, const char* operation, const char* field) {
  require(value >= least, operation, field,
          "is " + std::to_string(value) + "; allowed: " + std::to_string(least) + " or more");
}

inline void require_tensor(const Signature& g, int32_t k, const char* operation) {
  const bool weights = k >= 0 && k < n_tensors(g) && is_weights(tensor(g, k).role) && tensor(g, k).rows > 0;
  require(weights, operation, "tensor", "is " + std::to_string(k) + "; allowed: a weight tensor of the signature");
}

inline void require_between(int64_t least, int64_t most, int64_t value, const char* operation, const char* field) {
  require(value >= least && value <= most, operation, field,
          "is " + std::to_string(value) + "; allowed: " + std::to_string(least) + " to " + std::to_string(most));
}

inline void check_feedforward(const Signature& g, const char* operation) {
  require_between(0, max_layers, g.n_layers, operation, "n_layers");
  require_between(0, n_cells - 1, int64_t(g.cell), operation, "cell");
  require_at_least(g.n_layers > 0 ? 1 : 0, g.n_hidden, operation, "n_hidden");
  for (int l = 0; l < g.n_layers; ++l) require_between(0, g.n_hidden, g.widths[l], operation, "widths");
  require_between(0, 1, g.normalised_readout, operation, "normalised_readout");
  const bool inhibition = has_inhibition(g.cell);
  require_between(inhibition ? 1 : 0, inhibition ? INT32_MAX : 0, g.n_inhibitory, operation, "n_inhibitory");
  require_between(0, inhibition ? INT32_MAX : 0, g.n_inhibitory_readout, operation, "n_inhibitory_readout");
  require(n_params(g) < size_t(1) << 31, operation, "n_hidden", "gives 2^31 parameters or more");
}

// `core`: of the networks that the operation is for; any if there is none.
template <class Real>
void check(const Cohort<Real>& c, const char* operation, std::optional<CoreId> core = CoreId::recurrent) {
  const Signature& g = c.signature;
  require_between(0, n_cores - 1, int64_t(g.core), operation, "core");
  if (core)
    require(g.core == *core, operation, "core", *core == CoreId::recurrent ? "is not recurrent" : "is not feedforward");
  require_at_least(1, g.n_in, operation, "n_in");
  require_at_least(1, g.n_out, operation, "n_out");
  require_at_least(1, g.batch, operation, "batch");
  require_at_least(1, g.n_steps, operation, "n_steps");
  require_at_least(0, g.n_inhibitory, operation, "n_inhibitory");
  if (g.core == CoreId::feedforward) {
    check_feedforward(g, operation);
  } else {
    require_at_least(1, g.n_hidden, operation, "n_hidden");
    require_between(1, RecurrentWeights<Real>::max_layers, g.n_layers, operation, "n_layers");
    require_between(0, g.n_layers - 1, g.n_dense, operation, "n_dense");
  }
  const int64_t widest = CtaTeam::pad<Real>(std::max({g.n_in, g.n_hidden, g.n_out}));
  require(double(widest) * g.batch * (g.n_steps + 1.0) < 2147483648.0, operation, "batch",
          "times n_steps times the widest layer is beyond 2^31");
}

template <class Real>
void check_memory(const Cohort<Real>& c, const char* operation) {
  require_memory(c.nets, operation, "nets");
  require_memory(c.state, operation, "state");
  require_memory(c.theta, operation, "theta");
}

// Of a launch: which networks, and a workspace of at least `bytes`.
template <class Real>
void check(const Cohort<Real>& c, const Launch& l, size_t bytes, const char* operation) {
  require_at_least(0, l.first, operation, "first");
  require_at_least(0, l.count, operation, "count");
  require(int64_t(l.first) + l.count <= c.n_nets, operation, "first + count",
          "is " + std::to_string(int64_t(l.first) + l.count) + "; allowed: up to n_nets = " + std::to_string(c.n_nets));
  if (l.count == 0) return;
  check_memory(c, operation);
  if (bytes == 0) return;
  require_memory(l.workspace, operation, "workspace");
  require(reinterpret_cast<uintptr_t>(l.workspace) % Arena::alignment == 0, operation, "workspace",
          "is not 256-byte aligned");
  require(l.workspace_bytes >= bytes, operation, "workspace_bytes",
          "is " + std::to_string(l.workspace_bytes) + "; allowed: " + std::to_string(bytes) + " or more");
}

// Of training.
template <class Real>
void check_steps(const TrainArgs<Real>& a) {
  require_at_least(0, a.steps, "train", "steps");
}
template <class Real>
void check_history(const TrainArgs<Real>& a) {
  require_memory(a.cohort.momentum, "train", "momentum");
  if (a.steps > 0) require_memory(a.loss, "train", "loss");
}

COHORT_END

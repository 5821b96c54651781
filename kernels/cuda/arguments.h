// What the CUDA programs ask of their arguments. Each throws cohort::Error: operation, field, value, what is allowed.
#pragma once

#include <algorithm>
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
  const bool weights = k >= 0 && k < n_tensors(g) && tensor(g, k).role != Role::bias && tensor(g, k).rows > 0;
  require(weights, operation, "tensor", "is " + std::to_string(k) + "; allowed: a weight tensor of the signature");
}

template <class Real>
void check(const Cohort<Real>& c, const char* operation) {
  const Signature& g = c.signature;
  require(g.core == CoreId::recurrent, operation, "core", "is not recurrent");
  require_at_least(1, g.n_in, operation, "n_in");
  require_at_least(1, g.n_hidden, operation, "n_hidden");
  require_at_least(1, g.n_out, operation, "n_out");
  require_at_least(1, g.batch, operation, "batch");
  require_at_least(1, g.n_steps, operation, "n_steps");
  require_at_least(0, g.n_inhibitory, operation, "n_inhibitory");
  constexpr int most = RecurrentWeights<Real>::max_layers;
  require(g.n_layers >= 1 && g.n_layers <= most, operation, "n_layers",
          "is " + std::to_string(g.n_layers) + "; allowed: 1 to " + std::to_string(most));
  require(g.n_dense >= 0 && g.n_dense < g.n_layers, operation, "n_dense",
          "is " + std::to_string(g.n_dense) + "; allowed: 0 to below n_layers = " + std::to_string(g.n_layers));
  const int64_t widest = std::max({g.n_in, CtaTeam::pad<Real>(g.n_hidden), g.n_out});
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

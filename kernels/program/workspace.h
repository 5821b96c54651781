// Scratch memory of one network in flight, carved from the caller's workspace.
#pragma once

#include "program/batch.h"
#include "program/network.h"

COHORT_BEGIN

enum class Purpose { forward, learning };

template <class Real>
struct Workspace {
  RecurrentWeights<Real> weights, dweights;
  Batch<Real> batch;
  Real* h;         // [layers][T+1][rows][ld]
  Real* delta;     // [layers][T][rows][ld]; nullptr where the team keeps deltas to itself
  Real* gradient;  // [n_params]
  void* zeroed;    // weights and their gradients: what clear_padding zeroes
  size_t zeroed_bytes, dweights_offset;

  template <class Team>
  COHORT_FN static Workspace carve(Arena& arena, const Signature& g, int rows, Purpose purpose) {
    const size_t ld = size_t(Team::template pad<Real>(g.n_hidden)), slot = size_t(rows) * ld,
                 layers = size_t(g.n_layers);
    Workspace w{};
    const size_t start = arena.used();
    w.zeroed = arena.take<unsigned char>(0);
    w.weights = RecurrentWeights<Real>::template carve<Team>(arena, g, false);
    w.dweights_offset = arena.used() - start;
    if (purpose == Purpose::learning) w.dweights = RecurrentWeights<Real>::template carve<Team>(arena, g, true);
    w.zeroed_bytes = arena.used() - start;
    w.batch = Batch<Real>::carve(arena, g, rows);
    w.h = arena.take<Real>(layers * (size_t(g.n_steps) + 1) * slot);
    if (purpose == Purpose::learning) {
      if (Team::keeps_deltas) w.delta = arena.take<Real>(layers * size_t(g.n_steps) * slot);
      w.gradient = arena.take<Real>(n_params(g));
    }
    return w;
  }
};

// Zeroes [from, to) bytes of the weights' memory. Ends synced.
template <class Team>
COHORT_TEAM_FN void clear_bytes(const Team& team, void* memory, size_t from, size_t to) {
  float* const words = static_cast<float*>(memory);
  team.for_each(int((to - from) / sizeof(float)), [=](int i) {
    float* const word = words + from / sizeof(float) + i;
    if (!Arena::is_gap(word)) *word = 0.0f;
  });
  team.sync();
}
// Before the first use: padding must be finite and the padding of weights must be 0.
template <class Team, class Real>
COHORT_TEAM_FN void clear_weights(const Team& team, const Workspace<Real>& w) {
  clear_bytes(team, w.zeroed, 0, w.zeroed_bytes);
}
template <class Team, class Real>
COHORT_TEAM_FN void clear_gradients(const Team& team, const Workspace<Real>& w) {
  clear_bytes(team, w.zeroed, w.dweights_offset, w.zeroed_bytes);
}

COHORT_END

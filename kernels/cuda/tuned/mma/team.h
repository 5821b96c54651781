// How a block of the tensor-core program covers a network of up to N hidden units, and what it keeps in shared memory.
//
// A recurrence warp owns 16 batch rows and all N units through the whole sequence, so time steps need no barrier. Only the
// gradient of the weights, a sum over batch rows, is shared: gradient warps hold its tile rows in registers and take the batch
// rows of all members of their team, who show them through shared memory (MmaStage). Up to 64 units a recurrence warp is a
// gradient warp as well; beyond, registers do not suffice for both.
//
// Core weights and their gradient are one matrix, Omega = [R S c; V 0], with up to 8 inputs, c among them, and 8 outputs.
#pragma once

#include "core/precision.h"
#include "core/recurrent.h"
#include "cuda/tuned/mma/matrix.h"

COHORT_BEGIN

template <int N_>
struct MmaLayout {
  static constexpr int N = N_, side = N + 8, tiles = N / 16;
  static constexpr int max_inputs = 8, max_outputs = 8;
  static constexpr bool roles_split = N > 64;
  static constexpr int max_recurrent = 4;                                 // warps
  static constexpr int team = N <= 16 ? 1 : N <= 64 ? 2 : max_recurrent;  // recurrence warps that share a gradient
  static constexpr int gradient_warps = 4;                                // where roles are split
  static constexpr int own =
      (tiles + (roles_split ? gradient_warps : team) - 1) / (roles_split ? gradient_warps : team);
  static constexpr int max_threads = 32 * (max_recurrent + (roles_split ? gradient_warps : 0));

  // Recurrence warps for a batch: whole teams, but where roles are split.
  COHORT_FN static int recurrent_warps(int batch) {
    const int blocks = (batch + 15) / 16;
    if (blocks >= max_recurrent) return max_recurrent;
    return roles_split ? blocks : (blocks + team - 1) / team * team;
  }
  COHORT_FN static int threads(int batch) { return 32 * (recurrent_warps(batch) + (roles_split ? gradient_warps : 0)); }
};

// What a recurrence warp shows at one time step: h_t, delta_{t+1}, x_t, e_t of its 16 rows.
template <int N, class Format>
struct MmaStage {
  using States = MmaMatrix<16, N, Format>;
  using Narrow = MmaMatrix<16, 8, Format>;
  uint16_t *h_, *delta_, *x_, *e_;
  static constexpr int halves = 2 * States::halves + 2 * Narrow::halves;
  COHORT_FORCE_INLINE explicit MmaStage(uint16_t* p)
      : h_(p), delta_(h_ + States::halves), x_(delta_ + States::halves), e_(x_ + Narrow::halves) {}
  COHORT_FORCE_INLINE States h() const { return {h_}; }
  COHORT_FORCE_INLINE States delta() const { return {delta_}; }
  COHORT_FORCE_INLINE Narrow x() const { return {x_}; }
  COHORT_FORCE_INLINE Narrow e() const { return {e_}; }
};

// The two formats of a precision: the one that it is named after, and the one for networks that leave its range.
using MmaWide = MmaFormat<BFloat16, 2>;

// planes: 1 for fp16, 2 for fp32x3.
template <int N_, int n_planes>
struct MmaTeam : CtaTeam {
  using Layout = MmaLayout<N_>;
  using Narrow = MmaFormat<Float16, n_planes>;
  static constexpr int N = N_;
  static constexpr bool keeps_deltas = false;  // they never leave the chip

  uint16_t* history;  // h_0 .. h_T of all rows of the network in flight: [T + 1][blocks of 16 rows][MmaMatrix<16, N>]
  bool wide = false;  // the format

  COHORT_TEAM_FN explicit MmaTeam(uint16_t* history_) : history(history_) {}

  COHORT_TEAM_FN static int n_recurrent() { return size() / 32 - (Layout::roles_split ? Layout::gradient_warps : 0); }

  // ---- shared memory, sized for the wider of the two formats
  static constexpr int n_stages = 2;  // of a warp: at time t and t - 1
  struct Memory {
    uint16_t *omega, *stages;
    float* scale;  // [2] of the weights and its inverse
    int* left;     // did a number leave the format's range?
    COHORT_FN Memory(gpu::Smem& smem, int n_recurrent) {
      omega = smem.take<uint16_t>(size_t(MmaMatrix<Layout::side, Layout::side, MmaWide>::halves));
      stages = smem.take<uint16_t>(size_t(n_stages * n_recurrent) * MmaStage<N, MmaWide>::halves);
      scale = smem.take<float>(2);
      left = smem.take<int>(1);
    }
  };
  COHORT_TEAM_FN static Memory memory() {
    GPU_DYN_SMEM(base);
    gpu::Smem smem(base);
    return Memory(smem, n_recurrent());
  }
  static size_t smem_bytes(int batch) {
    gpu::Smem smem(nullptr);
    const Memory memory(smem, Layout::recurrent_warps(batch));
    return smem.bytes();
  }
  // Of a block's history, in bytes.
  static size_t history_bytes(const Signature& g) {
    return (size_t(g.n_steps) + 1) * size_t((g.batch + 15) / 16) * MmaStage<N, MmaWide>::States::halves *
           sizeof(uint16_t);
  }
};

// A lane's place in a block of 16 batch rows.
struct MmaPlace {
  int lane, group, quad;  // 0..31, 0..7, 0..3
  COHORT_TEAM_FN MmaPlace() : lane(CtaTeam::lane() % 32), group(lane / 4), quad(lane % 4) {}
};

COHORT_END

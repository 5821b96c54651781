// The tensor-core programs: training of networks of up to N hidden units as one persistent kernel, operands of the core's
// products in half precision (core/precision.h), a block per network in flight (mma/team.h). All else of a step is the generic
// program's. Each units_N.cu compiles those of one N.
#pragma once

#include "cuda/tuned/mma/recurrent.h"
#include "cuda/tuned/mma/sizes.h"
#include "cuda/tuned/persistent.h"
#include "program/train.h"

COHORT_BEGIN

namespace {

template <class Team>
constexpr int blocks_per_multiprocessor() {  // that registers are to suffice for
  return Team::N <= 32 ? 3 : Team::N <= 64 ? 2 : 1;
}

template <class Team>
__global__ void __launch_bounds__(Team::Layout::max_threads, blocks_per_multiprocessor<Team>())
    mma_train_kernel(const __grid_constant__ TrainArgs<float> args, int first, const __grid_constant__ WorkQueue queue,
                     unsigned char* workspace, size_t bytes, size_t history_bytes) {
  unsigned char* const own = workspace + size_t(blockIdx.x) * bytes;
  const Team team(reinterpret_cast<uint16_t*>(own));
  WorkQueue::Item item;
  while (queue.take(team, &item)) {
    train_part(team, args, first + item.network, item.first_step, item.n_steps, own + history_bytes);
    queue.finish(team, item);
  }
}

template <int N, int n_planes>
struct MmaDesign {
  using Team = MmaTeam<N, n_planes>;
  static constexpr const char* name = "mma";

  static const char* plan(const Signature& g, PersistentPlan* plan) {
    if (const char* const why = refuses_shape(g)) return why;
    plan->threads = Team::Layout::threads(g.batch);
    plan->smem_bytes = Team::smem_bytes(g.batch);
    if (plan->smem_bytes + static_bytes > gpu::smem_per_block()) return "too little shared memory";
    plan->n_blocks = gpu::n_resident_blocks(mma_train_kernel<Team>, plan->threads, plan->smem_bytes);
    return nullptr;
  }
  static size_t network_bytes(const TrainArgs<float>& a) {
    return history_bytes(a.cohort.signature) + train_bytes<Team>(a);
  }
  static void start(const PersistentLaunch& l) {
    gpu::launch(mma_train_kernel<Team>, l.n_blocks, unsigned(l.plan.threads), l.plan.smem_bytes, l.stream, l.args,
                l.first, l.queue, l.workspace, l.bytes, history_bytes(l.args.cohort.signature));
  }

 private:
  static constexpr size_t static_bytes = 1536;  // of shared memory, at most
  static size_t history_bytes(const Signature& g) {
    return (Team::history_bytes(g) + Arena::alignment - 1) / Arena::alignment * Arena::alignment;
  }
  static const char* refuses_shape(const Signature& g) {
    if (g.n_dense > 0) return "dense layers";
    if (g.n_layers > 1) return "more than one layer";
    if (g.n_hidden > N) return "more hidden units";
    if (g.n_in + (g.bias ? 1 : 0) > Team::Layout::max_inputs) return "more than 8 inputs, the bias among them";
    if (g.n_out > Team::Layout::max_outputs) return "more than 8 outputs";
    return nullptr;
  }
};

template <int N>
MmaSize mma_size() {
  return {N,
          [](Precision p) -> const Program<float>& {
            return p == Precision::fp16 ? Persistent<MmaDesign<N, 1>>::program()
                                        : Persistent<MmaDesign<N, 2>>::program();
          },
          [](const Signature& g) {
            return g.precision == Precision::fp16 ? Persistent<MmaDesign<N, 1>>::refuses(g)
                                                  : Persistent<MmaDesign<N, 2>>::refuses(g);
          }};
}

}  // namespace

COHORT_END

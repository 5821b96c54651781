// The tiled program: training as one persistent kernel in exact fp32, a block per network in flight, register tiles over
// weights in shared memory (tiled/shape.h). All else of a step is the generic program's.
#include "cuda/tuned/persistent.h"
#include "cuda/tuned/tiled/recurrent.h"
#include "program/train.h"

COHORT_BEGIN

namespace {

__global__ void __launch_bounds__(TileShape::max_threads)
    tiled_train_kernel(const __grid_constant__ TrainArgs<float> args, const __grid_constant__ TileShape shape,
                       int first, const __grid_constant__ WorkQueue queue, unsigned char* workspace, size_t bytes) {
  const TileTeam team(shape);
  WorkQueue::Item item;
  while (queue.take(team, &item)) {
    train_part(team, args, first + item.network, item.first_step, item.n_steps, workspace + size_t(blockIdx.x) * bytes);
    queue.finish(team, item);
  }
}

struct TiledDesign {
  static constexpr const char* name = "tiled";

  static const char* plan(const Signature& g, PersistentPlan* plan) {
    if (g.n_dense > 0) return "dense layers";
    TileShape shape;
    const char* reason = nullptr;
    if (!choose_tile_shape(g, gpu::smem_per_block(), &shape, &reason)) return reason;
    plan->threads = shape.threads();
    plan->smem_bytes = TileMemory::bytes(shape, g);
    plan->n_blocks = gpu::n_resident_blocks(tiled_train_kernel, plan->threads, plan->smem_bytes);
    return nullptr;
  }
  static size_t network_bytes(const TrainArgs<float>& a) { return train_bytes<CtaTeam>(a); }
  static void start(const PersistentLaunch& l) {
    TileShape shape;
    const char* reason = nullptr;
    choose_tile_shape(l.args.cohort.signature, gpu::smem_per_block(), &shape, &reason);
    gpu::launch(tiled_train_kernel, l.n_blocks, l.plan.threads, l.plan.smem_bytes, l.stream, l.args, shape, l.first,
                l.queue, l.workspace, l.bytes);
  }
};

}  // namespace

const char* tiled_refuses(const Signature& signature) { return Persistent<TiledDesign>::refuses(signature); }
const Program<float>& tiled_program() { return Persistent<TiledDesign>::program(); }

COHORT_END

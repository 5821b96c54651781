// The tiled program: training as one persistent kernel in exact fp32, a block per network in flight, register tiles over
// weights in shared memory (shape.h). All else of a step, and the operations besides training, are the generic
// program's.
#include "cuda/arguments.h"
#include "cuda/programs.h"
#include "cuda/tuned/queue.h"
#include "cuda/tuned/tiled/recurrent.h"
#include "program/train.h"

COHORT_BEGIN

namespace {

using Args = TrainArgs<float>;

__global__ void __launch_bounds__(TileShape::max_threads)
    tiled_train_kernel(const __grid_constant__ Args args, const __grid_constant__ TileShape shape, int first,
                       const __grid_constant__ WorkQueue queue, unsigned char* workspace, size_t bytes) {
  const TileTeam team(shape);
  WorkQueue::Item item;
  while (queue.take(team, &item)) {
    train_part(team, args, first + item.network, item.first_step, item.n_steps, workspace + size_t(blockIdx.x) * bytes);
    queue.finish(team, item);
  }
}

// What one launch takes.
struct Plan {
  TileShape shape;
  size_t smem_bytes = 0;
  int n_blocks = 0;  // that the device runs at once
  size_t network_bytes = 0;
};

const char* make_plan(const Signature& g, Plan* plan) {
  const char* reason = nullptr;
  if (!choose_tile_shape(g, gpu::smem_per_block(), &plan->shape, &reason)) return reason;
  plan->smem_bytes = TileMemory::bytes(plan->shape, g);
  plan->n_blocks = gpu::n_resident_blocks(tiled_train_kernel, plan->shape.threads(), plan->smem_bytes);
  return nullptr;
}

Plan plan_of(const Args& a) {
  Plan plan;
  const char* const reason = make_plan(a.cohort.signature, &plan);
  require(reason == nullptr, "train", "signature",
          std::string("is not for the tiled program: ") + (reason ? reason : ""));
  plan.network_bytes = train_bytes<CtaTeam>(a);
  return plan;
}

// The queue lies before the networks' workspaces.
size_t queue_bytes(int count) {
  return (size_t(count + 1) * sizeof(int) + Arena::alignment - 1) / Arena::alignment * Arena::alignment;
}

size_t workspace(const Args& a, int32_t count) {
  check(a.cohort, "train");
  check_steps(a);
  require_at_least(0, count, "train", "count");
  if (count == 0) return 0;
  const Plan plan = plan_of(a);
  return queue_bytes(count) + plan.network_bytes * size_t(std::min(count, plan.n_blocks));
}

void launch(const Args& a, const Launch& l) {
  check(a.cohort, "train");
  check_steps(a);
  const Plan plan = plan_of(a);
  check(a.cohort, l, queue_bytes(1) + plan.network_bytes, "train");
  if (l.count == 0) return;
  check_history(a);
  // Where there is no room for the whole queue, networks are not cut into chunks.
  const bool in_chunks = l.workspace_bytes >= queue_bytes(l.count) + plan.network_bytes;
  const size_t head = queue_bytes(in_chunks ? l.count : 1);
  const int n_blocks =
      int(std::min({size_t(l.count), size_t(plan.n_blocks), (l.workspace_bytes - head) / plan.network_bytes}));
  int* const ints = static_cast<int*>(l.workspace);
  const WorkQueue queue = {ints, in_chunks ? ints + 1 : nullptr, l.count, a.steps,
                           in_chunks ? WorkQueue::chunk_steps(a.steps, l.count, n_blocks) : a.steps};
  gpu::check(cudaMemsetAsync(ints, 0, head, l.stream), "clearing of the work queue");
  gpu::launch(tiled_train_kernel, n_blocks, plan.shape.threads(), plan.smem_bytes, l.stream, a, plan.shape, l.first,
              queue, static_cast<unsigned char*>(l.workspace) + head, plan.network_bytes);
}

}  // namespace

const char* tiled_refuses(const Signature& g) {
  Plan plan;
  return make_plan(g, &plan);
}

const Program<float>& tiled_program() {
  static const Program<float> program = [] {
    Program<float> p = generic_program();
    p.name = "tiled";
    p.train_workspace = workspace;
    p.train = launch;
    return p;
  }();
  return program;
}

COHORT_END

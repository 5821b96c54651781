// Programs whose training is one persistent kernel: blocks take items (chunk of steps, network) from a queue (tuned/queue.h)
// until nothing is left. A Design says what is special about one:
//
//   name                                          of the program
//   static const char* plan(const Signature&, PersistentPlan*)   why networks are not taken, nullptr where they are
//   static size_t network_bytes(const TrainArgs<float>&)         workspace of a block
//   static void start(const PersistentLaunch&)                   the kernel
//
// The operations besides training are the generic program's.
#pragma once

#include <algorithm>

#include "cuda/arguments.h"
#include "cuda/programs.h"
#include "cuda/tuned/queue.h"

COHORT_BEGIN

struct PersistentPlan {
  int threads = 0;
  size_t smem_bytes = 0;
  int n_blocks = 0;  // that the device runs at once
};

struct PersistentLaunch {
  TrainArgs<float> args;
  PersistentPlan plan;
  WorkQueue queue;
  int first, n_blocks;
  unsigned char* workspace;  // [n_blocks][bytes]
  size_t bytes;
  cudaStream_t stream;
};

template <class Design>
class Persistent {
 public:
  static const char* refuses(const Signature& g) {
    PersistentPlan plan;
    return Design::plan(g, &plan);
  }
  static const Program<float>& program() {
    static const Program<float> row = [] {
      Program<float> p = generic_program();
      p.name = Design::name;
      p.train_workspace = workspace;
      p.train = launch;
      return p;
    }();
    return row;
  }

 private:
  using Args = TrainArgs<float>;

  static PersistentPlan plan_of(const Args& a) {
    PersistentPlan plan;
    const char* const reason = Design::plan(a.cohort.signature, &plan);
    require(reason == nullptr, "train", "signature",
            std::string("is not for the program '") + Design::name + "': " + (reason ? reason : ""));
    return plan;
  }

  // The queue lies before the networks' workspaces.
  static size_t queue_bytes(int count) {
    return (size_t(count + 1) * sizeof(int) + Arena::alignment - 1) / Arena::alignment * Arena::alignment;
  }

  static size_t workspace(const Args& a, int32_t count) {
    check(a.cohort, "train");
    check_steps(a);
    require_at_least(0, count, "train", "count");
    if (count == 0) return 0;
    return queue_bytes(count) + Design::network_bytes(a) * size_t(std::min(count, plan_of(a).n_blocks));
  }

  static void launch(const Args& a, const Launch& l) {
    check(a.cohort, "train");
    check_steps(a);
    const PersistentPlan plan = plan_of(a);
    const size_t bytes = Design::network_bytes(a);
    check(a.cohort, l, queue_bytes(1) + bytes, "train");
    if (l.count == 0) return;
    check_history(a);
    // Where there is no room for the whole queue, networks are not cut into chunks.
    const bool in_chunks = l.workspace_bytes >= queue_bytes(l.count) + bytes;
    const size_t head = queue_bytes(in_chunks ? l.count : 1);
    const int n_blocks = int(std::min({size_t(l.count), size_t(plan.n_blocks), (l.workspace_bytes - head) / bytes}));
    int* const ints = static_cast<int*>(l.workspace);
    const WorkQueue queue = {ints, in_chunks ? ints + 1 : nullptr, l.count, a.steps,
                             in_chunks ? WorkQueue::chunk_steps(a.steps, l.count, n_blocks) : a.steps};
    gpu::check(cudaMemsetAsync(ints, 0, head, l.stream), "clearing of the work queue");
    Design::start(
        {a, plan, queue, l.first, n_blocks, static_cast<unsigned char*>(l.workspace) + head, bytes, l.stream});
  }
};

COHORT_END

// What the generic programs share: one block per network, blocks walk through the networks of a launch, as many at a time as
// there are workspaces. An Operation says what is done to a network:
//
//   Args, name                            of the program's row (cohort/kernels.h)
//   core                                  of the networks that it is for, an std::optional: none where it is for any
//   bytes(args)                           workspace of a network
//   check_arguments, check_results        throw where arguments are wrong, or where results have no memory
//   run(team, args, i, memory)            network i with its own workspace
//
// W is the core's workspace, as for the programs.
#pragma once

#include <algorithm>

#include "cuda/arguments.h"
#include "program/evaluate.h"
#include "team/cta.h"

COHORT_BEGIN

inline constexpr int generic_threads = CtaTeam::threads;
inline constexpr int generic_min_blocks = 512 / generic_threads;  // per multiprocessor: leaves a thread 128 registers
static_assert(generic_threads % 32 == 0 && generic_threads <= 512);

template <CoreId of, template <class> class W, class Real>
struct TrainOperation {
  using Args = TrainArgs<Real>;
  static constexpr std::optional<CoreId> core = of;
  static constexpr const char* name = "train";
  static size_t bytes(const Args& a) { return train_bytes<CtaTeam, W>(a); }
  static void check_arguments(const Args& a) { check_steps(a); }
  static void check_results(const Args& a) { check_history(a); }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    train_network<W>(team, a, i, memory);
  }
};
template <CoreId of, template <class> class W, class Real>
struct EvaluateOperation {
  using Args = EvaluateArgs<Real>;
  static constexpr std::optional<CoreId> core = of;
  static constexpr const char* name = "evaluate";
  static size_t bytes(const Args& a) { return forward_bytes<CtaTeam, Real, W>(a.cohort.signature); }
  static void check_arguments(const Args& a) { require_at_least(1, a.trials, name, "trials"); }
  static void check_results(const Args& a) {
    require_memory(a.loss, name, "loss");
    require_memory(a.accuracy, name, "accuracy");
  }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    evaluate_network<W>(team, a, i, memory);
  }
};
template <CoreId of, template <class> class W, class Real>
struct ProbeOperation {
  using Args = ProbeArgs<Real>;
  static constexpr std::optional<CoreId> core = of;
  static constexpr const char* name = "probe";
  static size_t bytes(const Args& a) { return forward_bytes<CtaTeam, Real, W>(a.cohort.signature); }
  static void check_arguments(const Args& a) { require_at_least(1, a.trials, name, "trials"); }
  static void check_results(const Args& a) {
    if (a.cohort.signature.n_layers > 0) require_memory(a.hidden, name, "hidden");
  }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    probe_network<W>(team, a, i, memory);
  }
};
// What tangent kernels of any core ask of their arguments.
template <CoreId of, class Real>
struct TangentOperation {
  using Args = TangentArgs<Real>;
  static constexpr std::optional<CoreId> core = of;
  static constexpr const char* name = "tangent";
  static void check_arguments(const Args& a) {
    require_at_least(1, a.trials, name, "trials");
    require_tensor(a.cohort.signature, a.tensor, name);
  }
  static void check_results(const Args& a) {
    require_memory(a.theta_start, name, "theta_start");
    require_memory(a.sums, name, "sums");
  }
};

// Block b treats networks first + b, first + b + gridDim, ... with the b-th part of the workspace.
template <class Operation>
__global__ void __launch_bounds__(generic_threads, generic_min_blocks)
    network_kernel(const __grid_constant__ typename Operation::Args args, int first, int count,
                   unsigned char* workspace, size_t bytes) {
  for (int i = int(blockIdx.x); i < count; i += int(gridDim.x))
    Operation::run(CtaTeam{}, args, first + i, workspace ? workspace + size_t(blockIdx.x) * bytes : nullptr);
}

template <class Operation>
size_t generic_workspace(const typename Operation::Args& args, int32_t count) {
  check(args.cohort, Operation::name, Operation::core);
  Operation::check_arguments(args);
  require_at_least(0, count, Operation::name, "count");
  const size_t bytes = Operation::bytes(args);
  if (bytes == 0 || count == 0) return 0;
  return bytes * size_t(std::min(count, gpu::n_resident_blocks(network_kernel<Operation>, generic_threads, 0)));
}

template <class Operation>
void generic_launch(const typename Operation::Args& args, const Launch& l) {
  check(args.cohort, Operation::name, Operation::core);
  Operation::check_arguments(args);
  const size_t bytes = Operation::bytes(args);
  check(args.cohort, l, bytes, Operation::name);
  if (l.count == 0) return;
  Operation::check_results(args);
  int n_blocks = l.count;
  if (bytes > 0) n_blocks = int(std::min(size_t(l.count), l.workspace_bytes / bytes));
  gpu::launch(network_kernel<Operation>, n_blocks, generic_threads, 0, l.stream, args, l.first, l.count,
              bytes > 0 ? static_cast<unsigned char*>(l.workspace) : nullptr, bytes);
}

COHORT_END

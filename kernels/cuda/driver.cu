// CUDA's programs: the generic network program with one block per network; blocks walk through the networks of a
// launch, as many at a time as there are workspaces. Compiled once per Real (COHORT_TARGET, COHORT_REAL, COHORT_ISA
// come from the build). This is what tuned kernels have to beat.
#include <algorithm>

#include "alignment/representation.h"
#include "alignment/tangent.h"
#include "cuda/arguments.h"
#include "cuda/programs.h"
#include "program/effective.h"
#include "program/evaluate.h"
#include "program/initialise.h"
#include "team/cta.h"

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

constexpr int n_threads = CtaTeam::threads;
constexpr int min_blocks = 512 / n_threads;  // in flight per multiprocessor: leaves a thread 128 registers
static_assert(n_threads % 32 == 0 && n_threads <= 512);

// ---- operations: what each does to network i with its own part of the workspace, and how large that part is
struct Init {
  using Args = InitArgs<Real>;
  static constexpr const char* name = "init";
  static size_t bytes(const Args&) { return 0; }
  static void check_arguments(const Args&) {}
  static void check_results(const Args&) {}
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    initialise_network(team, a, i, memory);
  }
};
struct Train {
  using Args = TrainArgs<Real>;
  static constexpr const char* name = "train";
  static size_t bytes(const Args& a) { return train_bytes<CtaTeam>(a); }
  static void check_arguments(const Args& a) { check_steps(a); }
  static void check_results(const Args& a) { check_history(a); }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    train_network(team, a, i, memory);
  }
};
struct Evaluate {
  using Args = EvaluateArgs<Real>;
  static constexpr const char* name = "evaluate";
  static size_t bytes(const Args& a) { return forward_bytes<CtaTeam, Real>(a.cohort.signature); }
  static void check_arguments(const Args& a) { require_at_least(1, a.trials, name, "trials"); }
  static void check_results(const Args& a) {
    require_memory(a.loss, name, "loss");
    require_memory(a.accuracy, name, "accuracy");
  }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    evaluate_network(team, a, i, memory);
  }
};
struct Probe {
  using Args = ProbeArgs<Real>;
  static constexpr const char* name = "probe";
  static size_t bytes(const Args& a) { return forward_bytes<CtaTeam, Real>(a.cohort.signature); }
  static void check_arguments(const Args& a) { require_at_least(1, a.trials, name, "trials"); }
  static void check_results(const Args& a) { require_memory(a.hidden, name, "hidden"); }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    probe_network(team, a, i, memory);
  }
};
struct Tangent {
  using Args = TangentArgs<Real>;
  static constexpr const char* name = "tangent";
  static size_t bytes(const Args& a) { return tangent_bytes<CtaTeam>(a); }
  static void check_arguments(const Args& a) {
    require_at_least(1, a.trials, name, "trials");
    require_tensor(a.cohort.signature, a.tensor, name);
  }
  static void check_results(const Args& a) {
    require_memory(a.theta_start, name, "theta_start");
    require_memory(a.sums, name, "sums");
  }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    tangent_network(team, a, i, memory);
  }
};
struct Alignment {
  using Args = AlignmentArgs<Real>;
  static constexpr const char* name = "alignment";
  static size_t bytes(const Args& a) { return alignment_bytes<CtaTeam>(a); }
  static void check_arguments(const Args& a) {
    require_at_least(1, a.trials, name, "trials");
    require(a.layer >= 0 && a.layer < a.cohort.signature.n_layers, name, "layer",
            "is " + std::to_string(a.layer) + "; allowed: a layer of the signature");
  }
  static void check_results(const Args& a) {
    require_memory(a.hidden, name, "hidden");
    require_memory(a.hidden_start, name, "hidden_start");
    require_memory(a.uncentred, name, "uncentred");
    require_memory(a.centred, name, "centred");
  }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    alignment_network(team, a, i, memory);
  }
};
struct Effective {
  using Args = EffectiveArgs<Real>;
  static constexpr const char* name = "effective";
  static size_t bytes(const Args&) { return 0; }
  static void check_arguments(const Args& a) { require_tensor(a.cohort.signature, a.tensor, name); }
  static void check_results(const Args& a) { require_memory(a.weights, name, "weights"); }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    effective_network(team, a, i, memory);
  }
};

// Block b treats networks first + b, first + b + gridDim, ... with the b-th part of the workspace.
template <class Operation>
__global__ void __launch_bounds__(n_threads, min_blocks)
    network_kernel(const __grid_constant__ typename Operation::Args args, int first, int count,
                   unsigned char* workspace, size_t bytes) {
  for (int i = int(blockIdx.x); i < count; i += int(gridDim.x))
    Operation::run(CtaTeam{}, args, first + i, workspace ? workspace + size_t(blockIdx.x) * bytes : nullptr);
}

template <class Operation>
size_t workspace(const typename Operation::Args& args, int32_t count) {
  check(args.cohort, Operation::name);
  Operation::check_arguments(args);
  require_at_least(0, count, Operation::name, "count");
  const size_t bytes = Operation::bytes(args);
  if (bytes == 0 || count == 0) return 0;
  return bytes * size_t(std::min(count, gpu::n_resident_blocks(network_kernel<Operation>, n_threads, 0)));
}

template <class Operation>
void launch(const typename Operation::Args& args, const Launch& l) {
  check(args.cohort, Operation::name);
  Operation::check_arguments(args);
  const size_t bytes = Operation::bytes(args);
  check(args.cohort, l, bytes, Operation::name);
  if (l.count == 0) return;
  Operation::check_results(args);
  int n_blocks = l.count;
  if (bytes > 0) n_blocks = int(std::min(size_t(l.count), l.workspace_bytes / bytes));
  gpu::launch(network_kernel<Operation>, n_blocks, n_threads, 0, l.stream, args, l.first, l.count,
              bytes > 0 ? static_cast<unsigned char*>(l.workspace) : nullptr, bytes);
}

constexpr Program<Real> recurrent_program = {
    .backend = "cuda",
    .name = "generic",
    .isa = COHORT_ISA,
    .core = CoreId::recurrent,
    .init_workspace = workspace<Init>,
    .init = launch<Init>,
    .train_workspace = workspace<Train>,
    .train = launch<Train>,
    .evaluate_workspace = workspace<Evaluate>,
    .evaluate = launch<Evaluate>,
    .probe_workspace = workspace<Probe>,
    .probe = launch<Probe>,
    .tangent_workspace = workspace<Tangent>,
    .tangent = launch<Tangent>,
    .alignment_workspace = workspace<Alignment>,
    .alignment = launch<Alignment>,
    .effective_workspace = workspace<Effective>,
    .effective = launch<Effective>,
};

}  // namespace

const Program<Real>& generic_program() { return recurrent_program; }

COHORT_END

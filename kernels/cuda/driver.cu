// CUDA's programs: the generic network program with one block per network; blocks walk through the networks of a launch,
// as many at a time as there are workspaces. Compiled once per Real (COHORT_TARGET, COHORT_REAL come from the build).
#include "alignment/tangent.h"
#include "cuda/gpu.h"
#include "program/evaluate.h"
#include "program/initialise.h"
#include "team/cta.h"

#ifndef COHORT_CUDA_THREADS
#define COHORT_CUDA_THREADS 256
#endif

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

constexpr int n_threads = COHORT_CUDA_THREADS;  // of a block
static_assert(n_threads % 32 == 0 && n_threads <= 1024);
constexpr int min_blocks = 2;                   // of 256 threads per multiprocessor: at most 128 registers a thread

// What an operation does to network i with its own part of the workspace, and how large that part is.
struct Init {
  using Args = InitArgs<Real>;
  static size_t bytes(const Args&) { return 0; }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) { initialise_network(team, a, i, memory); }
};
struct Train {
  using Args = TrainArgs<Real>;
  static size_t bytes(const Args& a) { return train_bytes<CtaTeam>(a); }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) { train_network(team, a, i, memory); }
};
struct Evaluate {
  using Args = EvaluateArgs<Real>;
  static size_t bytes(const Args& a) { return forward_bytes<CtaTeam, Real>(a.cohort.signature); }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) { evaluate_network(team, a, i, memory); }
};
struct Probe {
  using Args = ProbeArgs<Real>;
  static size_t bytes(const Args& a) { return forward_bytes<CtaTeam, Real>(a.cohort.signature); }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) { probe_network(team, a, i, memory); }
};
struct Tangent {
  using Args = TangentArgs<Real>;
  static size_t bytes(const Args& a) { return tangent_bytes<CtaTeam>(a); }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) { tangent_network(team, a, i, memory); }
};
struct Effective {
  using Args = EffectiveArgs<Real>;
  static size_t bytes(const Args&) { return 0; }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) { effective_network(team, a, i, memory); }
};

template <class Operation>
__global__ void __launch_bounds__(n_threads, min_blocks)
network_kernel(const __grid_constant__ typename Operation::Args args, int first, int count, unsigned char* workspace, size_t bytes) {
  for (int i = int(blockIdx.x); i < count; i += int(gridDim.x)) Operation::run(CtaTeam{}, args, first + i, workspace + size_t(blockIdx.x) * bytes);
}

template <class Operation>
void launch(const typename Operation::Args& args, const Launch& l) {
  const size_t bytes = Operation::bytes(args);
  int n_blocks = l.count;
  gpu::launch(network_kernel<Operation>, n_blocks, n_threads, 0, l.stream, args, l.first, l.count, static_cast<unsigned char*>(l.workspace), bytes);
}

constexpr Program<Real> recurrent_program = {
    .backend = "cuda",
    .isa = "x",
    .core = CoreId::recurrent,
    .init_workspace = nullptr,
    .init = launch<Init>,
    .train_workspace = nullptr,
    .train = launch<Train>,
    .evaluate_workspace = nullptr,
    .evaluate = launch<Evaluate>,
    .probe_workspace = nullptr,
    .probe = launch<Probe>,
    .tangent_workspace = nullptr,
    .tangent = launch<Tangent>,
    .effective_workspace = nullptr,
    .effective = launch<Effective>,
};

}  // namespace

const Program<Real>& recurrent_row() { return recurrent_program; }

COHORT_END

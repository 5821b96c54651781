// CUDA's programs: the generic network program with one block per network; blocks walk through the networks of a
// launch, as many at a time as there are workspaces. Compiled once per Real (COHORT_TARGET, COHORT_REAL, COHORT_ISA
// come from the build). This is what tuned kernels have to beat.
#include <algorithm>
#include <string>

#include "alignment/tangent.h"
#include "cuda/gpu.h"
#include "program/evaluate.h"
#include "program/initialise.h"
#include "team/cta.h"

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

constexpr int n_threads = CtaTeam::threads;
constexpr int min_blocks = 512 / n_threads;  // in flight per multiprocessor: leaves a thread 128 registers
static_assert(n_threads % 32 == 0 && n_threads <= 512);

// ---- arguments
void require(bool good, const char* operation, const char* field, const std::string& problem) {
  if (!good) throw Error(std::string(operation) + ": " + field + " " + problem);
}

void require_memory(const void* memory, const char* operation, const char* field) {
  require(memory != nullptr, operation, field, "is null; allowed: device memory");
}

void require_at_least(int64_t least, int64_t value, const char* operation, const char* field) {
  require(value >= least, operation, field,
          "is " + std::to_string(value) + "; allowed: " + std::to_string(least) + " or more");
}

void require_tensor(const Signature& g, int32_t k, const char* operation) {
  const bool weights = k >= 0 && k < n_tensors(g) && tensor(g, k).role != Role::bias;
  require(weights, operation, "tensor", "is " + std::to_string(k) + "; allowed: a weight tensor of the signature");
}

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
  const int64_t widest = std::max({g.n_in, CtaTeam::pad<Real>(g.n_hidden), g.n_out});
  require(double(widest) * g.batch * (g.n_steps + 1.0) < 2147483648.0, operation, "batch",
          "times n_steps times the widest layer is beyond 2^31");
}

void check_memory(const Cohort<Real>& c, const char* operation) {
  require_memory(c.nets, operation, "nets");
  require_memory(c.state, operation, "state");
  require_memory(c.theta, operation, "theta");
}

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
  static void check_arguments(const Args& a) { require_at_least(0, a.steps, name, "steps"); }
  static void check_results(const Args& a) {
    require_memory(a.cohort.momentum, name, "momentum");
    if (a.steps > 0) require_memory(a.loss, name, "loss");
  }
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

// Blocks that the current device runs at once.
template <class Operation>
int n_resident() {
  int device = 0, n_multiprocessors = 0, per_multiprocessor = 0;
  gpu::check(cudaGetDevice(&device), "current device");
  gpu::check(cudaDeviceGetAttribute(&n_multiprocessors, cudaDevAttrMultiProcessorCount, device),
             "number of multiprocessors");
  gpu::check(
      cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_multiprocessor, network_kernel<Operation>, n_threads, 0),
      "occupancy");
  return std::max(1, n_multiprocessors * per_multiprocessor);
}

template <class Operation>
size_t workspace(const typename Operation::Args& args, int32_t count) {
  check(args.cohort, Operation::name);
  Operation::check_arguments(args);
  require_at_least(0, count, Operation::name, "count");
  const size_t bytes = Operation::bytes(args);
  return bytes == 0 || count == 0 ? 0 : bytes * size_t(std::min(count, n_resident<Operation>()));
}

template <class Operation>
void launch(const typename Operation::Args& args, const Launch& l) {
  check(args.cohort, Operation::name);
  Operation::check_arguments(args);
  require_at_least(0, l.first, Operation::name, "first");
  require_at_least(0, l.count, Operation::name, "count");
  require(int64_t(l.first) + l.count <= args.cohort.n_nets, Operation::name, "first + count",
          "is " + std::to_string(int64_t(l.first) + l.count) +
              "; allowed: up to n_nets = " + std::to_string(args.cohort.n_nets));
  if (l.count == 0) return;
  check_memory(args.cohort, Operation::name);
  Operation::check_results(args);
  const size_t bytes = Operation::bytes(args);
  int n_blocks = l.count;
  if (bytes > 0) {
    require_memory(l.workspace, Operation::name, "workspace");
    require(reinterpret_cast<uintptr_t>(l.workspace) % Arena::alignment == 0, Operation::name, "workspace",
            "is not 256-byte aligned");
    require(l.workspace_bytes >= bytes, Operation::name, "workspace_bytes",
            "is " + std::to_string(l.workspace_bytes) + "; allowed: " + std::to_string(bytes) + " or more");
    n_blocks = int(std::min(size_t(l.count), l.workspace_bytes / bytes));
  }
  gpu::launch(network_kernel<Operation>, n_blocks, n_threads, 0, l.stream, args, l.first, l.count,
              bytes > 0 ? static_cast<unsigned char*>(l.workspace) : nullptr, bytes);
}

constexpr Program<Real> recurrent_program = {
    .backend = "cuda",
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
    .effective_workspace = workspace<Effective>,
    .effective = launch<Effective>,
};

}  // namespace

const Program<Real>& recurrent_row() { return recurrent_program; }

COHORT_END

namespace cohort {

template <>
const Program<COHORT_REAL>* cuda_program<COHORT_REAL>(CoreId core) {
  return core == CoreId::recurrent ? &COHORT_TARGET::recurrent_row() : nullptr;
}

}  // namespace cohort

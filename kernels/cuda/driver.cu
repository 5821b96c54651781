// CUDA's generic program of the recurrent core, and what it shares with that of the feedforward core: starts, sums over Gram
// matrices, effective weights. Compiled once per Real (COHORT_TARGET, COHORT_REAL, COHORT_ISA come from the build). This is
// what tuned kernels have to beat.
#include "alignment/representation.h"
#include "alignment/tangent.h"
#include "cuda/generic.h"
#include "cuda/programs.h"
#include "program/effective.h"
#include "program/initialise.h"

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

struct Init {
  using Args = InitArgs<Real>;
  static constexpr std::optional<CoreId> core = {};
  static constexpr const char* name = "init";
  static size_t bytes(const Args&) { return 0; }
  static void check_arguments(const Args&) {}
  static void check_results(const Args&) {}
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    initialise_network(team, a, i, memory);
  }
};
struct Train : TrainOperation<CoreId::recurrent, Workspace, Real> {};
struct Evaluate : EvaluateOperation<CoreId::recurrent, Workspace, Real> {};
struct Probe : ProbeOperation<CoreId::recurrent, Workspace, Real> {};
struct Tangent : TangentOperation<CoreId::recurrent, Real> {
  static size_t bytes(const Args& a) { return tangent_bytes<CtaTeam>(a); }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    tangent_network(team, a, i, memory);
  }
};
struct Alignment {
  using Args = AlignmentArgs<Real>;
  static constexpr std::optional<CoreId> core = {};
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
  static constexpr std::optional<CoreId> core = {};
  static constexpr const char* name = "effective";
  static size_t bytes(const Args&) { return 0; }
  static void check_arguments(const Args& a) { require_tensor(a.cohort.signature, a.tensor, name); }
  static void check_results(const Args& a) { require_memory(a.weights, name, "weights"); }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    effective_network(team, a, i, memory);
  }
};

constexpr Program<Real> recurrent_program = {
    .backend = "cuda",
    .name = "generic",
    .isa = COHORT_ISA,
    .core = CoreId::recurrent,
    .init_workspace = generic_workspace<Init>,
    .init = generic_launch<Init>,
    .train_workspace = generic_workspace<Train>,
    .train = generic_launch<Train>,
    .evaluate_workspace = generic_workspace<Evaluate>,
    .evaluate = generic_launch<Evaluate>,
    .probe_workspace = generic_workspace<Probe>,
    .probe = generic_launch<Probe>,
    .tangent_workspace = generic_workspace<Tangent>,
    .tangent = generic_launch<Tangent>,
    .alignment_workspace = generic_workspace<Alignment>,
    .alignment = generic_launch<Alignment>,
    .effective_workspace = generic_workspace<Effective>,
    .effective = generic_launch<Effective>,
};

}  // namespace

const Program<Real>& generic_program() { return recurrent_program; }

COHORT_END

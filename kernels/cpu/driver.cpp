// The CPU's programs for one instruction set: networks one after another on the calling thread, vector instructions inside.
// Compiled once per instruction set and Real (COHORT_TARGET, COHORT_REAL, COHORT_ISA come from the build).
#include "alignment/representation.h"
#include "alignment/tangent.h"
#include "program/effective.h"
#include "program/evaluate.h"
#include "program/initialise.h"
#include "team/serial.h"

#define COHORT_STRING(x) #x
#define COHORT_TEXT(x) COHORT_STRING(x)

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

size_t no_bytes(const auto&, int32_t) { return 0; }

template <class Args, void (*run)(const SerialTeam&, const Args&, int, void*)>
void serially(const Args& args, const Launch& launch) {
  for (int32_t i = launch.first; i < launch.first + launch.count; ++i) run(SerialTeam{}, args, i, launch.workspace);
}

constexpr Program<Real> recurrent_program = {
    .backend = "cpu",
    .name = "serial",
    .isa = COHORT_ISA,
    .core = CoreId::recurrent,
    .init_workspace = no_bytes,
    .init = serially<InitArgs<Real>, initialise_network<SerialTeam, Real>>,
    .train_workspace = [](const TrainArgs<Real>& a, int32_t) { return train_bytes<SerialTeam>(a); },
    .train = serially<TrainArgs<Real>, train_network<SerialTeam, Real>>,
    .evaluate_workspace = [](const EvaluateArgs<Real>& a,
                             int32_t) { return forward_bytes<SerialTeam, Real>(a.cohort.signature); },
    .evaluate = serially<EvaluateArgs<Real>, evaluate_network<SerialTeam, Real>>,
    .probe_workspace = [](const ProbeArgs<Real>& a,
                          int32_t) { return forward_bytes<SerialTeam, Real>(a.cohort.signature); },
    .probe = serially<ProbeArgs<Real>, probe_network<SerialTeam, Real>>,
    .tangent_workspace = [](const TangentArgs<Real>& a, int32_t) { return tangent_bytes<SerialTeam>(a); },
    .tangent = serially<TangentArgs<Real>, tangent_network<SerialTeam, Real>>,
    .alignment_workspace = [](const AlignmentArgs<Real>& a, int32_t) { return alignment_bytes<SerialTeam>(a); },
    .alignment = serially<AlignmentArgs<Real>, alignment_network<SerialTeam, Real>>,
    .effective_workspace = no_bytes,
    .effective = serially<EffectiveArgs<Real>, effective_network<SerialTeam, Real>>,
};

}  // namespace

const Program<Real>& recurrent_row() { return recurrent_program; }

COHORT_END

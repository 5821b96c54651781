// The CPU's program for one instruction set that trains as tensor cores would; all else is the ordinary program's.
// Compiled once per instruction set (COHORT_TARGET, COHORT_REAL come from the build).
#include "program/rounded.h"
#include "program/train.h"

COHORT_BEGIN

using Real = COHORT_REAL;

const Program<Real>& recurrent_row();

namespace {

// The ordinary program's workspace, then the copy of the inputs.
size_t exact_bytes(const TrainArgs<Real>& a) { return train_bytes<RoundingTeam>(a); }

size_t workspace_bytes(const TrainArgs<Real>& a, int32_t) {
  const Signature& g = a.cohort.signature;
  return exact_bytes(a) + size_t(g.n_steps) * size_t(g.batch) * size_t(g.n_in) * sizeof(Real);
}

void train(const TrainArgs<Real>& a, const Launch& launch) {
  if (a.cohort.signature.precision == Precision::fp32) {
    recurrent_row().train(a, launch);
    return;
  }
  RoundingTeam team;
  team.inputs = static_cast<unsigned char*>(launch.workspace) + exact_bytes(a);
  for (int32_t i = launch.first; i < launch.first + launch.count; ++i) train_network(team, a, i, launch.workspace);
}

}  // namespace

// From the ordinary program.
void make_rounding(Program<Real>& p) {
  p.name = "rounding";
  p.train_workspace = workspace_bytes;
  p.train = train;
}

COHORT_END

// The CPU's program of the recurrent core for one instruction set. Compiled once per instruction set and Real (COHORT_TARGET,
// COHORT_REAL, COHORT_ISA come from the build).
#include "alignment/tangent.h"
#include "cpu/program.h"

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

constexpr Program<Real> recurrent_program = [] {
  Program<Real> p = serial_program<Workspace, Real>(CoreId::recurrent, COHORT_ISA);
  p.tangent_workspace = [](const TangentArgs<Real>& a, int32_t) { return tangent_bytes<SerialTeam>(a); };
  p.tangent = serially<TangentArgs<Real>, tangent_network<SerialTeam, Real>>;
  return p;
}();

}  // namespace

const Program<Real>& recurrent_row() { return recurrent_program; }

COHORT_END

// The CPU's program of the feedforward core for one instruction set. Compiled as cpu/recurrent.cpp is.
#include "alignment/tangent_feedforward.h"
#include "cpu/program.h"

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

constexpr Program<Real> feedforward_program = [] {
  Program<Real> p = serial_program<FeedforwardWorkspace, Real>(CoreId::feedforward, COHORT_ISA);
  p.tangent_workspace = [](const TangentArgs<Real>& a, int32_t) { return feedforward_tangent_bytes<SerialTeam>(a); };
  p.tangent = serially<TangentArgs<Real>, feedforward_tangent_network<SerialTeam, Real>>;
  return p;
}();

}  // namespace

const Program<Real>& feedforward_row() { return feedforward_program; }

COHORT_END

// The CPU's program of networks without hidden layers for one instruction set. Compiled as cpu/recurrent.cpp is.
#include "cpu/shallow.h"

#include "alignment/tangent_feedforward.h"
#include "cpu/program.h"

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

// Listed networks together, others one by one.
template <class Args, void (*run)(const Args&, const int32_t*, int, void*)>
void in_groups(const Args& args, const Launch& launch) {
  if (launch.networks) {
    if (launch.count > 0) run(args, launch.networks, launch.count, launch.workspace);
    return;
  }
  for (int32_t i = launch.first; i < launch.first + launch.count; ++i) run(args, &i, 1, launch.workspace);
}

// Made before main: a variable of a function would leave a symbol outside of this target's namespace.
const Program<Real> shallow_program = [] {
  Program<Real> p = serial_program<FeedforwardWorkspace, Real>(CoreId::feedforward, COHORT_ISA);
  p.name = "shallow";
  p.together = true;
  p.train_workspace = [](const TrainArgs<Real>& a, int32_t count) {
    return shallow_bytes<Real>(a.cohort.signature, count, Purpose::learning);
  };
  p.train = in_groups<TrainArgs<Real>, train_shallow<Real>>;
  p.evaluate_workspace = [](const EvaluateArgs<Real>& a, int32_t count) {
    return shallow_bytes<Real>(a.cohort.signature, count, Purpose::forward);
  };
  p.evaluate = in_groups<EvaluateArgs<Real>, evaluate_shallow<Real>>;
  p.tangent_workspace = [](const TangentArgs<Real>& a, int32_t) { return feedforward_tangent_bytes<SerialTeam>(a); };
  p.tangent = serially<TangentArgs<Real>, feedforward_tangent_network<SerialTeam, Real>>;
  return p;
}();

}  // namespace

const Program<Real>& shallow_row() { return shallow_program; }

COHORT_END

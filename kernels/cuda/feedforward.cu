// CUDA's generic program of the feedforward core. Starts, sums over Gram matrices and effective weights are driver.cu's.
// Compiled once per Real (COHORT_TARGET, COHORT_REAL come from the build).
#include "alignment/tangent_feedforward.h"
#include "cuda/generic.h"
#include "cuda/programs.h"

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

struct FeedforwardTrain : TrainOperation<CoreId::feedforward, FeedforwardWorkspace, Real> {};
struct NaturalTrain : FeedforwardTrain {
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    if (a.cohort.nets[i].natural.on) FeedforwardTrain::run(team, a, i, memory);
  }
};
struct FeedforwardEvaluate : EvaluateOperation<CoreId::feedforward, FeedforwardWorkspace, Real> {};
struct FeedforwardProbe : ProbeOperation<CoreId::feedforward, FeedforwardWorkspace, Real> {};
struct FeedforwardTangents : TangentOperation<CoreId::feedforward, Real> {
  static size_t bytes(const Args& a) { return feedforward_tangent_bytes<CtaTeam>(a); }
  COHORT_TEAM_FN static void run(const CtaTeam& team, const Args& a, int i, void* memory) {
    feedforward_tangent_network(team, a, i, memory);
  }
};

}  // namespace

const Program<Real>& feedforward_program() {
  static const Program<Real> row = [] {
    Program<Real> p = generic_program();
    p.core = CoreId::feedforward;
    p.train_workspace = generic_workspace<FeedforwardTrain>;
    p.train = generic_launch<FeedforwardTrain>;
    p.evaluate_workspace = generic_workspace<FeedforwardEvaluate>;
    p.evaluate = generic_launch<FeedforwardEvaluate>;
    p.probe_workspace = generic_workspace<FeedforwardProbe>;
    p.probe = generic_launch<FeedforwardProbe>;
    p.tangent_workspace = generic_workspace<FeedforwardTangents>;
    p.tangent = generic_launch<FeedforwardTangents>;
    return p;
  }();
  return row;
}

void train_natural(const TrainArgs<Real>& args, const Launch& launch) { generic_launch<NaturalTrain>(args, launch); }

COHORT_END

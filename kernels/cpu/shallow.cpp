// The CPU's program of networks without hidden layers for one instruction set: that of feedforward networks, but for training and
// evaluation. Compiled as cpu/recurrent.cpp is.
#include "cpu/shallow.h"

#include <algorithm>

COHORT_BEGIN

using Real = COHORT_REAL;

const Program<Real>& feedforward_row();

namespace {

// run(networks, count) for what is listed, all together, or else for one network after another.
template <class Run>
void in_groups(const Launch& launch, Run run) {
  if (launch.networks) {
    if (launch.count > 0) run(launch.networks, launch.count);
    return;
  }
  for (int32_t i = launch.first; i < launch.first + launch.count; ++i) run(&i, 1);
}

size_t train_workspace(const TrainArgs<Real>& a, int32_t count) {
  return std::max(shallow_bytes<Real>(a.cohort.signature, count, Purpose::learning),
                  feedforward_row().train_workspace(a, 1));
}
void train(const TrainArgs<Real>& a, const Launch& launch) {
  in_groups(launch, [&](const int32_t* networks, int count) {
    train_shallow(a, networks, count, launch.workspace);
    for (int i = 0; i < count; ++i)
      if (learns_alone(a.cohort.nets[networks[i]]))
        feedforward_row().train(a, {networks[i], 1, launch.workspace, launch.workspace_bytes, nullptr});
  });
}
size_t evaluate_workspace(const EvaluateArgs<Real>& a, int32_t count) {
  return shallow_bytes<Real>(a.cohort.signature, count, Purpose::forward);
}
void evaluate(const EvaluateArgs<Real>& a, const Launch& launch) {
  in_groups(launch,
            [&](const int32_t* networks, int count) { evaluate_shallow(a, networks, count, launch.workspace); });
}

}  // namespace

// From the program of feedforward networks.
void make_shallow(Program<Real>& p) {
  p.name = "shallow";
  p.together = true;
  p.train_workspace = train_workspace;
  p.train = train;
  p.evaluate_workspace = evaluate_workspace;
  p.evaluate = evaluate;
}

COHORT_END

// Trains one network with the kernels alone: the caller owns memory, threads and time.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cohort/kernels.h"

int main() {
  using namespace cohort;
  const Program<float>* program = cpu_program<float>(CoreId::recurrent);  // the best this processor runs

  NetSpec spec;  // exponentiated gradient on the two-alternative decision
  spec.seed = 7;
  spec.steps = 1000;
  for (RuleSpec& rule : spec.rule) {
    rule.geometry = GeometryId::neg_entropy;
    rule.lr = 0.05;
  }
  const TaskInfo& task = task_info(spec.task.id);
  for (int i = 0; i < task.n_params; ++i) spec.task.param[i] = task.params[i].value;
  const Signature shape{.n_in = task.n_in(spec.task.param),
                        .n_hidden = 64,
                        .n_out = task.n_out(spec.task.param),
                        .batch = 32,
                        .n_steps = task.n_steps(spec.task.param)};

  std::vector<float> theta(n_params(shape)), momentum(n_params(shape)), loss(static_cast<size_t>(spec.steps));
  NetState state;
  Cohort<float> network{.signature = shape,
                        .n_nets = 1,
                        .nets = &spec,
                        .state = &state,
                        .theta = theta.data(),
                        .momentum = momentum.data(),
                        .mask = nullptr,
                        .data = {}};
  program->init({network}, {.first = 0, .count = 1});

  const TrainArgs<float> args{network, spec.steps, loss.data()};
  const size_t bytes = program->train_workspace(args, 1);
  void* workspace = std::aligned_alloc(256, bytes);
  program->train(args, {.first = 0, .count = 1, .workspace = workspace, .workspace_bytes = bytes});
  std::free(workspace);

  std::printf("loss %.4f -> %.4f on %s\n", double(loss.front()), double(loss.back()), program->isa);
  return loss.back() < 0.1f ? 0 : 1;
}

#include "runner/decision_network.h"

namespace cohort::engine {

ResolvedNetwork decision_network(const Signature& signature) {
  ResolvedNetwork network;
  network.signature = signature;
  NetSpec& spec = network.spec;
  spec.activation = ActivationId::tanh;
  spec.init.gain = 0.9;
  spec.steps = int64_t(1) << 40;
  const TaskInfo& task = task_info(spec.task.id);
  for (int p = 0; p < task.n_params; ++p) spec.task.param[p] = task.params[p].value;
  spec.task.param[0] = signature.n_steps - 1;  // stimulus steps
  spec.task.param[3] = signature.n_in - 3;     // irrelevant channels
  return network;
}

}  // namespace cohort::engine

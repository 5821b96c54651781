#include "runner/decision_network.h"

namespace cohort::engine {

namespace {

ResolvedNetwork network_on(TaskId id, ActivationId activation, const Signature& signature) {
  ResolvedNetwork network;
  network.signature = signature;
  NetSpec& spec = network.spec;
  spec.activation = activation;
  spec.init.gain = 0.9;
  spec.steps = int64_t(1) << 40;
  const TaskInfo& task = task_info(id);
  spec.task.id = id;
  spec.task.loss = task.loss;
  spec.task.loss_steps = task.loss_steps;
  for (int p = 0; p < task.n_params; ++p) spec.task.param[p] = task.params[p].value;
  return network;
}

}  // namespace

ResolvedNetwork decision_network(const Signature& signature) {
  ResolvedNetwork network = network_on(TaskId::perceptual_decision, ActivationId::tanh, signature);
  network.spec.task.param[0] = signature.n_steps - 1;  // stimulus steps
  network.spec.task.param[3] = signature.n_in - 3;     // irrelevant channels
  return network;
}

ResolvedNetwork row_image_network(const Signature& signature) {
  return network_on(TaskId::row_mnist, ActivationId::relu, signature);
}

}  // namespace cohort::engine

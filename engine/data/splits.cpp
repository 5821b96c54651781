#include "data/splits.h"

#include <algorithm>

#include <fmt/core.h>

#include "cohort/error.h"

namespace cohort::engine {
namespace {

// Samples that a split holds; `drawn` where it is endless.
constexpr int32_t drawn = -1;
int32_t held(const ResolvedNetwork& network, const Dataset& data, Split split) {
  const TaskSpec& task = network.spec.task;
  const DataKind kind = task_info(task.id).needs_data;
  const int32_t n = n_samples(kind, data, task, split);
  if (n == 0 && kind == DataKind::none) return drawn;
  if (n == 0)
    throw Error(fmt::format("the {} split holds no sample to evaluate networks on{}", split_name(split),
                            kind == DataKind::tokens
                                ? fmt::format(": no window of task.steps = {} words", network.signature.n_steps)
                                : std::string()));
  return n;
}

}  // namespace

const char* split_name(Split split) {
  constexpr const char* names[] = {"train", "validation", "test"};
  return names[int(split)];
}

std::vector<Split> evaluated_splits(const EvalSettings& eval) {
  std::vector<Split> splits = {eval.split};
  splits.insert(splits.end(), eval.also.begin(), eval.also.end());
  return splits;
}

int32_t evaluated_trials(const EvalSettings& eval, const ResolvedNetwork& network, const Dataset& data, Split split) {
  const bool reads = task_info(network.spec.task.id).needs_data != DataKind::none;
  const int32_t n = held(network, data, eval.split);
  int32_t trials = eval.trials;
  if (trials == default_trials) trials = reads ? n : n == drawn ? usual_trials : std::min(n, usual_trials);
  if (trials == all_trials) {
    if (n == drawn)
      throw Error("eval.trials = \"all\" needs a data set; the task draws as many trials as it is asked for");
    trials = n;
  }
  if (n != drawn && trials > n)
    throw Error(fmt::format("eval.trials = {}, but the {} split holds {} samples; allowed: 1 to {} or \"all\"", trials,
                            split_name(eval.split), n, n));
  if (split == eval.split) return trials;
  const int32_t other = held(network, data, split);
  return other == drawn ? trials : std::min(trials, other);
}

int64_t planned_trials(const RunSettings& settings, const ResolvedNetwork& network) {
  constexpr int32_t n_train = 60000, n_test = 10000;
  const int32_t validation =
      settings.data.validation < 0 ? n_train / 12 : std::min(settings.data.validation, n_train - 1);
  Dataset mnist;
  mnist.count[int(Split::train)] = n_train - validation;
  mnist.count[int(Split::validation)] = validation;
  mnist.count[int(Split::test)] = n_test;
  if (settings.data.subset > 0) {
    const bool of_test = settings.data.subset_of == Split::test;
    mnist.count[int(Split::train)] = std::min(settings.data.subset, of_test ? n_test - 1 : n_train - validation);
    if (of_test) mnist.count[int(Split::test)] -= mnist.count[int(Split::train)];
  }
  EvalSettings eval = settings.eval;
  const bool reads = task_info(network.spec.task.id).needs_data != DataKind::none;
  const int32_t most = mnist.count[int(eval.split)];
  if (reads && most == 0) return 0;
  if (reads) eval.trials = std::min(eval.trials, most);
  int64_t trials = 0;
  for (const Split split : evaluated_splits(eval))
    if (!reads || mnist.count[int(split)] > 0) trials += evaluated_trials(eval, network, mnist, split);
  return trials;
}

}  // namespace cohort::engine

#include "data/data_set.h"

#include <optional>

#include <fmt/core.h>

#include "cohort/error.h"
#include "data/splits.h"

namespace cohort::engine {
namespace {

// Of the task `language_model`, in the order of its parameters.
struct TokenShape {
  int32_t vocabulary, dimension, steps;
  explicit TokenShape(const Signature& g) : vocabulary(g.n_out), dimension(g.n_in), steps(g.n_steps) {}
};

}  // namespace

Dataset DataSet::view() const {
  if (!images.pixels.empty()) return images.view();
  return tokens.tokens.empty() ? Dataset{} : tokens.view();
}

DataKind needed_data(const Experiment& experiment) {
  DataKind kind = DataKind::none;
  const char* first = "";
  for (int64_t i = 0; i < experiment.size(); ++i) {
    const TaskInfo& task = task_info(experiment.network(i).spec.task.id);
    if (task.needs_data == DataKind::none || task.needs_data == kind) continue;
    if (kind != DataKind::none)
      throw Error(
          fmt::format("task.name = \"{}\" reads {} and task.name = \"{}\" {}: an experiment reads one kind of data",
                      first, name_of(kind), task.name, name_of(task.needs_data)));
    kind = task.needs_data;
    first = task.name;
  }
  return kind;
}

namespace {

DataSet read_data(const Experiment& experiment, const std::string& option) {
  DataSet data;
  const DataSettings& settings = experiment.settings().data;
  const DataKind kind = needed_data(experiment);
  if (kind == DataKind::images) data.images = load_images(data_directory(option), settings.validation);
  if (kind == DataKind::images && settings.subset > 0)
    data.images = with_subset(data.images, settings.subset_of, settings.subset, settings.subset_seed);
  if (kind != DataKind::tokens) return data;

  const std::string directory = data_directory(option);
  const auto require = [&](const char* key, int32_t value, int32_t needed, const std::string& what) {
    if (value != needed) throw Error(fmt::format("{} = {}: {}; allowed: {}", key, value, what, needed));
  };
  for (int64_t i = 0; i < experiment.size(); ++i) {
    const ResolvedNetwork network = experiment.network(i);
    if (task_info(network.spec.task.id).needs_data != DataKind::tokens) continue;
    const TokenShape shape(network.signature);
    if (data.tokens.tokens.empty()) data.tokens = load_tokens(directory, shape.steps);
    const TokenSet& set = data.tokens;
    require("task.vocabulary", shape.vocabulary, set.vocabulary,
            fmt::format("embeddings.txt has {} words", set.vocabulary));
    require("task.dimension", shape.dimension, set.dimension,
            fmt::format("embeddings.txt has {} numbers per word", set.dimension));
    require("task.steps", shape.steps, set.steps, "windows of an experiment are equally long");
  }
  return data;
}

// What the evaluation asks for is there.
void require_samples(const Experiment& experiment, const Dataset& data) {
  const EvalSettings& eval = experiment.settings().eval;
  for (int64_t i = 0; i < experiment.size(); ++i) {
    const ResolvedNetwork network = experiment.network(i);
    for (const Split split : evaluated_splits(eval)) static_cast<void>(evaluated_trials(eval, network, data, split));
  }
}

}  // namespace

DataSet load_data(const Experiment& experiment, const std::string& option) {
  DataSet data = read_data(experiment, option);
  require_samples(experiment, data.view());
  return data;
}

}  // namespace cohort::engine

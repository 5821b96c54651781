// Which splits networks are evaluated on, and on how many trials of each.
#pragma once

#include <string>
#include <vector>

#include "config/experiment.h"

namespace cohort::engine {

const char* split_name(Split split);

// eval.split, then those of eval.also.
std::vector<Split> evaluated_splits(const EvalSettings& eval);

// Trials of one of them that a network is evaluated on, the first of the split in its order.
// eval.split: eval.trials; by default all samples of a data set, and 1024 trials of a task that draws them (of a fixed training
// set at most all). Those of eval.also: as many, or all where there are fewer.
// Error: the split holds no sample, or fewer than eval.trials asks for; no trial counts twice.
int32_t evaluated_trials(const EvalSettings& eval, const ResolvedNetwork& network, const Dataset& data, Split split);

// Trials of all splits in one evaluation of a network, for plans, which read no data: as if the data set were of MNIST's size.
int64_t planned_trials(const RunSettings& settings, const ResolvedNetwork& network);

}  // namespace cohort::engine

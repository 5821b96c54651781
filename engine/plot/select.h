// `cohort select`: the best setting of every arm, with its score and other measures of the networks that have it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "run/table.h"

namespace cohort::engine {

struct SelectOptions {
  std::vector<std::string> over = {};      // keys whose settings compete
  std::string by = {};                     // column: the score
  std::optional<bool> minimise = {};       // empty: losses are minimised, accuracies maximised
  std::vector<std::string> measures = {};  // columns of which the chosen networks' moments are wanted
  std::vector<std::string> where = {};     // KEY=VALUE
  bool per_seed = false;                   // choose for every seed by itself
};

struct Selection {
  // One row an arm: its keys, the keys of `over`, n_networks (with this setting, diverged ones included), then COLUMN.mean,
  // COLUMN.sd (over n - 1) and COLUMN.n (networks that have it) of the score and every measure, tied (further settings of equal
  // score) and edge (keys that are at the edge of the grid). Cells of an arm in which no network has a score are empty.
  Table table;
  std::string text;                   // the same for people
  std::vector<std::string> warnings;  // one line each
};

// Of a run's table (run/export.h). Throws Error where a key or column is not there, a condition holds for no network, or nothing
// says whether the smallest or the largest score is the best.
Selection select_settings(const Table& table, const SelectOptions& options);

}  // namespace cohort::engine

// Model selection on a table: each arm with the setting that scores best.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plot/arms.h"
#include "run/table.h"
#include "statistics/moments.h"

namespace cohort::engine {

struct ChooseOptions {
  bool minimise = false;                              // the smallest score is the best
  bool per_seed = false;                              // every seed is an arm of its own
  const char *keys = "--select", *score = "--score";  // what messages call them
};

struct Chosen {
  struct Choice {
    std::string arm = {};
    bool found = false;                // false: no setting of this arm has a finite score
    std::vector<std::string> setting;  // [n_keys] as text
    std::vector<size_t> rows = {};     // of the given table: networks with this setting, diverged ones included
    Moments score = {};                // over these
    size_t n_tied = 0;                 // further settings that score exactly as well; the first one is taken
    std::vector<std::string> edges =
        {};  // keys, numbers all, of whose values in this arm it has the smallest or the largest
    size_t n_networks() const { return rows.size(); }
  };
  std::vector<std::string> keys = {};  // that tell arms apart
  std::vector<Choice> choices = {};    // one an arm
  // The networks with the chosen settings. An arm without a choice keeps the networks of its first setting, their measures
  // empty, so that it is seen to be missing.
  Table table = {};
  std::vector<int64_t> without = {};  // networks of arms without a choice, ascending
};

// For each arm (all swept keys but the seed and `keys`) the setting of `keys` whose networks have the best mean of the column
// `score` (best_setting() says how networks without a score count). Throws Error if a column is not there.
Chosen choose(const Table& table, std::span<const std::string> keys, const std::string& score,
              const ChooseOptions& options = {});

}  // namespace cohort::engine

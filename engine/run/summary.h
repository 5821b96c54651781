// What `show` prints, and `run` at its end: plain text, aligned.
#pragma once

#include <string>
#include <vector>

#include "run/table.h"

namespace cohort::engine {

class RunDirectory;

// Name, progress (units, networks, diverged, overflowed) and the axes of the sweep.
std::string progress_text(const RunDirectory& run);

struct SummaryOptions {
  // Which columns; empty: weight_change.final, representation_alignment.final, kernel_alignment.final and
  // final.accuracy, as far as they are there, else the final loss.
  std::vector<std::string> columns;
  size_t max_groups = 200;  // more are only counted
};

// Mean +- standard deviation over the seeds (n - 1 in the denominator) for each combination of the swept keys, in the
// order of the sweep, with the number of networks and how many of them diverged. Keys that follow from those before
// them (keys that vary together) are left out. `keys` are the swept keys. Throws Error if a column is not there.
std::string summary_text(const Table& table, const std::vector<std::string>& keys, const SummaryOptions& options = {});

// Both, one after the other.
std::string show(const RunDirectory& run, const SummaryOptions& options = {});

}  // namespace cohort::engine

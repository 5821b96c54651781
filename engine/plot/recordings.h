// What a run directory keeps beside its table, by the rows of that table: recorded series and arrays.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "run/table.h"

namespace cohort::engine {

class RunDirectory;

struct RecordedSeries {
  std::vector<int64_t> step = {};               // increasing: all steps at which any network was recorded
  std::vector<std::vector<double>> value = {};  // [rows][n_steps]; NaN = no value; empty = not recorded
};

// If no unit has a series of this name: throws Error, saying which there are, or if it is not `required` gives rows that are not
// recorded.
RecordedSeries read_series(const RunDirectory& run, const Table& table, const std::string& name, bool required = true);

// The values of an array of every row, in the order of the shard; empty where there is none. Throws Error if no unit has it.
std::vector<std::vector<float>> read_arrays(const RunDirectory& run, const Table& table, const std::string& name);

// The names of all arrays "PREFIX.TENSOR.final": the tensors. Of the units that are done.
std::vector<std::string> kept_tensors(const RunDirectory& run, const std::string& prefix);

}  // namespace cohort::engine

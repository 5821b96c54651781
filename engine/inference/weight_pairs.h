// Weights before and after learning, from files of unknown origin.
#pragma once

#include <string>
#include <vector>

namespace cohort::engine {

struct WeightPairs {
  std::vector<double> before, after;  // [n], finite
};

inline constexpr size_t fewest_synapses = 10;

// Two files of one column each (of several: --columns BEFORE,AFTER, the first of them from the first file), or one file
// (`after` empty) of two. Each is CSV (csv_columns.h), NPY (npy_columns.h) or HDF5, FILE:/DATASET (hdf5_columns.h), as its
// content says. Throws Error for what a file holds, IoError where it cannot be read.
WeightPairs read_weight_pairs(const std::string& before, const std::string& after,
                              const std::vector<std::string>& columns);

// Throws Error: unequally many, fewer than fewest_synapses, values that are not finite, nothing has changed.
void check_weight_pairs(const WeightPairs& pairs);

}  // namespace cohort::engine

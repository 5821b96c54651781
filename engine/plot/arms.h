// The arms of an experiment: networks that differ in their seed only are replicates of one arm.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plot/keys.h"
#include "run/table.h"

namespace cohort::engine {

struct Arms {
  std::string title = {};                      // of the legend
  std::vector<std::string> label = {};         // [n_arms]
  std::vector<std::vector<size_t>> rows = {};  // [n_arms] of the table, ascending
  bool ordered = false;                        // arms are values of one number, in increasing order
  std::vector<std::string> keys = {};          // that tell arms apart
  std::vector<std::string> pooled = {};        // swept keys, other than these, that vary within arms
  size_t size() const { return label.size(); }
};

// By the keys in `by`, in this order, or if there are none by all swept keys but the seed and those excluded. Throws Error if
// a key is not there.
Arms arms_of(const Table& table, std::span<const std::string> by = {}, std::span<const std::string> excluded = {});

// The networks that satisfy all conditions "KEY=VALUE" on keys that are columns of the table; numbers are compared as numbers.
// Conditions on the same key are alternatives. Throws Error if a condition is no such text, has no such key, or if no network
// has the value.
Table networks_where(const Table& table, std::span<const std::string> conditions);

// The numbers in a column; NaN where there is none.
std::vector<double> numbers_in(const Table& table, std::span<const size_t> rows, size_t column);

}  // namespace cohort::engine

// One row per network: what `cohort export` prints and what figures are drawn from.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace cohort::engine {

// Empty (no value), a whole number, a number, or text.
using Cell = std::variant<std::monostate, int64_t, double, std::string>;

struct Table {
  std::vector<std::string> columns;     // "net", swept keys, "seed", "status", "final.loss", ...
  std::vector<std::vector<Cell>> rows;  // [n_nets][columns]
  // Index of a column, or -1.
  int column(const std::string& name) const {
    for (size_t i = 0; i < columns.size(); ++i)
      if (columns[i] == name) return int(i);
    return -1;
  }
};

}  // namespace cohort::engine

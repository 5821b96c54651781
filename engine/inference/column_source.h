// Which columns of numbers are wanted of a file, and the bounds that all formats keep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cohort::engine {

inline constexpr uint64_t max_weights_file = uint64_t(1) << 31;  // bytes
inline constexpr size_t max_synapses = 50'000'000;               // rows

using Columns = std::vector<std::vector<double>>;  // [n_columns][n_rows]

struct ColumnRequest {
  std::string file;                // as shown in messages
  size_t count = 1;                // how many columns
  std::vector<std::string> names;  // theirs, or their numbers from 1 on; empty: the only ones, or the `usual` names
  std::vector<std::string> usual;  // [count]
};

// The columns of a file that has no names but n of them, numbered from 0 on. Throws Error: names that are no numbers from 1
// to n, none given although n is not `count`.
std::vector<size_t> numbered_columns(const ColumnRequest& request, size_t n);

// A column's number from 1 on; 0 if the word is no such number.
size_t column_number(const std::string& word);

}  // namespace cohort::engine

// The index at the end of a shard, by which it is read.
//
//   HDF5 file | JSON | length of the JSON, 16 hexadecimal digits | xxh3() of all before | mark
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cohort::engine {

// One dataset. Its elements, in row-major order and little-endian, are the bytes from `at` on.
struct IndexedDataset {
  std::string name, kind, doc;
  std::string type;             // "f8", "f4", "i8", "u1", or "S" and a length: text padded with zeros
  std::vector<uint64_t> shape;  // the first dimension is the network, but for steps
  uint64_t at = 0;
  std::string steps;              // series: the dataset of kind step that belongs to its second dimension
  std::vector<std::string> dims;  // arrays: names of the dimensions after the first
};

// What a dataset is.
namespace kind {
inline constexpr const char *net = "net", *seed = "seed", *status = "status", *diverged = "diverged_at",
                            *overflowed = "overflowed_at", *swept = "swept", *column = "column", *series = "series",
                            *array = "array", *step = "step", *dimension = "dimension";
}

inline constexpr int64_t kShardFormat = 1;
inline constexpr std::string_view kShardMark = "cohort-shard-01\n";
inline constexpr size_t kShardFooter = 16 + 16 + kShardMark.size();

}  // namespace cohort::engine

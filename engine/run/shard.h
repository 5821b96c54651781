// A shard: the results of one unit as an HDF5 file that is written once and never changed. Every dataset has dimension
// scales, so netCDF4, h5netcdf and xarray open it as it is.
//
//   net [net]                      position in the sweep; the coordinate of the first dimension of everything else
//   seed, SWEPT.KEY [net]          one coordinate for each swept key, under its TOML path
//   status, diverged_at [net]      "ok" or "diverged@STEP"; -1 or STEP
//   overflowed_at [net]            -1, or STEP from which on the network trained in bf16x3 (absent from older shards: -1)
//   COLUMN [net]                   numbers; NaN = no value
//   SERIES [net][step]             "step", or "step.SERIES" where series were recorded at different steps
//   ARRAY [net][DIM]...            "DIM_SIZE" where arrays have dimensions of equal name and different size
//
// No times of day, no filters, no links: the same results give the same bytes.
//
// Behind the HDF5 file, where HDF5 does not look, lies an index of it: JSON with names, types, shapes and offsets, a hash
// of everything before, and a mark. The engine reads shards by that index alone: HDF5 1.10 reads beyond its buffers where
// a file is damaged, by chance or on purpose, and shards may come from anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "run/result.h"

namespace cohort::engine {

// The values of a swept key, one a network.
struct SweptColumn {
  using Values = std::variant<std::vector<bool>, std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;
  std::string key;
  Values value;
};

struct ShardMetadata {
  std::string experiment;   // its name
  std::string config_xxh3;  // of the canonical configuration
  int64_t unit = 0;
  // Further words about how it was made: tool, backend, isa, device.
  std::vector<std::pair<std::string, std::string>> made_by;
  std::vector<SweptColumn> swept;  // in the order of the sweep; "seed" only if it is swept
  std::vector<int64_t> seed;       // of each network
};

struct Shard {
  ShardMetadata metadata;
  UnitResult result;
};

// The bytes of a shard. Throws Error if an array is not as long as it has to be or a name occurs twice.
std::string encode_shard(const UnitResult& result, const ShardMetadata& metadata);

// The inverse. The bytes are untrusted: whatever is not as encode_shard() writes it is refused with an IoError that names
// `source`. Links, filters and external storage cannot be followed, because what is read lies in these bytes as it is.
Shard decode_shard(std::string_view bytes, const std::string& source);

// What is known of a shard without reading it.
struct ShardFile {
  std::string xxh3;  // of the whole file
  int64_t bytes = 0;
  friend bool operator==(const ShardFile&, const ShardFile&) = default;
};

// Written atomically. Throws IoError.
ShardFile write_shard(const std::string& path, const UnitResult& result, const ShardMetadata& metadata);

// The shard, which is refused (IoError) before it is parsed if it is not the file that is `expected`.
Shard read_shard(const std::string& path, const ShardFile& expected);
// The same for a file of which nothing is known.
Shard read_shard(const std::string& path);

// "ok" or "diverged@STEP".
std::string status_text(int64_t diverged_at);

}  // namespace cohort::engine

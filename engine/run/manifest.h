// The manifest of a run directory: what is computed there, how it is cut into units, and which of them are done.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "run/shard.h"
#include "run/units.h"

namespace cohort::engine {

struct Manifest {
  static constexpr int format = 1;

  struct Axis {
    std::vector<std::string> keys;  // vary together
    int64_t size = 0;
  };
  struct Done {
    ShardFile file;
    int64_t n_diverged = 0, n_overflowed = 0;
  };
  struct Entry {
    Unit unit;
    std::optional<Done> done;
  };

  std::string tool;                                          // "cohort 0.1.0"
  std::string name;                                          // of the experiment
  std::string canonical;                                     // its canonical configuration, one line of JSON
  std::vector<std::pair<std::string, std::string>> made_by;  // backend, isa, device
  std::vector<Axis> axes;
  int64_t n_networks = 0;
  std::vector<Entry> units;  // position = id

  std::string config_xxh3() const;
};

// As text: JSON, one unit a line, ending in a hash of everything before.
std::string to_json(const Manifest& manifest);

// The inverse, from untrusted text. Whatever comes back is consistent: every network is in exactly one unit. Throws
// IoError naming `source` if the text was changed or is not a manifest, Error if its format is a later one.
Manifest manifest_from_json(std::string_view text, const std::string& source);

inline constexpr uint64_t kMaxManifestBytes = uint64_t(256) << 20;

}  // namespace cohort::engine

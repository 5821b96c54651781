// A file and its overrides, sorted into base values and axes, before any key is looked up.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/document.h"

namespace cohort::engine {

struct RawEntry {
  std::string path;
  Node node;
};
using RawAxis = std::vector<RawEntry>;  // more than one entry: zipped

struct RawExperiment {
  std::vector<RawEntry> base;  // in the order of the source
  std::vector<RawAxis> axes;

  const RawEntry* base_value(const std::string& path) const;
  const RawEntry* axis_entry(const std::string& path) const;
};

// Throws ConfigError for keys given twice and misplaced tables.
RawExperiment sort_out(Node root);

// Applies one override (parse_override): a key takes this value and is no longer swept; sweep.KEY replaces the axis.
void apply_override(RawExperiment& raw, Node root);

}  // namespace cohort::engine

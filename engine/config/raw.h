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
  int in_case = -1;  // which [[sweep.case]] it is in; -1: none
};
// One key, or several zipped ones, [[sweep.zip]]; or the cases of the sweep one after another, [[sweep.case]].
struct RawAxis {
  std::vector<RawEntry> entries;  // of cases: by case
  int n_cases = 0;                // 0: not of cases
};

struct RawExperiment {
  std::vector<RawEntry> base;  // in the order of the source
  std::vector<RawAxis> axes;

  const RawEntry* base_value(const std::string& path) const;
  std::vector<const RawEntry*> axis_entries(const std::string& path) const;  // several: of several cases
};

// Throws ConfigError for keys given twice and misplaced tables.
RawExperiment sort_out(Node root);

// Applies one override (parse_override): a key takes this value and is no longer swept; sweep.KEY replaces the axis.
void apply_override(RawExperiment& raw, Node root);

}  // namespace cohort::engine

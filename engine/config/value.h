// The values that a configuration holds, and how they are written so that reading them back gives the same value.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace cohort::engine {

using Value = std::variant<bool, int64_t, double, std::string, std::vector<std::string>, std::vector<int64_t>>;

// As TOML writes it: true, 64, 0.003, "normal", ["a", "b"], [500, 300]. Doubles are the shortest text that reads back to the same
// bits and always look like one (2.0, not 2); strings are quoted, control characters escaped.
std::string to_toml(const Value& value);

// The same without quotes around a string: for tables and axis labels.
std::string to_text(const Value& value);

// Text in double quotes on one line, control characters escaped; longer than `longest` bytes is cut and ends in "...".
std::string quoted(const std::string& text, size_t longest = size_t(-1));

}  // namespace cohort::engine

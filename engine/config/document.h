// A TOML file as a tree with positions. Files are untrusted: size, depth and encoding are checked before they are
// parsed.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/position.h"

namespace cohort::engine {

inline constexpr size_t max_config_bytes = 64 * 1024;
inline constexpr int max_config_depth = 32;  // of tables, dotted keys, lists and inline tables together

struct Node {
  struct Array {
    std::vector<Node> items;
  };
  struct Table {
    std::vector<Node> items;  // in the order of the source
  };
  struct Date {};  // any date or time: no key takes one

  std::string key;      // empty for items of an array
  Position key_at, at;  // of the key and of the value
  std::variant<bool, int64_t, double, std::string, Date, Array, Table> value;

  const Table* table() const { return std::get_if<Table>(&value); }
  const Array* array() const { return std::get_if<Array>(&value); }
};

// "an integer", "a string", ...
const char* type_name(const Node& node);
// The value as an error message shows it: scalars as TOML, cut when long; "[...]" and "{...}" for the others.
std::string shown(const Node& node);

// The bytes of a file, at most max_config_bytes + 1 of them. Throws IoError.
std::string read_config(const std::string& path);

// The root table. Throws ConfigError for text that is too large, too deep, binary, not UTF-8, empty or not TOML.
Node parse_document(std::string_view text, const std::string& source);

// "key=value" as given on the command line: the key in TOML's dotted form, the value as TOML or a bare word or path, which is
// a string. The root table holds that one entry; errors point to "--set key=value".
Node parse_override(const std::string& assignment);

}  // namespace cohort::engine

#include "plot/arms.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "cohort/error.h"

namespace cohort::engine {

namespace {

bool is_number(const std::string& text, double& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// A bare value of such a key would not say what it is: numbers, also as words beside other words, and switches.
bool needs_its_name(const SweptKey& key) {
  double number = 0;
  return std::ranges::any_of(key.values, [&](const Cell& value) {
    const std::string text = to_label(value);
    return is_number(text, number) || text == "true" || text == "false";
  });
}

}  // namespace

Arms arms_of(const Table& table, std::span<const std::string> by, std::span<const std::string> excluded) {
  std::vector<SweptKey> keys;
  for (const std::string& name : by)
    keys.push_back(read_key(table, int(find_column(table, name, "--by: swept key", ColumnKind::key))));
  Arms arms;
  std::vector<SweptKey> all = independent_keys(table, excluded);
  if (by.empty())
    keys = std::move(all);
  else
    for (const SweptKey& key : all)
      if (std::ranges::find(by, key.name) == by.end()) arms.pooled.push_back(key.name);
  for (const SweptKey& key : keys) arms.keys.push_back(key.name);

  std::map<std::vector<size_t>, std::vector<size_t>> groups;  // rows by their values
  for (size_t r = 0; r < table.rows.size(); ++r) {
    std::vector<size_t> values;
    for (const SweptKey& key : keys) values.push_back(key.of_row[r]);
    groups[values].push_back(r);
  }
  for (auto& [values, rows] : groups) {
    std::string label;
    for (size_t k = 0; k < keys.size(); ++k) {
      std::string word = value_label(table, keys[k], values[k]);
      if (word.empty()) word = "none";
      if (keys.size() > 1 && needs_its_name(keys[k])) word = key_label(keys[k].name) + " = " + word;
      label += (label.empty() ? "" : ", ") + word;
    }
    arms.label.push_back(label.empty() ? "all networks" : label);
    arms.rows.push_back(std::move(rows));
  }
  if (keys.size() == 1) {
    arms.title = key_label(keys[0].name);
    arms.ordered = keys[0].numeric() && arms.size() > 2;
  }
  return arms;
}

Table networks_where(const Table& table, std::span<const std::string> conditions) {
  std::map<size_t, std::vector<std::string>> wanted;  // values by column
  for (const std::string& condition : conditions) {
    const size_t sign = condition.find('=');
    if (sign == std::string::npos || sign == 0) throw Error("--where '" + condition + "': expected KEY=VALUE");
    const size_t column = find_column(table, condition.substr(0, sign), "--where: swept key", ColumnKind::key);
    wanted[column].push_back(condition.substr(sign + 1));
  }
  const auto equal = [](const Cell& here, const std::string& value) {
    if (to_label(here) == value) return true;
    double number = 0;
    return is_number(value, number) && to_number(here) == number;
  };
  for (const auto& [column, values] : wanted)
    for (const std::string& value : values) {
      const SweptKey key = read_key(table, int(column));
      if (std::ranges::any_of(key.values, [&](const Cell& here) { return equal(here, value); })) continue;
      std::vector<std::string> known;
      for (size_t v = 0; v < std::min<size_t>(key.values.size(), 20); ++v) known.push_back(to_label(key.values[v]));
      throw Error("--where " + key.name + "=" + value + ": no network has this value; " + meant(value, known));
    }
  Table out{table.columns, {}};
  for (const auto& row : table.rows) {
    const bool kept = std::ranges::all_of(wanted, [&](const auto& condition) {
      return condition.first < row.size() && std::ranges::any_of(condition.second, [&](const std::string& value) {
               return equal(row[condition.first], value);
             });
    });
    if (kept) out.rows.push_back(row);
  }
  if (out.rows.empty() && !table.rows.empty()) throw Error("--where: no network satisfies all of the conditions");
  return out;
}

std::vector<double> numbers_in(const Table& table, std::span<const size_t> rows, size_t column) {
  std::vector<double> values;
  for (const size_t r : rows) values.push_back(to_number(cell(table, r, int(column))));
  return values;
}

}  // namespace cohort::engine

#include "run/export.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "cohort/error.h"
#include "run/directory.h"

namespace cohort::engine {
namespace {

// What a shard contributes to the table.
struct Part {
  ShardMetadata metadata;
  std::vector<int64_t> net, diverged_at, overflowed_at;
  std::vector<UnitResult::Column> columns;
};

// Puts names that are new behind the one that they follow.
void merge(std::vector<std::string>& order, const std::vector<UnitResult::Column>& columns) {
  size_t next = 0;
  for (const auto& column : columns) {
    const auto found = std::find(order.begin(), order.end(), column.name);
    if (found == order.end())
      order.insert(order.begin() + int64_t(next++), column.name);
    else
      next = size_t(found - order.begin()) + 1;
  }
}

// The values of a key that the manifest says is swept.
const SweptColumn::Values& values_of(const std::string& key, const Part& part, const std::string& path) {
  for (const SweptColumn& column : part.metadata.swept)
    if (column.key == key) return column.value;
  throw IoError(path + ": damaged: unit " + std::to_string(part.metadata.unit) + " does not hold the swept key " + key);
}

Cell cell(const SweptColumn::Values& values, size_t i) {
  if (const auto* flags = std::get_if<std::vector<bool>>(&values)) return std::string((*flags)[i] ? "true" : "false");
  if (const auto* integers = std::get_if<std::vector<int64_t>>(&values)) return (*integers)[i];
  if (const auto* numbers = std::get_if<std::vector<double>>(&values)) return (*numbers)[i];
  return std::get<std::vector<std::string>>(values)[i];
}

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

// Writes one row after the other.
class Writer {
 public:
  Writer(std::ostream& out, const std::vector<std::string>& columns, TableFormat format)
      : out_(out), json_(format == TableFormat::json) {
    for (const std::string& name : columns) keys_.push_back(json_ ? json_text(name) : csv_text(name));
    if (json_) {
      out_ << "[";
    } else {
      for (size_t i = 0; i < keys_.size(); ++i) out_ << (i ? "," : "") << keys_[i];
      out_ << "\n";
    }
  }

  void row(const std::vector<Cell>& cells) {
    if (json_) out_ << (first_ ? "\n{" : ",\n{");
    first_ = false;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i) out_ << (json_ ? ", " : ",");
      if (json_) out_ << keys_[i] << ": ";
      out_ << text(cells[i]);
    }
    out_ << (json_ ? "}" : "\n");
  }

  void end() {
    if (json_) out_ << "\n]\n";
    out_.flush();
    if (!out_) throw IoError("the output cannot be written");
  }

 private:
  static std::string json_text(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  static std::string csv_text(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
  }
  std::string text(const Cell& cell) const {
    if (const auto* word = std::get_if<std::string>(&cell)) return json_ ? json_text(*word) : csv_text(*word);
    if (const auto* integer = std::get_if<int64_t>(&cell)) return std::to_string(*integer);
    if (const auto* number = std::get_if<double>(&cell); number && (!json_ || std::isfinite(*number)))
      return shortest(*number);
    return json_ ? "null" : "";
  }

  std::ostream& out_;
  bool json_, first_ = true;
  std::vector<std::string> keys_;
};

}  // namespace

Table read_table(const RunDirectory& run) {
  std::vector<Part> parts;
  std::vector<std::string> names;
  for (int64_t unit = 0; unit < run.n_units(); ++unit) {
    if (!run.done(unit)) continue;
    Shard shard = run.read_unit(unit);
    merge(names, shard.result.columns);
    parts.push_back({std::move(shard.metadata), std::move(shard.result.net), std::move(shard.result.diverged_at),
                     std::move(shard.result.overflowed_at), std::move(shard.result.columns)});
  }

  std::vector<std::string> keys;
  for (const auto& axis : run.manifest().axes)
    for (const std::string& key : axis.keys)
      if (key != "seed") keys.push_back(key);
  Table table;
  table.columns.push_back("net");
  table.columns.insert(table.columns.end(), keys.begin(), keys.end());
  table.columns.insert(table.columns.end(), {"seed", "status", "overflowed_at"});
  const size_t n_fixed = table.columns.size();
  table.columns.insert(table.columns.end(), names.begin(), names.end());

  for (const Part& part : parts) {
    std::vector<const SweptColumn::Values*> swept;
    for (const std::string& key : keys) swept.push_back(&values_of(key, part, run.path()));
    std::vector<size_t> place;  // of each of the shard's columns
    for (const auto& column : part.columns)
      place.push_back(n_fixed + size_t(std::find(names.begin(), names.end(), column.name) - names.begin()));
    for (size_t i = 0; i < part.net.size(); ++i) {
      std::vector<Cell> row{part.net[i]};
      row.reserve(table.columns.size());
      for (const SweptColumn::Values* values : swept) row.push_back(cell(*values, i));
      row.emplace_back(part.metadata.seed[i]);
      row.emplace_back(status_text(part.diverged_at[i]));
      row.push_back(part.overflowed_at[i] < 0 ? Cell() : Cell(part.overflowed_at[i]));
      row.resize(table.columns.size());
      if (part.diverged_at[i] < 0)
        for (size_t c = 0; c < place.size(); ++c)
          if (const double value = part.columns[c].value[i]; !std::isnan(value)) row[place[c]] = value;
      table.rows.push_back(std::move(row));
    }
  }
  std::sort(table.rows.begin(), table.rows.end(),
            [](const auto& a, const auto& b) { return std::get<int64_t>(a[0]) < std::get<int64_t>(b[0]); });
  return table;
}

void write_table(std::ostream& out, const Table& table, TableFormat format) {
  Writer writer(out, table.columns, format);
  for (const auto& row : table.rows) writer.row(row);
  writer.end();
}

void write_history(std::ostream& out, const RunDirectory& run, TableFormat format) {
  Writer writer(out, {"net", "step", "name", "value"}, format);
  for (int64_t unit = 0; unit < run.n_units(); ++unit) {
    if (!run.done(unit)) continue;
    const UnitResult result = run.read_unit(unit).result;
    for (size_t i = 0; i < result.net.size(); ++i)
      for (const auto& series : result.series)
        for (size_t s = 0; s < series.step.size(); ++s)
          if (const double value = series.value[i * series.step.size() + s]; !std::isnan(value))
            writer.row({result.net[i], series.step[s], series.name, value});
  }
  writer.end();
}

}  // namespace cohort::engine

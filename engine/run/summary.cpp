#include "run/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "cohort/error.h"
#include "config/value.h"
#include "run/directory.h"
#include "run/export.h"
#include "run/grid.h"

namespace cohort::engine {
namespace {

constexpr size_t kAxisWidth = 90;  // longer lists of values are cut

std::string shown(const Cell& cell) {
  if (const auto* word = std::get_if<std::string>(&cell)) return printable(*word);
  if (const auto* integer = std::get_if<int64_t>(&cell)) return std::to_string(*integer);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  return "-";
}

// Running mean and sum of squared deviations (Welford 1962).
struct Moments {
  int64_t n = 0;
  double mean = 0, squares = 0;
  void add(double value) {
    const double from_old = value - mean;
    mean += from_old / double(++n);
    squares += from_old * (value - mean);
  }
  double sd() const { return std::sqrt(squares / double(n - 1)); }
};

// Four digits of the median mean of a column (one giant must not hide the rest), the same number of decimals in all its cells.
class Format {
 public:
  explicit Format(double typical) {
    const int exponent = typical > 0 && std::isfinite(typical) ? int(std::floor(std::log10(typical))) : 0;
    scientific_ = exponent < -4 || exponent > 6;
    decimals_ = scientific_ ? 3 : std::clamp(3 - exponent, 0, 7);
  }
  std::string operator()(const Moments& m) const {
    if (m.n == 0) return "-";
    return m.n == 1 ? number(m.mean) : number(m.mean) + " +- " + number(m.sd());
  }

 private:
  std::string number(double value) const {
    return scientific_ ? fmt::format("{:.{}e}", value, decimals_) : fmt::format("{:.{}f}", value, decimals_);
  }
  bool scientific_;
  int decimals_;
};

// The networks of a table that agree in the keys.
struct Groups {
  std::vector<size_t> keys;       // columns that tell groups apart
  std::vector<size_t> of_row;     // group of each row
  std::vector<size_t> first_row;  // of each group
};

Groups group(const Table& table, const std::vector<std::string>& keys) {
  Groups groups;
  groups.of_row.assign(table.rows.size(), 0);
  if (!table.rows.empty()) groups.first_row = {0};
  for (const std::string& key : keys) {
    if (key == "seed") continue;
    const int column = table.column(key);
    if (column < 0) throw Error("the table has no column '" + key + "'");
    std::map<std::pair<size_t, Cell>, size_t> finer;
    std::vector<size_t> of_row, first_row;
    for (size_t r = 0; r < table.rows.size(); ++r) {
      const auto [found, is_new] =
          finer.emplace(std::pair(groups.of_row[r], table.rows[r][size_t(column)]), finer.size());
      if (is_new) first_row.push_back(r);
      of_row.push_back(found->second);
    }
    if (first_row.size() == groups.first_row.size()) continue;
    groups.keys.push_back(size_t(column));
    groups.of_row = std::move(of_row);
    groups.first_row = std::move(first_row);
  }
  return groups;
}

bool has_values(const Table& table, int column) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [&](const auto& row) { return std::holds_alternative<double>(row[size_t(column)]); });
}

std::vector<size_t> chosen(const Table& table, const std::vector<std::string>& wanted) {
  std::vector<size_t> columns;
  for (const std::string& name : wanted) {
    const int column = table.column(name);
    if (column < 0) throw Error("there is no column '" + name + "' in this run");
    columns.push_back(size_t(column));
  }
  if (!wanted.empty()) return columns;
  for (const char* name : {"weight_change.final", "representation_alignment.final", "kernel_alignment.final",
                           "final.accuracy", "final.loss"})
    if (const int column = table.column(name);
        column >= 0 && has_values(table, column) && (name != std::string("final.loss") || columns.empty()))
      columns.push_back(size_t(column));
  return columns;
}

std::vector<std::string> swept_keys(const RunDirectory& run) {
  std::vector<std::string> keys;
  for (const auto& axis : run.manifest().axes) keys.insert(keys.end(), axis.keys.begin(), axis.keys.end());
  return keys;
}

}  // namespace

std::string progress_text(const RunDirectory& run) {
  const Manifest& manifest = run.manifest();
  int64_t units = 0, networks = 0, diverged = 0, overflowed = 0;
  for (const auto& [unit, done] : manifest.units) {
    if (!done) continue;
    ++units;
    networks += n_networks(unit.networks);
    diverged += done->n_diverged;
    overflowed += done->n_overflowed;
  }
  std::string text = fmt::format("{}: {} of {} networks done ({} of {} units), {} diverged", printable(manifest.name),
                                 networks, manifest.n_networks, units, manifest.units.size(), diverged);
  if (overflowed > 0) text += fmt::format(", {} left the range of fp16 and went on in bf16x3", overflowed);
  text += "\n";
  if (manifest.axes.empty()) return text;

  const auto config = nlohmann::json::parse(manifest.canonical, nullptr, false);
  const auto values = [&](const std::string& key) -> std::string {
    if (!config.is_object() || !config.contains("keys") || !config["keys"].is_object()) return "";
    const auto found = config["keys"].find(key);
    if (found == config["keys"].end() || !found->is_string()) return "";
    std::string list = printable(found->get<std::string>());
    if (list.size() <= kAxisWidth) return list;
    size_t end = kAxisWidth;  // not within a character
    while (end > 0 && (list[end] & 0xC0) == 0x80) --end;
    return list.substr(0, end) + "...";
  };
  Grid grid;
  grid.column("axes", false);
  grid.column("", true);
  grid.column("", false);
  for (const auto& axis : manifest.axes)
    for (size_t k = 0; k < axis.keys.size(); ++k)
      grid.row(
          {(k ? "  + " : "  ") + printable(axis.keys[k]), k ? "" : std::to_string(axis.size), values(axis.keys[k])});
  return text + grid.text();
}

std::string summary_text(const Table& table, const std::vector<std::string>& keys, const SummaryOptions& options) {
  const std::vector<size_t> columns = chosen(table, options.columns);
  const Groups groups = group(table, keys);
  const size_t n_groups = groups.first_row.size(), status = size_t(table.column("status"));

  std::vector<std::vector<Moments>> moments(n_groups, std::vector<Moments>(columns.size()));
  std::vector<int64_t> size(n_groups, 0), diverged(n_groups, 0);
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const auto& row = table.rows[r];
    const size_t g = groups.of_row[r];
    ++size[g];
    diverged[g] += row[status] != Cell(std::string("ok"));
    for (size_t c = 0; c < columns.size(); ++c)
      if (const auto* value = std::get_if<double>(&row[columns[c]])) moments[g][c].add(*value);
  }

  Grid grid;
  for (const size_t key : groups.keys)
    grid.column(printable(table.columns[key]), std::holds_alternative<std::string>(table.rows[0][key]) ? false : true);
  grid.column("networks", true);
  grid.column("diverged", true);
  std::vector<Format> formats;
  for (size_t c = 0; c < columns.size(); ++c) {
    grid.column(printable(table.columns[columns[c]]), true);
    std::vector<double> means;
    for (const auto& of_group : moments)
      if (of_group[c].n > 0) means.push_back(std::abs(of_group[c].mean));
    const auto middle = means.begin() + ptrdiff_t(means.size() / 2);
    std::nth_element(means.begin(), middle, means.end());
    formats.emplace_back(means.empty() ? 0 : *middle);
  }
  for (size_t g = 0; g < std::min(n_groups, options.max_groups); ++g) {
    std::vector<std::string> cells;
    for (const size_t key : groups.keys) cells.push_back(shown(table.rows[groups.first_row[g]][key]));
    cells.push_back(std::to_string(size[g]));
    cells.push_back(diverged[g] ? std::to_string(diverged[g]) : "-");
    for (size_t c = 0; c < columns.size(); ++c) cells.push_back(formats[c](moments[g][c]));
    grid.row(std::move(cells));
  }
  std::string text = grid.text();
  if (n_groups > options.max_groups) text += fmt::format("... and {} more groups\n", n_groups - options.max_groups);
  return text;
}

std::string show(const RunDirectory& run, const SummaryOptions& options) {
  const std::string progress = progress_text(run);
  const Table table = read_table(run);
  if (table.rows.empty()) return progress;
  return progress + "\nmean +- standard deviation over networks that differ in their seed only\n" +
         summary_text(table, swept_keys(run), options);
}

}  // namespace cohort::engine

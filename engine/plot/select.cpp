#include "plot/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cohort/error.h"
#include "plot/chosen.h"
#include "run/grid.h"

namespace cohort::engine {

namespace {

bool takes_smallest(const SelectOptions& options) {
  if (options.minimise) return *options.minimise;
  if (options.by.starts_with("final.loss")) return true;
  if (options.by.starts_with("final.accuracy")) return false;
  throw Error("--by '" + options.by +
              "': say --minimise or --maximise; only of final.loss and final.accuracy is it known");
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string number(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4g}", value); }
Cell cell_of(double value) { return std::isfinite(value) ? Cell(value) : Cell(); }

std::string arms_text(size_t n) { return fmt::format("{} arm{}", n, n == 1 ? "" : "s"); }

}  // namespace

Selection select_settings(const Table& all, const SelectOptions& options) {
  find_column(all, options.by, "--by: column", ColumnKind::measure);
  const bool minimise = takes_smallest(options);
  const Table table = networks_where(all, options.where);
  if (table.rows.empty()) throw Error("nothing to select from: no network of this run is done");
  const Chosen chosen = choose(table, options.over, options.by,
                               {.minimise = minimise, .per_seed = options.per_seed, .keys = "--over", .score = "--by"});
  std::vector<std::string> columns = {options.by};
  for (const std::string& measure : options.measures)
    if (std::ranges::find(columns, measure) == columns.end()) columns.push_back(measure);
  std::vector<size_t> of_column;
  for (const std::string& column : columns)
    of_column.push_back(find_column(table, column, "--measure: column", ColumnKind::measure));

  Selection out;
  out.table.columns = chosen.keys;
  out.table.columns.insert(out.table.columns.end(), options.over.begin(), options.over.end());
  out.table.columns.emplace_back("n_networks");
  for (const std::string& column : columns)
    for (const char* of : {".mean", ".sd", ".n"}) out.table.columns.push_back(column + of);
  for (const char* remark : {"tied", "edge"}) out.table.columns.emplace_back(remark);

  Grid grid;
  grid.column("arm", false);
  for (const std::string& key : options.over) grid.column(key, true);
  grid.column("networks", true);
  for (const std::string& column : columns)
    for (const std::string& header : {column + " mean", std::string("sd"), std::string("n")}) grid.column(header, true);
  grid.column("", false);

  size_t n_missing = 0, n_tied = 0, n_at_edge = 0;
  std::vector<std::string> edges;
  for (const Chosen::Choice& choice : chosen.choices) {
    std::vector<Cell> row;
    std::vector<std::string> shown = {printable(choice.arm)};
    for (const std::string& key : chosen.keys) row.push_back(cell(table, choice.rows.front(), table.column(key)));
    for (size_t k = 0; k < options.over.size(); ++k) {
      row.push_back(choice.found ? cell(table, choice.rows.front(), table.column(options.over[k])) : Cell());
      shown.push_back(choice.found ? printable(choice.setting[k]) : "none");
    }
    row.push_back(choice.found ? Cell(int64_t(choice.n_networks())) : Cell());
    shown.push_back(choice.found ? std::to_string(choice.n_networks()) : "-");
    for (const size_t column : of_column) {
      const Moments m = moments(numbers_in(table, choice.rows, column));
      row.push_back(choice.found ? cell_of(m.mean) : Cell());
      row.push_back(choice.found ? cell_of(m.sd) : Cell());
      row.push_back(choice.found ? Cell(int64_t(m.n)) : Cell());
      for (const double value : {m.mean, m.sd}) shown.push_back(choice.found ? number(value) : "-");
      shown.push_back(choice.found ? std::to_string(m.n) : "-");
    }
    row.push_back(choice.found ? Cell(int64_t(choice.n_tied)) : Cell());
    row.push_back(choice.edges.empty() ? Cell() : Cell(joined(choice.edges, " ")));
    std::vector<std::string> remarks;
    if (!choice.found) remarks.push_back("no network has a score");
    if (!choice.edges.empty()) remarks.push_back("at the edge: " + joined(choice.edges, ", "));
    if (choice.n_tied > 0)
      remarks.push_back(fmt::format("tied with {} other{}", choice.n_tied, choice.n_tied == 1 ? "" : "s"));
    shown.push_back(printable(joined(remarks, "; ")));
    n_missing += !choice.found;
    n_tied += choice.n_tied > 0;
    n_at_edge += !choice.edges.empty();
    for (const std::string& key : choice.edges)
      if (std::ranges::find(edges, key) == edges.end()) edges.push_back(key);
    out.table.rows.push_back(std::move(row));
    grid.row(std::move(shown));
  }
  out.text = fmt::format("best {} by the {} mean of {}\n", joined(options.over, " and "),
                         minimise ? "smallest" : "largest", options.by) +
             grid.text();
  const auto warn = [&](size_t n, const std::string& what) {
    if (n > 0) out.warnings.push_back(fmt::format("{} of {}: {}", n, arms_text(chosen.choices.size()), what));
  };
  warn(n_at_edge, "best at the edge of the grid (" + joined(edges, ", ") + ")");
  warn(n_tied, "several settings are the best; the first is taken");
  warn(n_missing, "no network has a finite " + options.by);
  return out;
}

}  // namespace cohort::engine

#include <fmt/format.h>

#include <iostream>
#include <map>

#include "cohort/error.h"
#include "commands.h"
#include "plot/sweep_figure.h"
#include "run/atomic_file.h"
#include "run/directory.h"
#include "run/export.h"

namespace cohort::app {

using namespace cohort::engine;

int export_table(const std::string& path, const std::string& format, bool history) {
  const RunDirectory directory = RunDirectory::read(path);
  const TableFormat as = format == "json" ? TableFormat::json : TableFormat::csv;
  if (history)
    write_history(std::cout, directory, as);
  else
    write_table(std::cout, read_table(directory), as);
  if (!std::cout.flush()) throw IoError("cannot write to stdout");
  return ok;
}

namespace {

// Loss histories of all networks.
std::string draw_history(const RunDirectory& directory) {
  const Table table = read_table(directory);
  std::map<int64_t, size_t> row_of;
  for (size_t r = 0; r < table.rows.size(); ++r) row_of[std::get<int64_t>(table.rows[r][0])] = r;
  std::vector<int64_t> steps;
  std::vector<std::vector<double>> curves(table.rows.size());
  for (int64_t unit = 0; unit < directory.n_units(); ++unit) {
    if (!directory.done(unit)) continue;
    const UnitResult result = directory.read_unit(unit).result;
    for (const auto& series : result.series) {
      if (series.name != "loss") continue;
      if (steps.empty()) steps = series.step;
      if (series.step != steps)
        throw Error("the networks of this run were recorded at different steps; draw them one train.steps at a time");
      for (size_t i = 0; i < result.net.size(); ++i)
        curves[row_of.at(result.net[i])].assign(series.value.begin() + ptrdiff_t(i * steps.size()),
                                                series.value.begin() + ptrdiff_t((i + 1) * steps.size()));
    }
  }
  return sweep_history_figure(table, steps, curves, {.title = directory.manifest().name});
}

}  // namespace

int plot(const std::string& path, const std::string& out, bool history, const std::vector<std::string>& measures) {
  const RunDirectory directory = RunDirectory::read(path);
  const std::string svg =
      history ? draw_history(directory)
              : sweep_figure(read_table(directory), {.title = directory.manifest().name, .measures = measures});
  const std::string file = !out.empty() ? out : path + (history ? "/history.svg" : "/figure.svg");
  write_file_atomically(file, svg);
  fmt::print(stderr, "{}\n", file);
  return ok;
}

}  // namespace cohort::app

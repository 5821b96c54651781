#include "plot/recordings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "cohort/error.h"
#include "plot/keys.h"
#include "run/directory.h"

namespace cohort::engine {
namespace {

std::map<int64_t, size_t> rows_by_network(const Table& table) {
  std::map<int64_t, size_t> rows;
  const int net = table.column("net");
  for (size_t r = 0; r < table.rows.size(); ++r) rows[int64_t(to_number(cell(table, r, net)))] = r;
  return rows;
}

void each_unit(const RunDirectory& run, const auto& use) {
  for (int64_t unit = 0; unit < run.n_units(); ++unit)
    if (run.done(unit)) use(run.read_unit(unit).result);
}

void remember(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

}  // namespace

RecordedSeries read_series(const RunDirectory& run, const Table& table, const std::string& name, bool required) {
  const std::map<int64_t, size_t> rows = rows_by_network(table);
  std::vector<std::string> known;
  std::vector<std::map<int64_t, double>> values(table.rows.size());  // by step
  std::map<int64_t, size_t> steps;
  each_unit(run, [&](const UnitResult& result) {
    for (const auto& series : result.series) {
      remember(known, series.name);
      if (series.name != name) continue;
      for (size_t i = 0; i < result.net.size(); ++i) {
        const auto row = rows.find(result.net[i]);
        if (row == rows.end()) continue;
        for (size_t s = 0; s < series.step.size(); ++s) {
          values[row->second][series.step[s]] = series.value[i * series.step.size() + s];
          steps[series.step[s]];
        }
      }
    }
  });
  if (required && std::ranges::find(known, name) == known.end())
    throw Error("series '" + name + "' was not recorded in this run; " + meant(name, known));
  RecordedSeries out;
  for (auto& [step, index] : steps) {
    index = out.step.size();
    out.step.push_back(step);
  }
  for (const auto& of_row : values) {
    out.value.emplace_back();
    if (of_row.empty()) continue;
    out.value.back().assign(out.step.size(), std::numeric_limits<double>::quiet_NaN());
    for (const auto& [step, value] : of_row) out.value.back()[steps.at(step)] = value;
  }
  return out;
}

std::vector<std::vector<float>> read_arrays(const RunDirectory& run, const Table& table, const std::string& name) {
  const std::map<int64_t, size_t> rows = rows_by_network(table);
  std::vector<std::string> known;
  std::vector<std::vector<float>> values(table.rows.size());
  each_unit(run, [&](const UnitResult& result) {
    for (const auto& array : result.arrays) {
      remember(known, array.name);
      if (array.name != name) continue;
      const size_t size = result.net.empty() ? 0 : array.value.size() / result.net.size();
      for (size_t i = 0; i < result.net.size(); ++i)
        if (const auto row = rows.find(result.net[i]); row != rows.end())
          values[row->second].assign(array.value.begin() + ptrdiff_t(i * size),
                                     array.value.begin() + ptrdiff_t((i + 1) * size));
    }
  });
  if (std::ranges::find(known, name) == known.end())
    throw Error("array '" + name + "' was not kept in this run; " + meant(name, known));
  return values;
}

std::vector<std::string> kept_tensors(const RunDirectory& run, const std::string& prefix) {
  const std::string begin = prefix + ".", end = ".final";
  std::vector<std::string> tensors;
  each_unit(run, [&](const UnitResult& result) {
    for (const auto& array : result.arrays)
      if (array.name.starts_with(begin) && array.name.ends_with(end) && array.name.size() > begin.size() + end.size())
        remember(tensors, array.name.substr(begin.size(), array.name.size() - begin.size() - end.size()));
  });
  return tensors;
}

}  // namespace cohort::engine

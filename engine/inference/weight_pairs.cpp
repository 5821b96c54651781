#include "inference/weight_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "cohort/error.h"
#include "data/shown.h"
#include "inference/csv_columns.h"
#include "inference/hdf5_columns.h"
#include "inference/npy_columns.h"
#include "run/atomic_file.h"

namespace cohort::engine {
namespace {

// FILE:/DATASET, unless a file has that very name.
struct Location {
  std::string file, dataset;
  explicit Location(const std::string& word) : file(word) {
    std::error_code error;
    const size_t colon = word.rfind(":/");
    if (colon == std::string::npos || std::filesystem::exists(word, error)) return;
    // The dataset's own name may hold ":/" too: the shortest file that exists.
    for (size_t at = word.find(":/"); at != std::string::npos; at = word.find(":/", at + 1))
      if (std::filesystem::is_regular_file(word.substr(0, at), error)) {
        file = word.substr(0, at);
        dataset = word.substr(at + 1);
        return;
      }
    file = word.substr(0, colon);
    dataset = word.substr(colon + 1);
  }
};

Columns read_columns(const std::string& word, ColumnRequest request) {
  const Location at(word);
  request.file = shown(at.file);
  std::error_code error;
  const std::filesystem::path target = std::filesystem::canonical(at.file, error);  // users link to their data
  if (error) throw IoError(fmt::format("cannot read {}: {}", request.file, error.message()));
  const std::string bytes = read_whole_file(target.string(), max_weights_file);
  if (is_hdf5(bytes)) {
    if (at.dataset.empty()) throw Error(request.file + ": an HDF5 file; name its dataset, FILE:/DATASET");
    return read_hdf5(bytes, at.dataset, request);
  }
  if (!at.dataset.empty()) throw Error(request.file + ": not an HDF5 file, so it has no dataset " + shown(at.dataset));
  return is_npy(bytes) ? read_npy(bytes, request) : read_csv(bytes, request);
}

}  // namespace

WeightPairs read_weight_pairs(const std::string& before, const std::string& after,
                              const std::vector<std::string>& columns) {
  if (!columns.empty() && columns.size() != 2)
    throw Error(fmt::format("--columns: {} names; BEFORE,AFTER are expected", columns.size()));
  if (after.empty()) {
    Columns both = read_columns(before, {.file = {}, .count = 2, .names = columns, .usual = {"before", "after"}});
    return {std::move(both[0]), std::move(both[1])};
  }
  const auto one = [&](const std::string& file, size_t i, const char* usual) {
    ColumnRequest request{.file = {}, .count = 1, .names = {}, .usual = {usual}};
    if (!columns.empty()) request.names = {columns[i]};
    return std::move(read_columns(file, request)[0]);
  };
  return {one(before, 0, "before"), one(after, 1, "after")};
}

void check_weight_pairs(const WeightPairs& pairs) {
  const size_t n = pairs.before.size();
  if (pairs.after.size() != n)
    throw Error(fmt::format("{} weights before learning and {} after; as many are expected", n, pairs.after.size()));
  if (n < fewest_synapses) throw Error(fmt::format("{} pairs of weights; at least {} are needed", n, fewest_synapses));
  for (size_t i = 0; i < n; ++i)
    if (!std::isfinite(pairs.before[i]) || !std::isfinite(pairs.after[i]))
      throw Error(fmt::format("pair {}: not finite", i + 1));
  if (pairs.before == pairs.after) throw Error("no weight has changed: nothing can be said about a geometry");
}

}  // namespace cohort::engine

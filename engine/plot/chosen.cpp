#include "plot/chosen.h"

#include <algorithm>
#include <map>

#include "statistics/selection.h"

namespace cohort::engine {

namespace {

using Setting = std::vector<size_t>;  // values of the selected keys

// Is the value of key k the smallest or the largest number among those of the arm's settings, and are there others?
bool at_edge(const SweptKey& key, size_t k, const Setting& chosen,
             const std::map<Setting, std::vector<size_t>>& settings) {
  size_t least = chosen[k], most = chosen[k];
  for (const auto& [values, rows] : settings)
    if (values[k] < key.n_numbers) {
      least = std::min(least, values[k]);
      most = std::max(most, values[k]);
    }
  return chosen[k] < key.n_numbers && least < most && (chosen[k] == least || chosen[k] == most);
}

Arms arms_without(const Table& table, std::span<const std::string> keys, bool per_seed) {
  if (!per_seed || table.column("seed") < 0) return arms_of(table, {}, keys);
  std::vector<std::string> by;
  for (const SweptKey& key : independent_keys(table, keys)) by.push_back(key.name);
  by.emplace_back("seed");
  return arms_of(table, by, keys);
}

}  // namespace

Chosen choose(const Table& table, std::span<const std::string> keys, const std::string& score,
              const ChooseOptions& options) {
  const size_t column = find_column(table, score, std::string(options.score) + ": column", ColumnKind::measure);
  std::vector<SweptKey> selected;
  for (const std::string& name : keys)
    selected.push_back(
        read_key(table, int(find_column(table, name, std::string(options.keys) + ": swept key", ColumnKind::key))));
  const Arms arms = arms_without(table, keys, options.per_seed);
  const int net = table.column("net");

  Chosen out{.keys = arms.keys, .table = {table.columns, {}}};
  std::vector<size_t> kept;
  std::vector<bool> emptied(table.rows.size(), false);
  for (size_t a = 0; a < arms.size(); ++a) {
    std::map<Setting, std::vector<size_t>> settings;  // rows by their values
    for (const size_t r : arms.rows[a]) {
      Setting values;
      for (const SweptKey& key : selected) values.push_back(key.of_row[r]);
      settings[values].push_back(r);
    }
    std::vector<std::vector<double>> scores;
    std::vector<const std::pair<const Setting, std::vector<size_t>>*> entries;
    for (const auto& entry : settings) {
      scores.push_back(numbers_in(table, entry.second, column));
      entries.push_back(&entry);
    }
    const std::optional<size_t> best = best_setting(scores, options.minimise);
    const size_t taken = best.value_or(0);
    const auto& [values, rows] = *entries[taken];
    Chosen::Choice choice{
        .arm = arms.label[a], .found = best.has_value(), .setting = {}, .rows = rows, .score = moments(scores[taken])};
    for (size_t k = 0; k < selected.size(); ++k) {
      choice.setting.push_back(best ? to_label(selected[k].values[values[k]]) : "");
      if (best && at_edge(selected[k], k, values, settings)) choice.edges.push_back(selected[k].name);
    }
    for (size_t i = 0; best && i < scores.size(); ++i) {
      const Moments other = moments(scores[i]);
      choice.n_tied += i != taken && other.mean == choice.score.mean &&
                       other.n * rows.size() == choice.score.n * scores[i].size();  // equal shares have a score
    }
    for (const size_t r : rows) {
      kept.push_back(r);
      emptied[r] = !best;
    }
    out.choices.push_back(std::move(choice));
  }
  std::ranges::sort(kept);
  for (const size_t r : kept) {
    out.table.rows.push_back(table.rows[r]);
    auto& row = out.table.rows.back();
    if (!emptied[r]) continue;
    for (size_t c = 0; c < row.size(); ++c)
      if (is_measure(table.columns[c])) row[c] = Cell();
    if (const auto* id = net < 0 ? nullptr : std::get_if<int64_t>(&row[size_t(net)])) out.without.push_back(*id);
  }
  std::ranges::sort(out.without);
  return out;
}

}  // namespace cohort::engine

#include "plot/chosen.h"

#include <algorithm>
#include <map>

#include "statistics/selection.h"

namespace cohort::engine {

Chosen choose(const Table& table, std::span<const std::string> keys, const std::string& score, bool minimise) {
  const size_t column = find_column(table, score, "--score: column", ColumnKind::measure);
  std::vector<SweptKey> selected;
  for (const std::string& name : keys)
    selected.push_back(read_key(table, int(find_column(table, name, "--select: swept key", ColumnKind::key))));
  const Arms arms = arms_of(table, {}, keys);
  const int net = table.column("net");

  Chosen out{.table = {table.columns, {}}};
  std::vector<size_t> kept;
  std::vector<bool> emptied(table.rows.size(), false);
  for (size_t a = 0; a < arms.size(); ++a) {
    std::map<std::vector<size_t>, std::vector<size_t>> settings;  // rows by their values
    for (const size_t r : arms.rows[a]) {
      std::vector<size_t> values;
      for (const SweptKey& key : selected) values.push_back(key.of_row[r]);
      settings[values].push_back(r);
    }
    std::vector<std::vector<double>> scores;
    std::vector<const std::vector<size_t>*> rows;
    for (const auto& [values, of_setting] : settings) {
      scores.push_back(numbers_in(table, of_setting, column));
      rows.push_back(&of_setting);
    }
    const std::optional<size_t> best = best_setting(scores, minimise);
    const size_t taken = best.value_or(0);
    Chosen::Choice choice{.arm = arms.label[a],
                          .found = best.has_value(),
                          .setting = {},
                          .score = moments(scores[taken]),
                          .n_networks = rows[taken]->size()};
    for (const SweptKey& key : selected)
      choice.setting.push_back(best ? to_label(key.values[key.of_row[rows[taken]->front()]]) : "");
    out.choices.push_back(std::move(choice));
    for (const size_t r : *rows[taken]) {
      kept.push_back(r);
      emptied[r] = !best;
    }
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

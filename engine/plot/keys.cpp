#include "plot/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "cohort/error.h"
#include "config/schema.h"
#include "plot/figure.h"

namespace cohort::engine {

// ---- cells ----------------------------------------------------------------------------------------------------------
const Cell& cell(const Table& table, size_t row, int column) {
  static const Cell empty;
  const auto& cells = table.rows[row];
  return column >= 0 && size_t(column) < cells.size() ? cells[size_t(column)] : empty;
}

double to_number(const Cell& value) {
  if (const auto* whole = std::get_if<int64_t>(&value)) return double(*whole);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return no_number;
}

std::string to_label(const Cell& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (std::holds_alternative<std::monostate>(value)) return "";
  return axis_number(to_number(value));
}

// ---- swept keys -----------------------------------------------------------------------------------------------------
SweptKey read_key(const Table& table, int column) {
  SweptKey key{.name = table.columns[size_t(column)], .column = column};
  std::map<double, size_t> numbers;
  std::map<std::string, size_t> words;
  std::vector<Cell> in_order;
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const Cell& value = cell(table, r, column);
    const double number = to_number(value);
    if (std::isfinite(number))
      numbers.emplace(number, 0);
    else if (words.emplace(to_label(value), words.size()).second)
      in_order.push_back(value);
  }
  for (auto& [number, index] : numbers) {
    index = key.values.size();
    key.values.emplace_back(number);
  }
  key.n_numbers = numbers.size();
  key.values.insert(key.values.end(), in_order.begin(), in_order.end());
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const Cell& value = cell(table, r, column);
    const double number = to_number(value);
    key.of_row.push_back(std::isfinite(number) ? numbers.at(number) : key.n_numbers + words.at(to_label(value)));
  }
  return key;
}

bool is_measure(const std::string& column) {
  return column.starts_with("final.") || column.ends_with(".final") || column.ends_with(".initial");
}

std::vector<SweptKey> independent_keys(const Table& table, std::span<const std::string> excluded) {
  std::vector<SweptKey> keys;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const std::string& name = table.columns[c];
    if (is_measure(name) || name == "net" || name == "seed" || name == "status" || name == "overflowed_at") continue;
    if (std::ranges::find(excluded, name) != excluded.end()) continue;
    SweptKey key = read_key(table, int(c));
    if (key.values.size() > 1) keys.push_back(std::move(key));
  }
  std::stable_partition(keys.begin(), keys.end(), [](const SweptKey& key) { return !key.numeric(); });
  std::vector<SweptKey> kept;
  std::vector<size_t> setting(table.rows.size(), 0);  // which values of the kept keys a row has
  for (SweptKey& key : keys) {
    std::map<size_t, size_t> follows;
    bool independent = false;
    for (size_t r = 0; r < setting.size() && !independent; ++r) {
      const auto known = follows.emplace(setting[r], key.of_row[r]).first;
      independent = known->second != key.of_row[r];
    }
    if (!independent) continue;
    std::map<std::pair<size_t, size_t>, size_t> refined;
    for (size_t r = 0; r < setting.size(); ++r)
      setting[r] = refined.emplace(std::pair{setting[r], key.of_row[r]}, refined.size()).first->second;
    kept.push_back(std::move(key));
  }
  return kept;
}

// ---- words ----------------------------------------------------------------------------------------------------------
std::string spaced(std::string text) {
  std::ranges::replace(text, '_', ' ');
  return text;
}

std::string key_label(const std::string& name) {
  static const std::map<std::string, std::string> known = {{"init.rank", "initial rank"},
                                                           {"init.gain", "initial gain"},
                                                           {"rule.geometry", "geometry"},
                                                           {"rule.lr", "learning rate"},
                                                           {"network.n_hidden", "hidden units"},
                                                           {"init.distribution", "initial weights"},
                                                           {"rule.p", "p"},
                                                           {"rule.beta", "beta"},
                                                           {"rule.momentum", "momentum"},
                                                           {"task.name", "task"},
                                                           {"network.ei_ratio", "E:I ratio"},
                                                           {"network.n_inhibitory", "inhibitory units"},
                                                           {"init.spectral_radius", "initial spectral radius"},
                                                           {"train.steps", "training steps"},
                                                           {"network.parameterisation", "weights"},
                                                           {"network.activation", "activation"}};
  const auto found = known.find(name);
  return found == known.end() ? name : found->second;
}

std::string value_label(const Table& table, const SweptKey& key, size_t value) {
  const std::string word = to_label(key.values[value]);
  if (key.name == "rule.geometry") {
    if (word == "euclidean") return "GD (euclidean)";
    if (word == "neg_entropy") return "EG (neg_entropy)";
    const std::string parameter = word == "p_norm" ? "p" : word == "hypentropy" ? "beta" : "";
    if (const int column = table.column("rule." + parameter); column >= 0) {
      std::string seen;
      for (size_t r = 0; r < table.rows.size(); ++r)
        if (key.of_row[r] == value) {
          const std::string here = to_label(cell(table, r, column));
          if (!seen.empty() && here != seen) return word;
          seen = here;
        }
      return fmt::format("{} ({} = {})", word, parameter, seen);
    }
    return word;
  }
  if (key.name == "task.name") return spaced(word);
  return word;
}

Measure measure_of(const std::string& column) {
  Measure measure{.column = column};
  std::string name = column;
  bool initial = false;
  if (name.starts_with("final.")) {
    name = name.substr(6);
  } else if (name.starts_with("eval.")) {
    name = name.substr(5);
  } else if (name.ends_with(".initial") || name.ends_with(".final")) {
    initial = name.ends_with(".initial");
    name = name.substr(0, name.rfind('.'));
  }
  measure.label = spaced(name) + (initial ? " (start)" : "");
  const std::string base = name.substr(0, name.find('.'));
  if ((base == "accuracy" || base == "loss") && name != base)  // of another split
    measure.label = base + " (" + spaced(name.substr(base.size() + 1)) + ")";
  if (base == "dual_change" && name != base) {  // dual_change.FIELD[.CANDIDATE][.TENSOR]
    static const std::map<std::string, std::string> fields = {{"delta_cdf", "\u0394-CDF"},
                                                              {"delta_cdf_centred", "\u0394-CDF, centred"},
                                                              {"ks", "KS distance in the dual"},
                                                              {"laziness", "laziness in the dual"}};
    const std::string rest = name.substr(base.size() + 1), field = rest.substr(0, rest.find('.'));
    std::string of = rest.substr(std::min(field.size() + 1, rest.size()));
    if (of.starts_with("p_norm_")) of = "p = " + of.substr(7);
    if (const auto found = fields.find(field); found != fields.end()) {
      measure.quantity = found->second;
      measure.variant = spaced(of);
      measure.label = measure.quantity + " (" + measure.variant + ")";
      measure.floor = 0;
    }
  }
  static const std::map<std::string, std::string> remarks = {
      {"weight_change", "Frobenius norm"}, {"representation_alignment", "1 = as at the start"},
      {"cka", "1 = as at the start"},      {"kernel_alignment", "1 = as at the start"},
      {"accuracy", "fraction correct"},
  };
  if (const auto found = remarks.find(base); found != remarks.end() && name == base) measure.remark = found->second;
  for (const char* bounded : {"representation_alignment", "cka", "kernel_alignment", "accuracy", "sign_similarity",
                              "sign_flips", "svd_entropy", "effective_rank"})
    if (base == bounded) measure.floor = 0, measure.ceiling = 1;
  return measure;
}

size_t find_column(const Table& table, const std::string& name, const std::string& what, ColumnKind kind) {
  const auto suits = [&](const std::string& column) {
    return kind == ColumnKind::any || is_measure(column) == (kind == ColumnKind::measure);
  };
  if (const int column = table.column(name); column >= 0 && suits(name)) return size_t(column);
  std::vector<std::string> known;
  for (const std::string& column : table.columns)
    if (suits(column)) known.push_back(column);
  throw Error(what + " '" + name + "' is not in this run; " + meant(name, known));
}

std::string meant(const std::string& word, const std::vector<std::string>& known) {
  if (const std::string near = nearest(word, known); !near.empty()) return "did you mean '" + near + "'?";
  std::string all;
  for (const std::string& name : known) all += (all.empty() ? "" : ", ") + name;
  return "there is: " + (all.empty() ? "nothing" : all);
}

}  // namespace cohort::engine

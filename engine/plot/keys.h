// What the columns of a table mean: swept keys and their values, measures and their names on an axis.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "run/table.h"

namespace cohort::engine {

// ---- cells ----------------------------------------------------------------------------------------------------------
// An empty cell where the row is too short or column is -1.
const Cell& cell(const Table& table, size_t row, int column);
double to_number(const Cell& value);  // NaN if it is none
std::string to_label(const Cell& value);

// ---- swept keys -----------------------------------------------------------------------------------------------------
// A swept key and its distinct values: numbers in order, then words in the order in which they appear.
struct SweptKey {
  std::string name = {};
  int column = -1;
  std::vector<Cell> values = {};
  std::vector<size_t> of_row = {};  // [rows] index into values
  size_t n_numbers = 0;
  bool numeric() const { return n_numbers > 0 && values.size() <= n_numbers + 1; }  // "full" may stand among numbers
};

SweptKey read_key(const Table& table, int column);

// final.*, *.initial and *.final are measures; all other columns tell networks apart.
bool is_measure(const std::string& column);

// The keys that vary, without those excluded, the seed, and those that follow from the ones before them. Words come
// first, so that a learning rate that belongs to each geometry follows from the geometry and not the other way round.
std::vector<SweptKey> independent_keys(const Table& table, std::span<const std::string> excluded = {});

enum class ColumnKind { key, measure, any };

// The index of a column. Throws Error, which begins with `what` and says what was meant or what there is.
size_t find_column(const Table& table, const std::string& name, const std::string& what,
                   ColumnKind kind = ColumnKind::any);

// "did you mean 'x'?", or a list of what is known.
std::string meant(const std::string& word, const std::vector<std::string>& known);

// ---- words ----------------------------------------------------------------------------------------------------------
std::string spaced(std::string text);  // blanks for underscores
std::string key_label(const std::string& name);

// A value of a key. A geometry is also called by its usual abbreviation, and p-norms by their p where it is in the
// table.
std::string value_label(const Table& table, const SweptKey& key, size_t value);

struct Measure {
  std::string column = {};
  std::string label = {}, remark = {};
  std::string quantity = {}, variant = {};  // label: "QUANTITY (VARIANT)", where it has these parts
  double floor = std::numeric_limits<double>::quiet_NaN(), ceiling = floor;  // bounds; NaN: none
};

// Of a column, or of a recorded series (the column's name without its end).
Measure measure_of(const std::string& column);

}  // namespace cohort::engine

#include "run/result.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace cohort::engine {

namespace {

// Rows [first, first + count) of `n` rows of equal length.
template <class T>
std::vector<T> cut(const std::vector<T>& values, size_t n, size_t first, size_t count) {
  const auto length = ptrdiff_t(values.size() / n), begin = ptrdiff_t(first) * length;
  return {values.begin() + begin, values.begin() + begin + ptrdiff_t(count) * length};
}

// Row `row` of values [n][length] becomes row `from` of other values of that length.
template <class T>
void put(std::vector<T>& values, size_t n, size_t row, const std::vector<T>& other, size_t n_other, size_t from) {
  const std::vector<T> one = cut(other, n_other, from, 1);
  std::copy(one.begin(), one.end(), values.begin() + ptrdiff_t(row * (values.size() / n)));
}

// A series with more steps; no value at those.
void widen(UnitResult::Series& series, const std::vector<int64_t>& steps, size_t n) {
  std::vector<double> value(n * steps.size(), std::numeric_limits<double>::quiet_NaN());
  for (size_t s = 0; s < series.step.size(); ++s) {
    const size_t at = size_t(std::lower_bound(steps.begin(), steps.end(), series.step[s]) - steps.begin());
    for (size_t i = 0; i < n; ++i) value[i * steps.size() + at] = series.value[i * series.step.size() + s];
  }
  series.step = steps;
  series.value = std::move(value);
}

}  // namespace

void replace_rows(UnitResult& result, const UnitResult& later) {
  const size_t n = result.net.size(), n_later = later.net.size();
  UnitResult widened = later;
  for (size_t s = 0; s < result.series.size(); ++s) {
    std::vector<int64_t> steps;
    std::set_union(result.series[s].step.begin(), result.series[s].step.end(), later.series[s].step.begin(),
                   later.series[s].step.end(), std::back_inserter(steps));
    widen(result.series[s], steps, n);
    widen(widened.series[s], steps, n_later);
  }
  for (size_t from = 0; from < n_later; ++from) {
    const size_t row = size_t(std::find(result.net.begin(), result.net.end(), later.net[from]) - result.net.begin());
    result.diverged_at[row] = later.diverged_at[from];
    result.overflowed_at[row] = later.overflowed_at[from];
    for (size_t c = 0; c < result.columns.size(); ++c) result.columns[c].value[row] = later.columns[c].value[from];
    for (size_t s = 0; s < result.series.size(); ++s)
      put(result.series[s].value, n, row, widened.series[s].value, n_later, from);
    for (size_t a = 0; a < result.arrays.size(); ++a)
      put(result.arrays[a].value, n, row, later.arrays[a].value, n_later, from);
  }
}

UnitResult rows(const UnitResult& result, size_t first, size_t count) {
  const size_t n = result.net.size();
  const auto of = [&](const auto& values) { return cut(values, n, first, count); };
  UnitResult part{of(result.net), of(result.diverged_at), of(result.overflowed_at), {}, {}, {}};
  for (const auto& c : result.columns) part.columns.push_back({c.name, c.doc, of(c.value)});
  for (const auto& s : result.series) part.series.push_back({s.name, s.doc, s.step, of(s.value)});
  for (const auto& a : result.arrays) part.arrays.push_back({a.name, a.doc, a.dims, a.shape, of(a.value)});
  return part;
}

}  // namespace cohort::engine

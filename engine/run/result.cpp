#include "run/result.h"

namespace cohort::engine {

namespace {

// Rows [first, first + count) of `n` rows of equal length.
template <class T>
std::vector<T> cut(const std::vector<T>& values, size_t n, size_t first, size_t count) {
  const auto length = ptrdiff_t(values.size() / n), begin = ptrdiff_t(first) * length;
  return {values.begin() + begin, values.begin() + begin + ptrdiff_t(count) * length};
}

}  // namespace

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

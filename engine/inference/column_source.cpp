#include "inference/column_source.h"

#include <fmt/format.h>

#include <charconv>

#include "cohort/error.h"
#include "data/shown.h"

namespace cohort::engine {

size_t column_number(const std::string& word) {
  size_t number = 0;
  const char* const end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data(), end, number);
  return error == std::errc() && rest == end ? number : 0;
}

std::vector<size_t> numbered_columns(const ColumnRequest& request, size_t n) {
  std::vector<size_t> columns;
  if (request.names.empty()) {
    if (n != request.count)
      throw Error(fmt::format("{}: {} columns; choose {} by --columns", request.file, n,
                              request.count == 1 ? "one" : fmt::format("{}", request.count)));
    for (size_t i = 0; i < n; ++i) columns.push_back(i);
  }
  for (const std::string& name : request.names) {
    const size_t number = column_number(name);
    if (number < 1 || number > n)
      throw Error(fmt::format("--columns {}: {} has columns 1 to {} and no names", quoted_word(name), request.file, n));
    columns.push_back(number - 1);
  }
  return columns;
}

}  // namespace cohort::engine

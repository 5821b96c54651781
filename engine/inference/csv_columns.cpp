#include "inference/csv_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "cohort/error.h"
#include "config/schema.h"
#include "data/shown.h"

namespace cohort::engine {
namespace {

constexpr size_t max_fields = 10'000, max_line = size_t(1) << 20;

struct Field {
  std::string_view text;
  size_t at = 0;  // byte of the line
};

std::string_view stripped(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == std::string_view::npos ? std::string_view() : text.substr(first, last - first + 1);
}

std::optional<double> number(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return {};
  if (error == std::errc::result_out_of_range) {  // of double's range: too large, or so small that it counts as 0
    const size_t exponent = text.find_first_of("eE");
    const bool small = exponent != std::string_view::npos && text.substr(exponent + 1).starts_with('-');
    return small ? 0.0 : HUGE_VAL;
  }
  if (error != std::errc()) return {};
  return value;
}

class Csv {
 public:
  Csv(std::string_view text, const ColumnRequest& request) : text_(text), request_(request) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  Columns read() {
    if (!next_row()) fail(1, "no rows; a table of numbers is expected");
    const size_t n_fields = fields_.size();
    // Names are in the first row if anything in it is not a number.
    const bool has_names =
        std::ranges::any_of(fields_, [](const Field& f) { return !f.text.empty() && !number(f.text); });
    choose(has_names);
    Columns columns(request_.count);
    if (has_names && !next_row()) fail(1, "names of columns and no numbers");
    do {
      if (fields_.size() != n_fields)
        fail(fields_.size() < n_fields ? line_.size() + 1 : fields_[n_fields].at + 1,
             fmt::format("{} fields where the first row has {}", fields_.size(), n_fields));
      if (columns[0].size() == max_synapses) fail(1, fmt::format("more than {} rows", max_synapses));
      for (size_t c = 0; c < columns.size(); ++c) columns[c].push_back(value(fields_[chosen_[c]]));
    } while (next_row());
    return columns;
  }

 private:
  [[noreturn]] void fail(size_t column, const std::string& what) const {
    throw Error(fmt::format("{}:{}:{}: {}", request_.file, number_of_line_, column, what));
  }
  [[noreturn]] void fail(const Field& field, const std::string& what) const {
    const std::string_view before = line_.substr(0, field.at);
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
    fail(before.size() - size_t(std::ranges::count_if(before, continues)) + 1, what);
  }

  // The next line with fields becomes line_ and fields_; false at the end.
  bool next_row() {
    while (!text_.empty()) {
      const size_t end = std::min(text_.find('\n'), text_.size());
      line_ = text_.substr(0, end);
      text_.remove_prefix(std::min(end + 1, text_.size()));
      ++number_of_line_;
      if (line_.ends_with('\r')) line_.remove_suffix(1);
      if (line_.size() > max_line) fail(1, fmt::format("a line of more than {} bytes", max_line));
      const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; };
      if (const auto at = std::ranges::find_if(line_, control); at != line_.end())
        fail(Field{line_, size_t(at - line_.begin())},
             "a control character: neither text (CSV) nor an NPY or HDF5 file");
      const std::string_view content = stripped(line_);
      if (content.empty() || content.starts_with('#')) continue;
      if (separator_ == 0) {
        separator_ = ' ';
        for (const char c : {'\t', ';', ','})
          if (content.find(c) != std::string_view::npos) separator_ = c;
      }
      split();
      return true;
    }
    return false;
  }

  void split() {
    fields_.clear();
    const bool blanks = separator_ == ' ';
    for (size_t i = 0; i <= line_.size();) {
      while (i < line_.size() && (line_[i] == ' ' || (blanks && line_[i] == '\t'))) ++i;
      if (blanks && i == line_.size()) break;
      if (fields_.size() == max_fields) fail(i + 1, fmt::format("more than {} fields", max_fields));
      size_t end;
      if (i < line_.size() && line_[i] == '"') {
        const size_t quote = line_.find('"', i + 1);
        if (quote == std::string_view::npos) fail(Field{line_, i}, "a quote without its end in this line");
        fields_.push_back({line_.substr(i + 1, quote - i - 1), i});
        end = quote + 1;
        while (end < line_.size() && !blanks && line_[end] == ' ') ++end;
        if (end < line_.size() && line_[end] != separator_ && !(blanks && line_[end] == '\t'))
          fail(Field{line_, end}, "text after a closing quote");
      } else {
        end = std::min(blanks ? line_.find_first_of(" \t", i) : line_.find(separator_, i), line_.size());
        fields_.push_back({stripped(line_.substr(i, end - i)), i});
      }
      i = end + 1;
    }
  }

  // Numbers of the wanted columns, by the first row.
  void choose(bool has_names) {
    std::vector<std::string> names;
    if (has_names)
      for (const Field& field : fields_) names.emplace_back(field.text);
    std::vector<std::string> wanted = request_.names;
    const auto known = [&](const std::string& name) { return std::ranges::find(names, name) != names.end(); };
    if (wanted.empty() && fields_.size() != request_.count && std::ranges::all_of(request_.usual, known))
      wanted = request_.usual;
    if (wanted.empty() || !has_names) {
      ColumnRequest numbered = request_;
      numbered.names = wanted;
      chosen_ = numbered_columns(numbered, fields_.size());
      return;
    }
    for (const std::string& name : wanted) {
      if (std::ranges::count(names, name) > 1)
        fail(1, fmt::format("two columns named {}; choose by number", quoted_word(name)));
      const auto found = std::ranges::find(names, name);
      const size_t number = column_number(name);
      if (found == names.end() && (number < 1 || number > names.size())) {
        const std::string meant = nearest(name, names);
        fail(1, fmt::format("no column {} (--columns){}", quoted_word(name),
                            meant.empty() ? "" : "; did you mean " + quoted_word(meant) + "?"));
      }
      chosen_.push_back(found != names.end() ? size_t(found - names.begin()) : number - 1);
    }
  }

  double value(const Field& field) const {
    const std::optional<double> value = number(field.text);
    if (!value)
      fail(field, field.text.empty() ? "an empty field where a number is expected"
                                     : quoted_word(std::string(field.text)) + " is not a number");
    if (!std::isfinite(*value)) fail(field, quoted_word(std::string(field.text)) + " is not finite");
    return *value;
  }

  std::string_view text_;
  const ColumnRequest& request_;
  std::string_view line_;
  size_t number_of_line_ = 0;
  char separator_ = 0;
  std::vector<Field> fields_;
  std::vector<size_t> chosen_;
};

}  // namespace

Columns read_csv(std::string_view text, const ColumnRequest& request) { return Csv(text, request).read(); }

}  // namespace cohort::engine

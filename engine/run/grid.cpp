#include "run/grid.h"

#include <algorithm>
#include <cstddef>

namespace cohort::engine {
namespace {

constexpr size_t kHeaderWidth = 16;  // longer column names are broken over lines

size_t width(const std::string& text) {  // in characters of UTF-8
  return size_t(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// At the underscores and dots that keep lines within kHeaderWidth, where there are such.
std::vector<std::string> broken(const std::string& name) {
  std::vector<std::string> lines{""};
  for (size_t at = 0; at < name.size();) {
    size_t end = name.find_first_of("_.", at);
    end = end == std::string::npos ? name.size() : end + 1;
    if (!lines.back().empty() && lines.back().size() + (end - at) > kHeaderWidth) lines.emplace_back();
    lines.back() += name.substr(at, end - at);
    at = end;
  }
  return lines;
}

}  // namespace

std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

void Grid::column(const std::string& header, bool right) {
  headers_.push_back(broken(header));
  right_.push_back(right);
}

void Grid::row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

std::string Grid::text() const {
  size_t depth = 0;
  for (const auto& header : headers_) depth = std::max(depth, header.size());
  std::vector<std::vector<std::string>> lines(depth, std::vector<std::string>(headers_.size()));
  for (size_t c = 0; c < headers_.size(); ++c)
    for (size_t l = 0; l < headers_[c].size(); ++l) lines[depth - headers_[c].size() + l][c] = headers_[c][l];
  lines.insert(lines.end(), rows_.begin(), rows_.end());

  std::vector<size_t> widths(headers_.size(), 0);
  for (const auto& line : lines)
    for (size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], width(line[c]));
  std::string text;
  for (const auto& line : lines) {
    std::string out;
    for (size_t c = 0; c < line.size(); ++c) {
      const std::string gap(widths[c] - width(line[c]), ' ');
      out += (c ? "  " : "") + (right_[c] ? gap + line[c] : line[c] + gap);
    }
    text += out.substr(0, out.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace cohort::engine

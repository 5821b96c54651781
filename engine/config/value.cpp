#include "config/value.h"

#include <charconv>
#include <cmath>

namespace cohort::engine {
namespace {

std::string number(double v) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string list(const auto& items, const auto& write) {
  std::string text = "[";
  for (size_t i = 0; i < items.size(); ++i) text += (i ? ", " : "") + write(items[i]);
  return text + "]";
}

}  // namespace

std::string quoted(const std::string& text, size_t longest) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out = "\"";
  size_t i = 0;
  for (; i < text.size() && (i < longest || (text[i] & 0xC0) == 0x80); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[i];
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      out += "\\u00";
      out += hex[c >> 4];
      out += hex[c & 15];
    } else {
      out += text[i];
    }
  }
  if (i < text.size()) out += "...";
  return out + '"';
}

std::string to_toml(const Value& value) {
  struct Write {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return number(v); }
    std::string operator()(const std::string& v) const { return quoted(v); }
    std::string operator()(const std::vector<std::string>& v) const { return list(v, *this); }
    std::string operator()(const std::vector<int64_t>& v) const { return list(v, *this); }
  };
  return std::visit(Write{}, value);
}

std::string to_text(const Value& value) {
  const auto* word = std::get_if<std::string>(&value);
  return word ? *word : to_toml(value);
}

}  // namespace cohort::engine

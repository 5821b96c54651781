// Paths and words of untrusted files in messages of one line.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>

namespace cohort::engine {

// Without control characters.
inline std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}
inline std::string shown(const std::filesystem::path& path) { return printable(path.string()); }

// In quotes, its first 60 bytes, and never part of a character.
inline std::string quoted_word(const std::string& word) {
  size_t end = std::min<size_t>(word.size(), 60);
  while (end < word.size() && (static_cast<unsigned char>(word[end]) & 0xC0) == 0x80 && end > 56) --end;
  return "\"" + printable(word.substr(0, end)) + (end < word.size() ? "...\"" : "\"");
}

}  // namespace cohort::engine

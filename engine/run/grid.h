// Aligned columns of text for a terminal.
#pragma once

#include <string>
#include <vector>

namespace cohort::engine {

// Names and words come from files that anyone may have written: no control characters for the terminal.
std::string printable(std::string text);

// Columns of text, each as wide as its widest cell; headers stand on as many lines as they need, at the bottom.
class Grid {
 public:
  void column(const std::string& header, bool right);
  void row(std::vector<std::string> cells);  // one for each column
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> headers_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace cohort::engine

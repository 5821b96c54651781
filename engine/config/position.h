// Where something was written, and the error that points there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cohort/error.h"

namespace cohort::engine {

// Bad input. The message is one line: "FILE:LINE:COLUMN: what is wrong with which word, and what is allowed".
struct ConfigError : Error {
  using Error::Error;
};

// What is read: a file, or something without lines, such as an option of the command line.
struct Source {
  std::string name;
  bool has_lines = true;
};

// Line and column count from 1, columns in characters.
struct Position {
  std::shared_ptr<const Source> source;
  uint32_t line = 1, column = 1;
};

[[noreturn]] void fail(const Position& at, const std::string& message);

}  // namespace cohort::engine

// Standard output, by whichever way it was written.
#pragma once

#include <cstdio>
#include <iostream>

#include "cohort/error.h"

namespace cohort::app {

// Everything that was printed is out. Throws IoError where it cannot be written.
inline void finish_output() {
  if (!std::cout.flush() || std::fflush(stdout) != 0) throw IoError("cannot write to stdout");
}

}  // namespace cohort::app

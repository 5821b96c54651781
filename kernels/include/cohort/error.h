// The exceptions of the library. A diverging network is data (NetState), never an exception.
#pragma once

#include <stdexcept>
#include <string>

namespace cohort {

// A caller's mistake: the message is one line and names field, value and what is allowed.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// A file or directory that could not be read or written.
struct IoError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The device failed: code, file:line, kernel. `code` is the CUDA runtime's.
struct CudaError : std::runtime_error {
  CudaError(int code_, const std::string& what) : std::runtime_error(what), code(code_) {}
  int code;
};

}  // namespace cohort

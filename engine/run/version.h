#pragma once

namespace cohort::engine {

// Of the project, as in CMakeLists.txt.
inline constexpr const char* version = "0.1.0";

}  // namespace cohort::engine

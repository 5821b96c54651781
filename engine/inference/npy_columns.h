// Columns of numbers from a NumPy array file of unknown origin.
#pragma once

#include <string_view>

#include "inference/column_source.h"

namespace cohort::engine {

// Does the file begin as an NPY file does?
bool is_npy(std::string_view bytes);

// Arrays of float32 or float64, of either byte order, of shape (n,) or (n, k), in either order of storage; format versions 1 to
// 3. Throws Error for anything else, and unless header and size agree exactly.
// Source: numpy.lib.format, "NPY format".
Columns read_npy(std::string_view bytes, const ColumnRequest& request);

}  // namespace cohort::engine

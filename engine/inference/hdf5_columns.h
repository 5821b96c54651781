// Columns of numbers from a dataset of an HDF5 file of unknown origin.
#pragma once

#include <string>
#include <string_view>

#include "inference/column_source.h"

namespace cohort::engine {

// Does the file begin as an HDF5 file does?
bool is_hdf5(std::string_view bytes);

// A dataset of floating-point or whole numbers of shape [n] or [n][k], whose data are in this file itself. Throws Error.
Columns read_hdf5(std::string_view bytes, const std::string& dataset, const ColumnRequest& request);

}  // namespace cohort::engine

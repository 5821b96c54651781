// Columns of numbers from text of unknown origin.
#pragma once

#include <string_view>

#include "inference/column_source.h"

namespace cohort::engine {

// Rows of equally many fields, separated by commas, semicolons, tabs or blanks: whichever of these, in this order, the first row
// has. Empty lines and lines that begin with # are left out; fields may stand in double quotes, not across lines. A first row
// in which any field is not a number, or of which a wanted one is not, has the names. Only wanted columns need to be numbers.
// Throws Error with FILE:LINE:COLUMN, the column in characters.
Columns read_csv(std::string_view text, const ColumnRequest& request);

}  // namespace cohort::engine

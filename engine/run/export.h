// What a run directory holds, as tables for people and programs.
#pragma once

#include <ostream>

#include "run/table.h"

namespace cohort::engine {

class RunDirectory;

enum class TableFormat { csv, json };

// One row for each network of the units that are done, by position in the sweep: "net", the swept keys under their TOML
// paths, "seed", "status", "overflowed_at" (empty: it did not), then the columns of the shards in a fixed order. Cells of diverged networks are empty but
// for these first ones, and so is a cell without a value. Throws IoError.
Table read_table(const RunDirectory& run);

// CSV: RFC 4180 (quotes only where needed), lines end in LF, empty cells are empty. JSON: an array of objects, one a
// line, empty cells and numbers that are not finite are null. Numbers are the shortest text that reads back to the same
// bits.
void write_table(std::ostream& out, const Table& table, TableFormat format);

// The recorded series of all networks in long form, "net", "step", "name", "value", by unit, network, series and step;
// what has no value is left out. Holds one shard in memory at a time.
void write_history(std::ostream& out, const RunDirectory& run, TableFormat format);

}  // namespace cohort::engine

// Which units are trained together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/experiment.h"

namespace cohort::engine {

// Units are cut by work alone, so that little is lost when a run is interrupted; of wide networks that train for long they
// hold a handful, too few for a device of many workers. Units of one signature and one length (that of the longest network)
// therefore share their launches, as many as it takes to give every worker a few networks.
//
// Groups of positions in `units`, each increasing, ordered by their first; together they are all positions.
std::vector<std::vector<size_t>> trained_together(const Experiment& experiment,
                                                  const std::vector<std::vector<int64_t>>& units, int workers);

// The networks of some units, one unit after another.
std::vector<int64_t> networks_of(const std::vector<std::vector<int64_t>>& units, const std::vector<size_t>& group);

}  // namespace cohort::engine

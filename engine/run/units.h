// Units: the pieces in which a sweep is trained and stored. They depend on the experiment alone, never on a device.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "cohort/kernels.h"

namespace cohort::engine {

class Experiment;

// Networks first, first + step, ..., `count` of them: an increasing arithmetic sequence of positions in the sweep.
struct NetRange {
  int64_t first = 0, count = 0, step = 1;
  int64_t last() const { return first + (count - 1) * step; }
  friend bool operator==(const NetRange&, const NetRange&) = default;
};

// Increasing positions as few ranges, found greedily from the start; and back.
std::vector<NetRange> to_ranges(const std::vector<int64_t>& networks);
std::vector<int64_t> from_ranges(const std::vector<NetRange>& ranges);
int64_t n_networks(const std::vector<NetRange>& ranges);

struct Unit {
  Signature signature;             // of every network
  std::vector<NetRange> networks;  // increasing
};

inline constexpr double kUnitFlop = 1e13;  // training work of a unit
inline constexpr int64_t kMaxUnitNetworks = 4096;

// What decides to which unit a network goes.
struct NetCost {
  Signature signature;
  double flop = 0;  // training work of the network
};

// Networks 0 .. size-1 go, in this order, to the open unit of their signature; a unit is closed when the next network
// would take it above kUnitFlop or kMaxUnitNetworks, so it holds at least one network. Units are numbered by their
// first network. Every network is in exactly one unit.
std::vector<Unit> cut_units(int64_t size, const std::function<NetCost(int64_t)>& cost);
std::vector<Unit> cut_units(const Experiment& experiment);

}  // namespace cohort::engine

#include "run/units.h"

#include <map>

#include "config/experiment.h"

namespace cohort::engine {
namespace {

// Appends one position, larger than all before.
void append(std::vector<NetRange>& ranges, int64_t net) {
  if (!ranges.empty()) {
    NetRange& last = ranges.back();
    if (last.count == 1) last.step = net - last.first;
    if (net == last.first + last.count * last.step) {
      ++last.count;
      return;
    }
  }
  ranges.push_back({net, 1, 1});
}

}  // namespace

std::vector<NetRange> to_ranges(const std::vector<int64_t>& networks) {
  std::vector<NetRange> ranges;
  for (const int64_t net : networks) append(ranges, net);
  return ranges;
}

std::vector<int64_t> from_ranges(const std::vector<NetRange>& ranges) {
  std::vector<int64_t> networks;
  networks.reserve(size_t(n_networks(ranges)));
  for (const NetRange& range : ranges)
    for (int64_t i = 0; i < range.count; ++i) networks.push_back(range.first + i * range.step);
  return networks;
}

int64_t n_networks(const std::vector<NetRange>& ranges) {
  int64_t n = 0;
  for (const NetRange& range : ranges) n += range.count;
  return n;
}

std::vector<Unit> cut_units(int64_t size, const std::function<NetCost(int64_t)>& cost) {
  struct Open {
    size_t unit = 0;
    int64_t n_nets = 0;
    double flop = 0;
  };
  std::vector<Unit> units;
  std::map<Signature, Open> open;
  for (int64_t net = 0; net < size; ++net) {
    const NetCost c = cost(net);
    Open& current = open[c.signature];
    if (current.n_nets == 0 || current.n_nets == kMaxUnitNetworks || current.flop + c.flop > kUnitFlop) {
      current = {units.size(), 0, 0};
      units.push_back({c.signature, {}});
    }
    append(units[current.unit].networks, net);
    ++current.n_nets;
    current.flop += c.flop;
  }
  return units;
}

std::vector<Unit> cut_units(const Experiment& experiment) {
  return cut_units(experiment.size(), [&](int64_t net) {
    const ResolvedNetwork network = experiment.network(net);
    return NetCost{network.signature, flop_per_step(network.signature) * double(network.spec.steps)};
  });
}

}  // namespace cohort::engine

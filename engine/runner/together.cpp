#include "runner/together.h"

#include <algorithm>
#include <map>
#include <utility>

namespace cohort::engine {

namespace {
constexpr int64_t kNetworksPerWorker = 4;  // the last of them waits for no more than a quarter of the time
}

std::vector<std::vector<size_t>> trained_together(const Experiment& experiment,
                                                  const std::vector<std::vector<int64_t>>& units, int workers) {
  struct Open {
    size_t group = 0;
    int64_t n_nets = 0;
  };
  std::map<std::pair<Signature, int64_t>, Open> open;
  std::vector<std::vector<size_t>> groups;
  for (size_t u = 0; u < units.size(); ++u) {
    int64_t steps = 0;
    for (const int64_t i : units[u]) steps = std::max(steps, experiment.network(i).spec.steps);
    Open& current = open[{experiment.network(units[u].front()).signature, steps}];
    if (current.n_nets == 0 || current.n_nets >= kNetworksPerWorker * workers) {
      current = {groups.size(), 0};
      groups.emplace_back();
    }
    groups[current.group].push_back(u);
    current.n_nets += int64_t(units[u].size());
  }
  return groups;
}

std::vector<int64_t> networks_of(const std::vector<std::vector<int64_t>>& units, const std::vector<size_t>& group) {
  std::vector<int64_t> networks;
  for (const size_t u : group) networks.insert(networks.end(), units[u].begin(), units[u].end());
  return networks;
}

}  // namespace cohort::engine

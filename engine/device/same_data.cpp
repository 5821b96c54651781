#include "device/same_data.h"

#include <algorithm>
#include <map>
#include <utility>

namespace cohort::engine {

std::vector<std::vector<int32_t>> same_data(std::span<const NetSpec> networks, std::span<const NetState> states,
                                            size_t most) {
  std::vector<std::vector<int32_t>> groups;
  std::map<std::pair<uint64_t, int64_t>, std::vector<size_t>> open;  // by seed and step: groups that have room
  for (size_t i = 0; i < networks.size(); ++i) {
    std::vector<size_t>& candidates = open[{networks[i].seed, states[i].step}];
    const auto found = std::find_if(candidates.begin(), candidates.end(), [&](size_t group) {
      return networks[size_t(groups[group].front())].task == networks[i].task;
    });
    if (found != candidates.end() && groups[*found].size() < most) {
      groups[*found].push_back(int32_t(i));
      continue;
    }
    if (found != candidates.end()) candidates.erase(found);
    candidates.push_back(groups.size());
    groups.push_back({int32_t(i)});
  }
  return groups;
}

size_t networks_per_group(int64_t n_networks, int workers) {
  constexpr int64_t least = 8, groups_per_worker = 2;
  const int64_t groups = groups_per_worker * workers;
  return size_t(std::max(least, (n_networks + groups - 1) / groups));
}

}  // namespace cohort::engine

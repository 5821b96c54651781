// Which networks of a cohort can share what they learn from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cohort/kernels.h"

namespace cohort::engine {

// The networks cut into groups of equal data and of equally many steps done (Launch::networks), in order; of at most `most` each.
// Both arrays lie in host memory.
std::vector<std::vector<int32_t>> same_data(std::span<const NetSpec> networks, std::span<const NetState> states,
                                            size_t most);

// The most networks of a group, so that workers of a launch have two groups each where eight networks or more are in each: smaller
// ones would draw data for too few.
size_t networks_per_group(int64_t n_networks, int workers);

}  // namespace cohort::engine

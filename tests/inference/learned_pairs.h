// Weights of a known geometry before and after learning, for tests of what is inferred from them.
#pragma once

#include "inference/simulate.h"

namespace cohort::engine::testing {

// n weights from N(0, 1) whose change near 1 has the sd `change`, of the stream (seed, 0, index).
inline WeightPairs learned_pairs(uint64_t seed, const MirrorMap& map, size_t n, uint64_t index, double change = 0.1) {
  Random random = random_of(seed, 0, index);
  WeightPairs pairs;
  pairs.before = draw_start(Start::normal, 1, n, random);
  double one = 1, slope = 0;
  curvature(map, 1, &one, &slope);
  learn(map, 0, change * slope, pairs, random);
  return pairs;
}

}  // namespace cohort::engine::testing

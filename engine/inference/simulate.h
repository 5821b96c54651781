// Data sets of a known geometry: weights, moved in its dual space by independent normal numbers.
#pragma once

#include <cstdint>
#include <random>

#include "cohort/mirror_map.h"
#include "inference/noise.h"
#include "inference/weight_pairs.h"

namespace cohort::engine {

using Random = std::mt19937_64;
// The generator of data set `index` of `stream`: data sets do not depend on how many others are made, or in which order.
Random random_of(uint64_t seed, uint64_t stream, uint64_t index);

enum class Start { normal, log_normal };

// Weights before learning: N(0, size^2), or log-normal magnitudes of mean = sd = size with random signs.
std::vector<double> draw_start(Start start, double size, size_t n, Random& random);

// `after` from `before`: dual changes N(mean, sd^2).
void learn(const MirrorMap& map, double mean, double sd, WeightPairs& pairs, Random& random);

// The same with measurement noise added to both sides.
WeightPairs measured(const WeightPairs& pairs, const Noise& noise, Random& random);

}  // namespace cohort::engine

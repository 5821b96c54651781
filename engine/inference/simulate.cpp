#include "inference/simulate.h"

#include <cmath>

namespace cohort::engine {

Random random_of(uint64_t seed, uint64_t stream, uint64_t index) {
  const auto low = [](uint64_t word) { return uint32_t(word); };
  const auto high = [](uint64_t word) { return uint32_t(word >> 32); };
  std::seed_seq words{low(seed), high(seed), low(stream), high(stream), low(index), high(index)};
  return Random(words);
}

std::vector<double> draw_start(Start start, double size, size_t n, Random& random) {
  std::vector<double> w(n);
  std::normal_distribution<double> normal;
  // A log-normal number of mean m and sd m has variance ln 2 of its logarithm, whose mean is ln m - ln 2 / 2.
  const double spread = std::sqrt(std::log(2.0)), middle = std::log(size) - std::log(2.0) / 2;
  for (double& value : w) {
    const double z = normal(random);
    value = start == Start::normal ? size * z : std::exp(middle + spread * z) * ((random() >> 63) ? -1 : 1);
  }
  return w;
}

void learn(const MirrorMap& map, double mean, double sd, WeightPairs& pairs, Random& random) {
  const auto n = int64_t(pairs.before.size());
  pairs.after.resize(pairs.before.size());
  to_dual(map, n, pairs.before.data(), pairs.after.data());
  std::normal_distribution<double> change(mean, sd);
  for (double& y : pairs.after) y += change(random);
  to_primal(map, n, pairs.after.data(), pairs.before.data(), pairs.after.data());
}

WeightPairs measured(const WeightPairs& pairs, const Noise& noise, Random& random) {
  WeightPairs seen = pairs;
  std::normal_distribution<double> normal;
  for (auto* weights : {&seen.before, &seen.after})
    for (double& w : *weights) w += noise.sd(w) * normal(random);
  return seen;
}

}  // namespace cohort::engine

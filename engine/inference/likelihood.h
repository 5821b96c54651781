// The likelihood of a geometry: if learning moved every dual coordinate by an independent N(mean, sd^2), the weight after
// learning has, given the weight before, the density
//   f(w1 | w0) = N(phi'(w1) - phi'(w0); mean, sd^2) phi''(w1),
// phi'' being the Jacobian that makes geometries comparable.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "cohort/mirror_map.h"
#include "inference/simulate.h"
#include "inference/weight_pairs.h"

namespace cohort::engine {

enum class MeanChange { zero, free };

struct DualChange {
  double log_likelihood = 0;  // natural logarithm; -infinity: this geometry cannot have made the change
  double mean = 0, sd = 0;    // of the dual change, in the units of the weights
};

// The weights of one data set, as a function of the geometry. But for `simulate`, no function may run
// twice at once.
class Likelihood {
 public:
  virtual ~Likelihood() = default;
  // Maximised over the sd (and the mean, if it is free) of the dual change.
  virtual DualChange fit(const MirrorMap& map) = 0;
  // [n]: independent standard normal numbers, independent of the weights before learning, if map and change are true.
  virtual std::vector<double> residuals(const MirrorMap& map, const DualChange& change) = 0;
  // n pairs like these, if map and change are true: of their own weights before learning, without repetition where n
  // allows, or of the estimated distribution of these, and with noise. May run several times at once.
  virtual WeightPairs simulate(const MirrorMap& map, const DualChange& change, size_t n, Random& random) const = 0;
};

// Of weights that are known exactly. None may be 0: there phi' or its derivatives are infinite or vanish. Throws Error
// for a zero.
std::unique_ptr<Likelihood> exact_likelihood(const WeightPairs& pairs, MeanChange mean);

// A size of the weights by which they can be divided so that no power of them leaves the range of numbers: the median of |w|.
double typical_size(const WeightPairs& pairs);

// The geometry of weights that are `factor` times as large.
MirrorMap scaled(const MirrorMap& map, double factor);
// d phi'(w) -> d phi'(factor w): what a dual change is multiplied by when weights are.
double dual_factor(const MirrorMap& map, double factor);

size_t count_sign_flips(const WeightPairs& pairs);

}  // namespace cohort::engine

// Measurement noise of known size: a weight w is seen as w plus a normal number of sd(w).
#pragma once

#include <cmath>

namespace cohort::engine {

struct Noise {
  double absolute = 0;  // sd, in the units of the weights
  double relative = 0;  // coefficient of variation

  bool none() const { return absolute == 0 && relative == 0; }
  double sd(double w) const { return std::hypot(absolute, relative * w); }
};

}  // namespace cohort::engine

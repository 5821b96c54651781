// Starts that are another run's ends: init.from.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "config/experiment.h"

namespace cohort::engine {

class LoadedStarts {
 public:
  // Nothing is loaded where the experiment draws its starts. Error, one line that names init.from: the directory holds no run,
  // the run is not finished or kept no parameters, none or several of its networks are meant for a network of the
  // experiment, or the one that is has other shapes or diverged. IoError: the run is damaged.
  explicit LoadedStarts(const Experiment& experiment);

  // Of the networks at these positions of the sweep, valid as long as this is; empty where starts are drawn.
  std::vector<const float*> of(const std::vector<int64_t>& networks) const;

 private:
  std::vector<int64_t> source_;                   // of every network of the experiment: its network of the other run
  std::map<int64_t, std::vector<float>> starts_;  // of those networks: parameters
};

}  // namespace cohort::engine

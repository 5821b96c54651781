// Choosing a setting by its score over seeds, when some networks diverged.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace cohort::engine {

// The best of several settings, each with the scores of its networks: the one with the best mean, the largest or, if
// `minimise`, the smallest. A score that is not finite, as of a diverged network, counts as the worst possible: a setting with
// any loses to every setting without; among those that have some, the smaller share wins, then the mean of the finite
// scores. Equal settings: the first. None has a finite score: nothing.
std::optional<size_t> best_setting(std::span<const std::vector<double>> scores, bool minimise);

}  // namespace cohort::engine

// Holm's step-down correction of the p values of several tests.
#pragma once

#include <span>
#include <vector>

namespace cohort::engine {

// The adjusted p values: rejecting those below alpha keeps the chance of any false rejection below alpha. NaN (a test that is
// not defined) stays NaN and does not count as a test. Source: Holm, Scand. J. Statist. 6 (1979).
std::vector<double> holm(std::span<const double> p);

}  // namespace cohort::engine

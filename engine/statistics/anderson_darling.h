// The Anderson-Darling statistic: how far a sample is from the standard normal distribution, its tails above all.
#pragma once

#include <span>

namespace cohort::engine {

// A^2 of finite values against N(0, 1), without correction for parameters that were estimated. NaN for an empty sample.
// Source: Anderson, Darling, J. Amer. Statist. Assoc. 49 (1954).
double anderson_darling(std::span<const double> z);

}  // namespace cohort::engine

// Delta-CDF: how far a sample is from a normal distribution.
#pragma once

#include <span>

namespace cohort::engine {

// The integral over z in [-5, 5], at 1000 points, of |F(z) - Phi(z)|, F the empirical distribution of z = change / sd: the sd over
// n - 1 and with the mean taken off, the change itself as it is, or `centred`. Of normal changes about 1.1 / sqrt(n). NaN for
// fewer than two values, for a sample without variance and for values that are not finite.
// Source: Pogodin et al., ICLR 2024.
double delta_cdf(std::span<const double> change, bool centred = false);

}  // namespace cohort::engine

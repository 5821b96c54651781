// The log-likelihood of one parameter: its maximum, and the interval in which it is not much below it.
#pragma once

#include <functional>
#include <span>

namespace cohort::engine {

struct Profile {
  double estimate = 0, log_likelihood = 0;
  double low = 0, high = 0;  // of the interval; an end of the range where the likelihood has not fallen enough by then
};

// `grid`, increasing, spans the range of the parameter: the maximum is sought beside its best point (maximise.h), the interval is
// where the likelihood is at most `drop` below the maximum, up to the first place on either side where it falls below. The
// function may be -infinity.
Profile profile(const std::function<double(double)>& log_likelihood, std::span<const double> grid, double drop);

// Half of the chi-square quantile (one degree of freedom) that belongs to a level such as 0.95.
double profile_drop(double level);

}  // namespace cohort::engine

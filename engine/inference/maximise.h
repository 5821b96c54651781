// The maximum of a smooth function of one variable, such as a log-likelihood, with few evaluations.
#pragma once

#include <functional>

namespace cohort::engine {

struct Maximum {
  double at = 0, value = 0;
};

// Within [low, high], of which `inside` is a point that is no worse than either end (it may be an end itself). By parabolas, and
// by golden sections where these fail; ends when the next step promises less than `gain`. The function may be -infinity, not
// NaN.
Maximum maximise(const std::function<double(double)>& f, Maximum low, Maximum inside, Maximum high, double gain = 1e-3);

// Without a bracket: upwards from `start` by steps that double up to `longest`, never beyond [least, most].
Maximum climb(const std::function<double(double)>& f, Maximum start, double step, double longest, double least,
              double most, double gain = 1e-3);

}  // namespace cohort::engine

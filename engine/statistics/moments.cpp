#include "statistics/moments.h"

#include <cmath>

namespace cohort::engine {

Moments moments(std::span<const double> values) {
  Moments out;
  double sum = 0;
  for (const double v : values)
    if (std::isfinite(v)) sum += v, ++out.n;
  if (out.n == 0) return out;
  out.mean = sum / double(out.n);
  double squares = 0;
  for (const double v : values)
    if (std::isfinite(v)) squares += (v - out.mean) * (v - out.mean);
  if (out.n > 1) out.sd = std::sqrt(squares / double(out.n - 1));
  return out;
}

}  // namespace cohort::engine

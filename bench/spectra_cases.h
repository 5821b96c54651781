// What the benchmarks of spectra are given.
#pragma once

#include <cmath>
#include <random>
#include <vector>

namespace bench {

// Gaussian matrices / sqrt(n), `count` of them one after another.
template <class Real>
std::vector<Real> gaussian(int count, int n) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 1 / std::sqrt(float(n)));
  std::vector<Real> a(size_t(count) * size_t(n) * size_t(n));
  for (Real& x : a) x = Real(normal(random));
  return a;
}

}  // namespace bench

#include "inference/start_density.h"

#include <lapacke.h>

#include <algorithm>
#include <cmath>

#include "cohort/error.h"

namespace cohort::engine {
namespace {

// The natural cubic splines of some knots but the constant: [n_cells][n_knots - 1], of cells scaled so that the first and last
// knot are at 0 and 1. Source: Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning", 5.2.1.
std::vector<double> natural_splines(const std::vector<double>& knots, size_t n_cells) {
  const size_t n_knots = knots.size(), n = n_knots - 1;
  const double first = knots.front(), range = knots.back() - first;
  const auto cube = [](double x) { return x > 0 ? x * x * x : 0.0; };
  std::vector<double> basis(n_cells * n);
  for (size_t k = 0; k < n_cells; ++k) {
    const double x = (double(k) - first) / range;
    const auto d = [&](size_t j) {
      const double knot = (knots[j] - first) / range;
      return (cube(x - knot) - cube(x - 1)) / (1 - knot);
    };
    double* const row = basis.data() + k * n;
    row[0] = x;
    for (size_t j = 0; j + 2 < n_knots; ++j) row[j + 1] = d(j) - d(n_knots - 2);
  }
  return basis;
}

}  // namespace

std::vector<double> start_density(std::span<const LatentMeasurement> measurements, size_t n_cells) {
  constexpr int n_em = 12, n_newton = 3;
  // Where the measurements are: the likelihoods' sum, as a first guess of the density and for the quantiles.
  std::vector<double> count(n_cells, 0);
  double total = 0;
  for (const LatentMeasurement& m : measurements) {
    double sum = 0;
    for (const double l : m.likelihood) sum += l;
    if (!(sum > 0)) continue;
    for (size_t k = 0; k < m.likelihood.size(); ++k) count[m.first + k] += m.times * m.likelihood[k] / sum;
    total += m.times;
  }
  const auto n_knots = size_t(std::clamp(2 + std::log2(std::max(total, 8.0) / 8), 3.0, 12.0));
  std::vector<double> knots;
  double below = 0;
  for (size_t k = 0; k < n_cells && knots.size() < n_knots; ++k) {
    below += count[k];
    const double wanted = 0.02 + 0.96 * double(knots.size()) / double(n_knots - 1);
    if (below >= wanted * total && (knots.empty() || double(k) > knots.back())) knots.push_back(double(k));
  }
  std::vector<double> mass(n_cells, 1 / double(n_cells));
  if (knots.size() < 3) return mass;  // all measurements in a few cells

  const size_t n = knots.size() - 1;
  const std::vector<double> basis = natural_splines(knots, n_cells);
  std::vector<double> coefficient(n, 0), gradient(n), mean(n), hessian(n * n);
  const auto exponentiate = [&] {
    std::vector<double> log_mass(n_cells, 0);
    for (size_t k = 0; k < n_cells; ++k)
      for (size_t j = 0; j < n; ++j) log_mass[k] += basis[k * n + j] * coefficient[j];
    const double top = *std::ranges::max_element(log_mass);
    double sum = 0;
    for (size_t k = 0; k < n_cells; ++k) sum += mass[k] = std::exp(log_mass[k] - top);
    for (double& m : mass) m /= sum;
    return std::pair(log_mass, top + std::log(sum));
  };
  // The penalised log-likelihood of the counts; a little ridge keeps empty stretches from running away.
  constexpr double ridge = 1e-3;
  const auto objective = [&] {
    const auto [log_mass, log_sum] = exponentiate();
    double value = -total * log_sum;
    for (size_t k = 0; k < n_cells; ++k) value += count[k] * log_mass[k];
    for (const double c : coefficient) value -= ridge * c * c / 2;
    return value;
  };
  for (int em = 0; em < n_em; ++em) {
    double value = objective();
    for (int step = 0; step < n_newton; ++step) {
      std::ranges::fill(mean, 0);
      for (size_t j = 0; j < n; ++j) gradient[j] = -ridge * coefficient[j];
      std::ranges::fill(hessian, 0);
      for (size_t k = 0; k < n_cells; ++k)
        for (size_t j = 0; j < n; ++j) {
          const double b = basis[k * n + j];
          mean[j] += mass[k] * b;
          gradient[j] += (count[k] - total * mass[k]) * b;
          for (size_t i = 0; i <= j; ++i) hessian[j * n + i] += total * mass[k] * b * basis[k * n + i];
        }
      for (size_t j = 0; j < n; ++j) {
        for (size_t i = 0; i <= j; ++i) hessian[j * n + i] -= total * mean[j] * mean[i];
        hessian[j * n + j] += ridge;
      }
      if (LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', int(n), 1, hessian.data(), int(n), gradient.data(), 1) != 0) break;
      const std::vector<double> from = coefficient;
      double length = 1, better = 0;
      for (int half = 0; half < 12; ++half, length /= 2) {
        for (size_t j = 0; j < n; ++j) coefficient[j] = from[j] + length * gradient[j];
        if (better = objective(); better >= value) break;
      }
      if (!(better >= value)) {
        coefficient = from;
        objective();
        break;
      }
      const double gained = better - value;
      value = better;
      if (gained < 1e-6) break;
    }
    std::ranges::fill(count, 0);
    for (const LatentMeasurement& m : measurements) {
      double sum = 0;
      for (size_t k = 0; k < m.likelihood.size(); ++k) sum += m.likelihood[k] * mass[m.first + k];
      if (!(sum > 0)) continue;
      for (size_t k = 0; k < m.likelihood.size(); ++k)
        count[m.first + k] += m.times * m.likelihood[k] * mass[m.first + k] / sum;
    }
  }
  return mass;
}

}  // namespace cohort::engine

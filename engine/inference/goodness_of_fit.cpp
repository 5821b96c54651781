#include "inference/goodness_of_fit.h"

#include <algorithm>
#include <cmath>

#include "device/parallel.h"
#include "inference/geometry_inference.h"
#include "inference/maximise.h"
#include "inference/simulate.h"
#include "statistics/anderson_darling.h"
#include "statistics/rank_correlation.h"

namespace cohort::engine {
namespace {

constexpr uint64_t bootstrap_stream = 1;

double spread(std::span<const double> z, std::span<const double> before) {
  constexpr size_t n_bins = 8;
  std::vector<std::pair<double, double>> order(z.size());  // |w|, z^2
  for (size_t i = 0; i < z.size(); ++i) order[i] = {std::abs(before[i]), z[i] * z[i]};
  std::ranges::sort(order);
  double sum = 0;
  for (size_t bin = 0; bin < n_bins; ++bin) {
    const size_t begin = bin * order.size() / n_bins, end = (bin + 1) * order.size() / n_bins;
    if (begin == end) continue;
    double squares = 0;
    for (size_t i = begin; i < end; ++i) squares += order[i].second - 1;
    sum += squares * squares / (2 * double(end - begin));
  }
  return sum;
}

// The most likely map of the same family, sought from `map` on.
MirrorMap refitted(Likelihood& likelihood, const MirrorMap& map) {
  MirrorMap out = map;
  const auto at = [&](double value) {
    return likelihood.fit(out.geometry == GeometryId::p_norm ? geometry_of(value) : hypentropy_of(value))
        .log_likelihood;
  };
  if (map.geometry == GeometryId::p_norm)
    out.p = climb(at, {map.p, at(map.p)}, 0.05, 0.4, smallest_p, largest_p, 0.01).at;
  if (map.geometry == GeometryId::hypentropy) {
    const double start = std::log(map.beta);
    out.beta = std::exp(climb(at, {start, at(start)}, 0.2, 1.6, start - 10, start + 10, 0.01).at);
  }
  return out;
}

}  // namespace

std::vector<FitTest> fit_statistics(std::span<const double> z, std::span<const double> before) {
  return {{"trend", "rank correlation of dual change and weight",
           std::sqrt(double(z.size())) * std::abs(rank_correlation(z, before))},
          {"spread", "size of the dual change in bins of the weight", spread(z, before)},
          {"normality", "Anderson-Darling test of the dual change", anderson_darling(z)}};
}

GoodnessOfFit goodness_of_fit(Likelihood& likelihood, std::span<const double> before, const MirrorMap& map,
                              const DualChange& change, const BootstrapOptions& options) {
  GoodnessOfFit out{.tests = fit_statistics(likelihood.residuals(map, change), before), .bootstrap = options.data_sets};
  const size_t n_tests = out.tests.size(), n_sets = size_t(options.data_sets);
  if (n_sets == 0) {
    out.p_value = std::nan("");
    for (FitTest& test : out.tests) test.p_value = std::nan("");
    return out;
  }
  const size_t n = std::min(before.size(), largest_bootstrap);
  std::vector<std::vector<double>> simulated(n_tests, std::vector<double>(n_sets));
  parallel_for(options.n_threads, int64_t(n_sets), [&](int64_t set, int) {
    Random random = random_of(options.seed, bootstrap_stream, uint64_t(set));
    const WeightPairs pairs = likelihood.simulate(map, change, n, random);
    const auto again = likelihood_of(pairs, {.mean = options.mean, .noise = options.noise});
    const MirrorMap fitted = refitted(*again, map);
    const auto tests = fit_statistics(again->residuals(fitted, again->fit(fitted)), pairs.before);
    for (size_t t = 0; t < n_tests; ++t) simulated[t][size_t(set)] = tests[t].statistic;
  });

  // How many simulated statistics are at least as large, of every simulated and the observed one.
  std::vector<double> smallest(n_sets, 1);
  double observed = 1;
  for (size_t t = 0; t < n_tests; ++t) {
    std::vector<double> sorted = simulated[t];
    std::ranges::sort(sorted);
    const auto larger = [&](double statistic) {
      return double(sorted.end() - std::ranges::lower_bound(sorted, statistic));
    };
    out.tests[t].p_value = (1 + larger(out.tests[t].statistic)) / double(n_sets + 1);
    observed = std::min(observed, out.tests[t].p_value);
    for (size_t set = 0; set < n_sets; ++set)
      smallest[set] = std::min(smallest[set], (1 + larger(simulated[t][set])) / double(n_sets + 1));
  }
  // A simulated set counts itself among the larger ones, the observed one adds itself: both are ranks among n_sets + 1.
  out.p_value = (1 + double(std::ranges::count_if(smallest, [&](double p) { return p <= observed + 1e-12; }))) /
                double(n_sets + 1);
  return out;
}

}  // namespace cohort::engine

#include "statistics/comparison.h"

#include "statistics/holm.h"

namespace cohort::engine {

std::vector<Comparison> compare_pairs(std::span<const std::vector<double>> samples) {
  std::vector<Comparison> pairs;
  std::vector<double> welch, mann_whitney;
  for (size_t a = 0; a < samples.size(); ++a)
    for (size_t b = a + 1; b < samples.size(); ++b) {
      pairs.push_back({.a = a,
                       .b = b,
                       .welch = welch_test(samples[a], samples[b]),
                       .mann_whitney = mann_whitney_test(samples[a], samples[b])});
      welch.push_back(pairs.back().welch.p);
      mann_whitney.push_back(pairs.back().mann_whitney.p);
    }
  const std::vector<double> welch_holm = holm(welch), mann_whitney_holm = holm(mann_whitney);
  for (size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].welch_holm = welch_holm[i];
    pairs[i].mann_whitney_holm = mann_whitney_holm[i];
  }
  return pairs;
}

}  // namespace cohort::engine

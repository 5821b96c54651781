#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>

#include "cohort/error.h"
#include "inference/likelihood.h"

namespace cohort::engine {
namespace {

constexpr double log_two_pi = 1.8378770664093453;

class ExactLikelihood final : public Likelihood {
 public:
  ExactLikelihood(const WeightPairs& pairs, MeanChange mean)
      : size_(typical_size(pairs)), pairs_(pairs), mean_(mean), flips_(count_sign_flips(pairs)) {
    for (std::vector<double>* weights : {&pairs_.before, &pairs_.after})
      for (double& w : *weights) {
        if (w == 0) throw Error("a weight of exactly 0 has no likelihood");
        w /= size_;
      }
    start_.resize(n());
    end_.resize(n());
  }

  DualChange fit(const MirrorMap& map) override {
    DualChange out{.log_likelihood = -std::numeric_limits<double>::infinity()};
    if (map.geometry == GeometryId::neg_entropy && flips_ > 0) return out;
    const MirrorMap inner = scaled(map, 1 / size_);
    change(inner);
    const double count = double(n());
    double sum = 0, squares = 0;
    for (const double d : start_) sum += d;
    const double mean = mean_ == MeanChange::free ? sum / count : 0;
    for (const double d : start_) squares += (d - mean) * (d - mean);
    const double variance = squares / count;
    double jacobian = 0;
    curvature(inner, int64_t(n()), pairs_.after.data(), end_.data());
    for (const double c : end_) jacobian += std::log(std::abs(c));
    const double value = -count / 2 * (log_two_pi + std::log(variance) + 1) + jacobian - count * std::log(size_);
    if (!std::isfinite(value)) return out;
    const double units = dual_factor(map, size_);
    return {value, mean * units, std::sqrt(variance) * units};
  }

  std::vector<double> residuals(const MirrorMap& map, const DualChange& change_of) override {
    change(scaled(map, 1 / size_));
    const double units = dual_factor(map, size_);
    std::vector<double> z = start_;
    for (double& d : z) d = (d * units - change_of.mean) / change_of.sd;
    return z;
  }

  WeightPairs simulate(const MirrorMap& map, const DualChange& change_of, size_t count, Random& random) const override {
    WeightPairs out;
    if (count < n())
      std::ranges::sample(pairs_.before, std::back_inserter(out.before), std::ptrdiff_t(count), random);
    else
      for (size_t i = 0; i < count; ++i) out.before.push_back(pairs_.before[i % n()]);
    for (double& w : out.before) w *= size_;
    learn(map, change_of.mean, change_of.sd, out, random);
    return out;
  }

 private:
  size_t n() const { return pairs_.before.size(); }

  // The dual change, to start_.
  void change(const MirrorMap& inner) {
    to_dual(inner, int64_t(n()), pairs_.before.data(), start_.data());
    to_dual(inner, int64_t(n()), pairs_.after.data(), end_.data());
    for (size_t i = 0; i < n(); ++i) start_[i] = end_[i] - start_[i];
  }

  double size_;
  WeightPairs pairs_;  // divided by size_
  MeanChange mean_;
  size_t flips_;
  std::vector<double> start_, end_;
};

}  // namespace

std::unique_ptr<Likelihood> exact_likelihood(const WeightPairs& pairs, MeanChange mean) {
  return std::make_unique<ExactLikelihood>(pairs, mean);
}

double typical_size(const WeightPairs& pairs) {
  std::vector<double> sizes;
  sizes.reserve(2 * pairs.before.size());
  for (const auto* weights : {&pairs.before, &pairs.after})
    for (const double w : *weights)
      if (w != 0) sizes.push_back(std::abs(w));
  if (sizes.empty()) return 1;
  const auto middle = sizes.begin() + std::ptrdiff_t(sizes.size() / 2);
  std::ranges::nth_element(sizes, middle);
  return *middle;
}

MirrorMap scaled(const MirrorMap& map, double factor) {
  MirrorMap out = map;
  out.beta *= factor;
  return out;
}

double dual_factor(const MirrorMap& map, double factor) {
  switch (map.geometry) {
    case GeometryId::euclidean:
      return factor;
    case GeometryId::p_norm:
      return std::pow(factor, map.p - 1);
    default:  // of logarithms
      return 1;
  }
}

size_t count_sign_flips(const WeightPairs& pairs) {
  size_t flips = 0;
  for (size_t i = 0; i < pairs.before.size(); ++i)
    flips += (pairs.before[i] < 0 && pairs.after[i] > 0) || (pairs.before[i] > 0 && pairs.after[i] < 0);
  return flips;
}

}  // namespace cohort::engine

#include "inference/geometry_inference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cohort/error.h"
#include "inference/noisy_likelihood.h"
#include "statistics/delta_cdf.h"
#include "statistics/normal.h"

namespace cohort::engine {
namespace {

// Where p and ln(beta / typical weight) are tried first. The likelihood has no narrow second maximum.
const std::vector<double> p_grid = {1, 1.1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 3, 3.5, 4.5, largest_p};
const std::vector<double> log_beta_grid = {-9, -6, -4, -2.7, -1.5, -0.5, 0.5, 1.5, 2.7, 4, 6, 9};

// Of a chi-square number with one degree of freedom: P(X > 2 gain).
double upper_tail(double gain) { return 2 * normal_cdf(-std::sqrt(2 * std::max(gain, 0.0))); }

}  // namespace

std::vector<double> published_candidates() {
  std::vector<double> p;
  for (int i = 10; i <= 30; ++i) p.push_back(i / 10.0);
  return p;
}

MirrorMap geometry_of(double p) {
  if (p < smallest_p) return {.geometry = GeometryId::neg_entropy};
  return {.geometry = GeometryId::p_norm, .p = p};
}

MirrorMap hypentropy_of(double log_beta) { return {.geometry = GeometryId::hypentropy, .beta = std::exp(log_beta)}; }

const char* Inference::geometry() const {
  const MirrorMap& map = models[best].map;
  return map.geometry == GeometryId::euclidean ? info(GeometryId::p_norm).name : models[best].name;
}

WeightPairs without_zeros(const WeightPairs& pairs) {
  WeightPairs out;
  for (size_t i = 0; i < pairs.before.size(); ++i)
    if (pairs.before[i] != 0 && pairs.after[i] != 0) {
      out.before.push_back(pairs.before[i]);
      out.after.push_back(pairs.after[i]);
    }
  return out;
}

std::unique_ptr<Likelihood> likelihood_of(const WeightPairs& pairs, const InferenceOptions& options) {
  return options.noise.none() ? exact_likelihood(pairs, options.mean)
                              : noisy_likelihood(pairs, options.noise, options.mean);
}

Profile profile_p(Likelihood& likelihood, double level) {
  return profile([&](double p) { return likelihood.fit(geometry_of(p)).log_likelihood; }, p_grid, profile_drop(level));
}

Inference infer_geometry(const WeightPairs& all, const InferenceOptions& options) {
  check_weight_pairs(all);
  const WeightPairs pairs = options.noise.none() ? without_zeros(all) : all;
  Inference out;
  out.n = pairs.before.size();
  out.n_zeros = all.before.size() - out.n;
  if (out.n < fewest_synapses || pairs.before == pairs.after)
    throw Error(
        fmt::format("{} pairs of weights without those of which one is exactly 0; at least {}, of which some "
                    "have changed, are needed",
                    out.n, fewest_synapses));
  out.n_sign_flips = count_sign_flips(pairs);

  const std::unique_ptr<Likelihood> likelihood = likelihood_of(pairs, options);
  out.p = profile_p(*likelihood, options.level);
  const double log_size = std::log(typical_size(pairs));
  std::vector<double> log_betas = log_beta_grid;
  for (double& b : log_betas) b += log_size;
  out.log_beta = profile([&](double b) { return likelihood->fit(hypentropy_of(b)).log_likelihood; }, log_betas,
                         profile_drop(options.level));

  const auto add = [&](GeometryId id, int n_parameters, const MirrorMap& map) {
    Model m{.name = info(id).name, .n_parameters = n_parameters, .map = map, .change = likelihood->fit(map)};
    const double parameters = n_parameters + (options.mean == MeanChange::free ? 2 : 1);
    m.aic = 2 * parameters - 2 * m.change.log_likelihood;
    m.bic = parameters * std::log(double(out.n)) - 2 * m.change.log_likelihood;
    out.models.push_back(m);
  };
  add(GeometryId::neg_entropy, 0, geometry_of(1));
  add(GeometryId::euclidean, 0, {.geometry = GeometryId::euclidean});
  add(GeometryId::p_norm, 1, geometry_of(std::max(out.p.estimate, smallest_p)));
  add(GeometryId::hypentropy, 1, hypentropy_of(out.log_beta.estimate));
  out.best = size_t(std::ranges::min_element(out.models, {}, &Model::bic) - out.models.begin());
  if (options.potential) {
    const auto asked = std::ranges::find(out.models, *options.potential, [](const Model& m) { return m.map.geometry; });
    if (asked == out.models.end())
      throw Error(fmt::format("--potential {}; neg_entropy, euclidean, p_norm and hypentropy are compared",
                              info(*options.potential).name));
    if (*options.potential == GeometryId::neg_entropy && options.noise.none() && out.n_sign_flips + out.n_zeros > 0)
      throw Error(
          fmt::format("--potential neg_entropy: {} weights have another sign after learning, or are 0 before or "
                      "after it; this potential allows neither",
                      out.n_sign_flips + out.n_zeros));
    out.best = size_t(asked - out.models.begin());
  }
  if (!std::isfinite(out.models[out.best].change.log_likelihood))
    throw Error("no candidate geometry can have made this change of weights");
  const double best_p = out.p.log_likelihood;
  out.p_value_neg_entropy =
      out.p.estimate < smallest_p ? 1 : upper_tail(best_p - out.models[0].change.log_likelihood) / 2;
  out.p_value_euclidean = upper_tail(best_p - out.models[1].change.log_likelihood);

  const Model& best = out.models[out.best];
  out.fit = goodness_of_fit(*likelihood, pairs.before, best.map, best.change,
                            {.noise = options.noise,
                             .mean = options.mean,
                             .data_sets = options.bootstrap,
                             .seed = options.seed,
                             .n_threads = options.n_threads});

  std::vector<double> dual_before(out.n), change(out.n);
  for (const double p : options.candidates.empty() ? published_candidates() : options.candidates) {
    const MirrorMap map = geometry_of(p);
    to_dual(map, int64_t(out.n), pairs.before.data(), dual_before.data());
    to_dual(map, int64_t(out.n), pairs.after.data(), change.data());
    for (size_t i = 0; i < out.n; ++i) change[i] -= dual_before[i];
    out.candidates.push_back({p, likelihood->fit(map), delta_cdf(change), delta_cdf(change, true)});
  }
  return out;
}

}  // namespace cohort::engine

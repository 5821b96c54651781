// Which geometry of plasticity a data set of weights before and after learning speaks for.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "inference/goodness_of_fit.h"
#include "inference/likelihood.h"
#include "inference/noise.h"
#include "inference/profile.h"
#include "inference/weight_pairs.h"

namespace cohort::engine {

inline constexpr double largest_p = 6;

// Closer to 1 than this, the p-norm is negative entropy to within the precision of its numbers.
inline constexpr double smallest_p = 1 + 1e-6;

struct InferenceOptions {
  MeanChange mean = MeanChange::zero;
  Noise noise = {};
  double level = 0.95;  // of the intervals
  // p of the candidates that Delta-CDF and likelihood are tabled for; 1 is negative entropy.
  std::vector<double> candidates = {};       // empty: 1, 1.1, ..., 3
  int bootstrap = 499;                       // data sets simulated for the goodness of fit; 0: none
  std::optional<GeometryId> potential = {};  // the best model, whatever the data say
  uint64_t seed = 0;
  int n_threads = 1;
};

// p = 1, ..., 3 in steps of 0.1.
std::vector<double> published_candidates();

// The geometry of a p: negative entropy where p is 1.
MirrorMap geometry_of(double p);

MirrorMap hypentropy_of(double log_beta);

struct Candidate {
  double p = 1;
  DualChange change;
  double delta_cdf = 0, delta_cdf_centred = 0;  // of the weights as measured
};

// A family of geometries at its most likely member.
struct Model {
  const char* name = "";  // of the geometry
  int n_parameters = 0;   // of its shape
  MirrorMap map;
  DualChange change;
  double aic = 0, bic = 0;
};

struct Inference {
  size_t n = 0;        // pairs used
  size_t n_zeros = 0;  // pairs left out: a weight of exactly 0
  size_t n_sign_flips = 0;
  Profile p;         // of the p-norm's p; 1 is negative entropy
  Profile log_beta;  // of hypentropy's ln beta
  // The likelihood ratio test of negative entropy, p = 1, against p > 1 (half a chi-square), and of p = 2 against any p.
  double p_value_neg_entropy = 0, p_value_euclidean = 0;
  std::vector<Model> models;  // neg_entropy, euclidean, p_norm, hypentropy
  size_t best = 0;            // of models: by BIC, or the one that was asked for
  GoodnessOfFit fit;          // of the best model
  std::vector<Candidate> candidates;
  // neg_entropy, p_norm or hypentropy: the best model's, Euclidean being the p-norm that it is.
  const char* geometry() const;
};

// Throws Error for pairs that say nothing (check_weight_pairs) and where no family can have made the change.
Inference infer_geometry(const WeightPairs& pairs, const InferenceOptions& options);

// The pairs without those of which a weight is exactly 0.
WeightPairs without_zeros(const WeightPairs& pairs);

// The profile of the p-norm's p from 1 (negative entropy) to largest_p.
Profile profile_p(Likelihood& likelihood, double level);

// Exact, or noisy where there is noise.
std::unique_ptr<Likelihood> likelihood_of(const WeightPairs& pairs, const InferenceOptions& options);

}  // namespace cohort::engine

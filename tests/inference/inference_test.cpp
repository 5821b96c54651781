// What is inferred from data sets of known geometry, and what is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cohort/error.h"
#include "inference/geometry_inference.h"
#include "inference/infer_figure.h"
#include "inference/report.h"
#include "inference/simulate.h"
#include "learned_pairs.h"

namespace cohort::engine {
namespace {

WeightPairs data(const MirrorMap& map, size_t n, uint64_t index, double change = 0.1) {
  return testing::learned_pairs(11, map, n, index, change);
}

TEST(InferGeometry, NamesTheGeometryThatMadeTheData) {
  const InferenceOptions options{.bootstrap = 0};
  uint64_t index = 0;
  for (const double p : {1.0, 1.3, 2.0, 3.0, 4.5}) {
    const Inference in = infer_geometry(data(geometry_of(p), 2000, index++), options);
    EXPECT_STREQ(in.geometry(), p == 1 ? "neg_entropy" : "p_norm");
    // rmse at 2000 synapses is below 0.015 p^2 (docs/inference.md); four of them
    EXPECT_NEAR(in.p.estimate, p, 0.06 * p * p) << p;
    EXPECT_EQ(in.p_value_neg_entropy<1e-6, p> 1);
    EXPECT_EQ(in.p_value_euclidean < 1e-6, p != 2);
  }
  const Inference in = infer_geometry(data(hypentropy_of(std::log(0.3)), 3000, 20, 0.2), options);
  EXPECT_STREQ(in.geometry(), "hypentropy");
  EXPECT_NEAR(in.log_beta.estimate, std::log(0.3), 0.3);
}

TEST(InferGeometry, TestsOfTheBoundaryHoldTheirLevel) {  // half a chi-square: 5 % of true negative entropies below 0.05
  constexpr int n_sets = 400;
  int rejected = 0, at_boundary = 0;
  for (int i = 0; i < n_sets; ++i) {
    const WeightPairs pairs = data(geometry_of(1), 100, 100 + uint64_t(i));
    const auto likelihood = exact_likelihood(pairs, MeanChange::zero);
    const Profile p = profile_p(*likelihood, 0.9);  // whose lower end excludes 1 where the one-sided p is below 0.05
    rejected += p.low > 1;
    at_boundary += p.estimate < smallest_p;
  }
  // binomial: 5 % and half, four standard deviations
  EXPECT_NEAR(rejected, 0.05 * n_sets, 4 * std::sqrt(0.05 * 0.95 * n_sets));
  EXPECT_NEAR(at_boundary, 0.5 * n_sets, 4 * std::sqrt(0.25 * n_sets));
}

TEST(InferGeometry, ExcludesNegativeEntropyWhereSignsFlip) {
  const WeightPairs pairs = data(geometry_of(3), 300, 1);
  const Inference in = infer_geometry(pairs, {.bootstrap = 0});
  EXPECT_GT(in.n_sign_flips, 10u);
  EXPECT_EQ(in.models[0].change.log_likelihood, -HUGE_VAL);
  EXPECT_EQ(in.p_value_neg_entropy, 0);
  EXPECT_NE(inference_text(in, {}).find("neg_entropy never changes a sign"), std::string::npos);
  EXPECT_THROW(infer_geometry(pairs, {.bootstrap = 0, .potential = GeometryId::neg_entropy}), Error);
}

TEST(InferGeometry, LeavesExactZerosOut) {
  WeightPairs pairs = data(geometry_of(1), 100, 2);
  const Inference without = infer_geometry(pairs, {.bootstrap = 0});
  pairs.before.insert(pairs.before.end(), {0, 0, 0.5});
  pairs.after.insert(pairs.after.end(), {0, 0.1, 0});
  const Inference with = infer_geometry(pairs, {.bootstrap = 0});
  EXPECT_EQ(with.n_zeros, 3u);
  EXPECT_EQ(with.n, 100u);
  EXPECT_EQ(with.p.estimate, without.p.estimate);
  EXPECT_THROW(infer_geometry(pairs, {.bootstrap = 0, .potential = GeometryId::neg_entropy}), Error);
  EXPECT_THROW(infer_geometry({std::vector<double>(20, 0), std::vector<double>(20, 1)}, {}), Error);
}

TEST(InferGeometry, DoesNotDependOnThreads) {
  const WeightPairs pairs = data(geometry_of(1.5), 100, 3);
  const InferenceOptions one{.bootstrap = 19, .n_threads = 1}, four{.bootstrap = 19, .n_threads = 4};
  EXPECT_EQ(inference_json(infer_geometry(pairs, one), one), inference_json(infer_geometry(pairs, four), four));
}

TEST(Report, JsonHasWhatTheTextSays) {
  const WeightPairs pairs = data(geometry_of(3), 200, 4);
  const InferenceOptions options{.candidates = {1, 2, 3}, .bootstrap = 19};
  const Inference in = infer_geometry(pairs, options);
  const nlohmann::json json = nlohmann::json::parse(inference_json(in, options));
  EXPECT_EQ(json["geometry"], "p_norm");
  EXPECT_EQ(json["n"], 200);
  EXPECT_LT(json["p_interval"][0], json["p"]);
  EXPECT_GT(json["p_interval"][1], json["p"]);
  EXPECT_EQ(json["candidates"].size(), 3u);
  EXPECT_TRUE(json["candidates"][0]["log_likelihood"].is_null());
  EXPECT_GT(json["candidates"][2]["log_likelihood"], json["candidates"][1]["log_likelihood"]);
  EXPECT_EQ(json["models"].size(), 4u);
  for (const char* test : {"trend", "spread", "normality"})
    EXPECT_GE(json["goodness_of_fit"][test]["p_value"], 0.05 - 1e-9);  // 1 / 20
  const std::string svg = infer_figure(pairs, in, options);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
}

}  // namespace
}  // namespace cohort::engine

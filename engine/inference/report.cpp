#include "inference/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace cohort::engine {
namespace {

using Json = nlohmann::ordered_json;

bool possible(const DualChange& change) { return std::isfinite(change.log_likelihood); }

std::string shown_likelihood(double value) {
  return std::isfinite(value) ? fmt::format("{:.2f}", value) : "impossible";
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

void add_change(Json& to, const DualChange& change) {
  to["log_likelihood"] = number(change.log_likelihood);
  to["mean"] = possible(change) ? number(change.mean) : Json(nullptr);
  to["sd"] = possible(change) ? number(change.sd) : Json(nullptr);
}

// The candidate that `better(a, b)` prefers to all others.
template <class Better>
const Candidate& best_of(const std::vector<Candidate>& candidates, Better better) {
  return *std::ranges::min_element(candidates, better);
}
bool nearer_normal(const Candidate& a, const Candidate& b) {
  return !std::isnan(a.delta_cdf) && (std::isnan(b.delta_cdf) || a.delta_cdf < b.delta_cdf);
}
bool likelier(const Candidate& a, const Candidate& b) { return a.change.log_likelihood > b.change.log_likelihood; }

std::string headline(const Inference& in, const InferenceOptions& options) {
  const Model& best = in.models[in.best];
  const std::string interval = fmt::format("{:g} % interval {:.4g} to {:.4g}{}", 100 * options.level, in.p.low,
                                           in.p.high, in.p.high >= largest_p ? " (the largest p)" : "");
  switch (best.map.geometry) {
    case GeometryId::neg_entropy:
      return fmt::format("neg_entropy (p-norm with p -> 1; p = {:.4g}, {})", in.p.estimate, interval);
    case GeometryId::hypentropy:
      return fmt::format("hypentropy, beta = {:.4g}, {:g} % interval {:.4g} to {:.4g}", best.map.beta,
                         100 * options.level, std::exp(in.log_beta.low), std::exp(in.log_beta.high));
    default:
      return fmt::format("p_norm, p = {:.4g}, {}{}", in.p.estimate, interval,
                         best.map.geometry == GeometryId::euclidean ? "; Euclidean, p = 2, suffices" : "");
  }
}

}  // namespace

std::string name_of_p(double p) { return p < smallest_p ? info(GeometryId::neg_entropy).name : fmt::format("{:g}", p); }

std::string inference_text(const Inference& in, const InferenceOptions& options) {
  std::string out = fmt::format("{} synapses, {} with another sign after learning", in.n, in.n_sign_flips);
  if (in.n_zeros > 0) out += fmt::format("; {} left out, a weight is exactly 0", in.n_zeros);
  if (!options.noise.none())
    out += fmt::format("; known noise, sd {:g}, relative {:g}", options.noise.absolute, options.noise.relative);
  out += fmt::format("\ngeometry   {}\n", headline(in, options));
  out += fmt::format("tests      neg_entropy against p > 1: p = {:.2g}; euclidean against any p: p = {:.2g}\n",
                     in.p_value_neg_entropy, in.p_value_euclidean);
  if (in.fit.bootstrap > 0) {
    out += fmt::format("fit of {}  p = {:.3f}{} (", in.models[in.best].name, in.fit.p_value,
                       in.fit.p_value < 0.05 ? ", does not explain the data" : "");
    for (size_t t = 0; t < in.fit.tests.size(); ++t)
      out += fmt::format("{}{} {:.3f}", t ? ", " : "", in.fit.tests[t].name, in.fit.tests[t].p_value);
    out += fmt::format("; {} simulated data sets)\n", in.fit.bootstrap);
  }

  out += fmt::format("\n{:<14}{:>12}{:>16}{:>12}{:>12}{:>14}\n", "model", "parameter", "log likelihood", "AIC", "BIC",
                     "sd of change");
  for (const Model& m : in.models) {
    const std::string parameter = m.map.geometry == GeometryId::hypentropy ? fmt::format("{:.4g}", m.map.beta)
                                  : m.n_parameters > 0                     ? fmt::format("{:.4g}", in.p.estimate)
                                                                           : "";
    out += fmt::format("{:<14}{:>12}{:>16}", m.name, parameter, shown_likelihood(m.change.log_likelihood));
    if (possible(m.change)) out += fmt::format("{:>12.2f}{:>12.2f}{:>14.4g}", m.aic, m.bic, m.change.sd);
    out += &m == &in.models[in.best] ? "  *\n" : "\n";
  }
  if (!possible(in.models[0].change))
    out += fmt::format("neg_entropy never changes a sign: {} synapses did\n", in.n_sign_flips);

  out += fmt::format("\n{:<14}{:>16}{:>12}{:>12}\n", "candidate", "log likelihood", "Delta-CDF", "centred");
  const Candidate &likely = best_of(in.candidates, likelier), &normal = best_of(in.candidates, nearer_normal);
  for (const Candidate& c : in.candidates)
    out +=
        fmt::format("{:<14}{:>15}{}{:>11.5f}{}{:>12.5f}\n", name_of_p(c.p), shown_likelihood(c.change.log_likelihood),
                    &c == &likely ? '*' : ' ', c.delta_cdf, &c == &normal ? '*' : ' ', c.delta_cdf_centred);
  return out;
}

std::string inference_json(const Inference& in, const InferenceOptions& options) {
  const Model& best = in.models[in.best];
  Json out = {{"geometry", in.geometry()},
              {"p", in.p.estimate},
              {"p_interval", {in.p.low, in.p.high}},
              {"level", options.level},
              {"n", in.n},
              {"n_zeros_left_out", in.n_zeros},
              {"n_sign_flips", in.n_sign_flips},
              {"noise", {{"absolute", options.noise.absolute}, {"relative", options.noise.relative}}},
              {"mean", options.mean == MeanChange::free ? "free" : "zero"},
              {"log_likelihood", number(best.change.log_likelihood)},
              {"p_value_neg_entropy", in.p_value_neg_entropy},
              {"p_value_euclidean", in.p_value_euclidean},
              {"beta", std::exp(in.log_beta.estimate)},
              {"beta_interval", {std::exp(in.log_beta.low), std::exp(in.log_beta.high)}}};
  Json& fit = out["goodness_of_fit"] = {
      {"model", best.name}, {"p_value", number(in.fit.p_value)}, {"simulated", in.fit.bootstrap}};
  for (const FitTest& test : in.fit.tests)
    fit[test.name] = {{"statistic", number(test.statistic)}, {"p_value", number(test.p_value)}, {"doc", test.doc}};
  for (const Model& m : in.models) {
    Json item = {{"geometry", m.name}, {"n_parameters", m.n_parameters}};
    if (m.map.geometry == GeometryId::hypentropy)
      item["beta"] = m.map.beta;
    else
      item["p"] = m.map.geometry == GeometryId::neg_entropy ? 1.0
                  : m.map.geometry == GeometryId::euclidean ? 2.0
                                                            : m.map.p;
    add_change(item, m.change);
    item["aic"] = number(m.aic);
    item["bic"] = number(m.bic);
    out["models"].push_back(item);
  }
  for (const Candidate& c : in.candidates) {
    Json item = {{"geometry", info(geometry_of(c.p).geometry).name}, {"p", c.p}};
    add_change(item, c.change);
    item["delta_cdf"] = number(c.delta_cdf);
    item["delta_cdf_centred"] = number(c.delta_cdf_centred);
    out["candidates"].push_back(item);
  }
  out["delta_cdf_p"] = best_of(in.candidates, nearer_normal).p;
  return out.dump(2);
}

}  // namespace cohort::engine

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cohort/error.h"
#include "commands.h"
#include "device/parallel.h"
#include "inference/infer_figure.h"
#include "inference/power.h"
#include "inference/report.h"
#include "output.h"
#include "run/atomic_file.h"

namespace cohort::app {

using namespace cohort::engine;

namespace {

int n_threads(int asked) { return asked > 0 ? asked : available_cores(); }

// "neg_entropy" or a p > 1.
double p_of(const std::string& word, const char* option) {
  if (word == "neg_entropy") return 1;
  double p = 0;
  size_t used = 0;
  try {
    p = std::stod(word, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (word.empty() || used != word.size() || !(p >= smallest_p && p <= largest_p))
    throw Error(fmt::format("{} {}; neg_entropy and numbers above 1, up to {}, are allowed", option, word, largest_p));
  return p;
}

std::vector<double> all_p(const std::vector<std::string>& words, const char* option) {
  std::vector<double> p;
  for (const std::string& word : words) p.push_back(p_of(word, option));
  return p;
}

}  // namespace

int infer(const InferOptions& asked) {
  InferenceOptions options{.mean = asked.mean == "free" ? MeanChange::free : MeanChange::zero,
                           .noise = {.absolute = asked.noise, .relative = asked.relative_noise},
                           .level = asked.level,
                           .candidates = all_p(asked.p, "--p"),
                           .seed = asked.seed,
                           .n_threads = n_threads(asked.threads)};
  options.bootstrap = asked.bootstrap ? *asked.bootstrap : options.noise.none() ? 499 : 199;
  if (!asked.p.empty() && std::ranges::find(options.candidates, 1.0) == options.candidates.end())
    options.candidates.insert(options.candidates.begin(), 1.0);
  for (int i = 0; i < n_geometries && !asked.potential.empty(); ++i)
    if (asked.potential == info(GeometryId(i)).name) options.potential = GeometryId(i);

  const WeightPairs pairs = read_weight_pairs(asked.before, asked.after, asked.columns);
  const Inference inference = infer_geometry(pairs, options);
  if (!asked.figure.empty()) write_file_atomically(asked.figure, infer_figure(pairs, inference, options));
  fmt::print("{}{}", asked.json ? inference_json(inference, options) : inference_text(inference, options),
             asked.json ? "\n" : "");
  finish_output();
  if (!asked.figure.empty()) fmt::print(stderr, "{}\n", asked.figure);
  return ok;
}

int power(const PowerCommand& asked) {
  PowerOptions options = asked.protocol == "robustness" ? robustness_protocol()
                         : asked.protocol == "coverage" ? coverage_protocol()
                                                        : PowerOptions{};
  if (!asked.truth.empty()) options.truths = all_p(asked.truth, "--truth");
  if (!asked.candidates.empty()) options.candidates = all_p(asked.candidates, "--candidates");
  if (!asked.synapses.empty()) options.synapses = asked.synapses;
  if (!asked.noise.empty()) options.noise = asked.noise;
  if (!asked.change.empty()) options.change = asked.change;
  if (!asked.start.empty()) {
    options.starts.clear();
    for (const std::string& word : asked.start)
      options.starts.push_back(word == "normal" ? Start::normal : Start::log_normal);
  }
  if (asked.data_sets > 0) options.data_sets = asked.data_sets;
  options.seed = asked.seed;
  options.n_threads = n_threads(asked.threads);
  const std::vector<PowerRow> rows = engine::power(options);
  fmt::print("{}", power_csv(rows, options));
  finish_output();
  if (!options.candidates.empty()) fmt::print(stderr, "{}", fewest_synapses_text(rows, 0.95));
  return ok;
}

}  // namespace cohort::app

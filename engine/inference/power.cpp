#include "inference/power.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "cohort/error.h"
#include "device/parallel.h"
#include "inference/geometry_inference.h"
#include "statistics/delta_cdf.h"

namespace cohort::engine {
namespace {

// The random numbers of a combination are its own, wherever it stands among others.
uint64_t stream_of(const PowerRow& row) {
  uint64_t stream = 2;
  for (const double value : {double(row.start), row.truth, double(row.synapses), row.noise, row.change}) {
    stream = (stream ^ std::bit_cast<uint64_t>(value)) * 0x9E3779B97F4A7C15u;
    stream ^= stream >> 29;
  }
  return stream;
}

const char* name_of(Start start) { return start == Start::normal ? "normal" : "log_normal"; }

// What one data set says.
struct Outcome {
  double flips = 0, likely = 0, near_normal = 0;  // p chosen by likelihood and by Delta-CDF
  Profile p = {};
};

class Combination {
 public:
  Combination(const PowerOptions& options, PowerRow row)
      : options_(options), row_(row), stream_(stream_of(row)), truth_(geometry_of(row.truth)) {
    size_ = !options.published ? 1 : row.start == Start::normal ? 0.1 : 1 / std::sqrt(1000.0);
    double at = options.published ? 0.1 : size_, slope = 0;
    if (options.published) {
      to_dual(truth_, 1, &at, &slope);
      sd_ = 0.1 * std::abs(slope);
    } else {
      curvature(truth_, 1, &at, &slope);
      sd_ = row.change * size_ * slope;
    }
  }

  Outcome run(int64_t data_set) const {
    Random random = random_of(options_.seed, stream_, uint64_t(data_set));
    WeightPairs pairs;
    pairs.before = draw_start(row_.start, size_, row_.synapses, random);
    learn(truth_, 0, sd_, pairs, random);
    InferenceOptions inference{.noise = {.absolute = row_.noise * size_}};
    if (row_.noise > 0) pairs = measured(pairs, inference.noise, random);
    pairs = without_zeros(pairs);
    const auto likelihood = likelihood_of(pairs, inference);
    Outcome out{.flips = double(count_sign_flips(pairs)) / double(row_.synapses)};
    double most = -HUGE_VAL, least = HUGE_VAL;
    std::vector<double> before(pairs.before.size()), change(pairs.before.size());
    for (const double p : options_.candidates) {
      const MirrorMap map = geometry_of(p);
      if (const double value = likelihood->fit(map).log_likelihood; value > most) most = value, out.likely = p;
      to_dual(map, int64_t(before.size()), pairs.before.data(), before.data());
      to_dual(map, int64_t(before.size()), pairs.after.data(), change.data());
      for (size_t i = 0; i < before.size(); ++i) change[i] -= before[i];
      if (const double gap = delta_cdf(change); gap < least) least = gap, out.near_normal = p;
    }
    if (options_.level > 0) out.p = profile_p(*likelihood, options_.level);
    return out;
  }

  PowerRow summary(const std::vector<Outcome>& outcomes) const {
    PowerRow row = row_;
    row.data_sets = int(outcomes.size());
    for (const Outcome& o : outcomes) {
      row.flips += o.flips;
      row.exact += o.likely == row.truth;
      row.delta_cdf_exact += o.near_normal == row.truth;
      row.rmse += (o.likely - row.truth) * (o.likely - row.truth);
      row.delta_cdf_rmse += (o.near_normal - row.truth) * (o.near_normal - row.truth);
      row.estimate_rmse += (o.p.estimate - row.truth) * (o.p.estimate - row.truth);
      row.coverage += o.p.low <= row.truth && row.truth <= o.p.high;
      row.width += o.p.high - o.p.low;
    }
    const double n = double(outcomes.size());
    for (double* mean : {&row.flips, &row.exact, &row.delta_cdf_exact, &row.coverage, &row.width}) *mean /= n;
    for (double* mean : {&row.rmse, &row.delta_cdf_rmse, &row.estimate_rmse}) *mean = std::sqrt(*mean / n);
    return row;
  }

 private:
  const PowerOptions& options_;
  PowerRow row_;
  uint64_t stream_;
  MirrorMap truth_;
  double size_, sd_ = 0;
};

}  // namespace

std::vector<PowerRow> power(const PowerOptions& options) {
  for (const double n : options.synapses)
    if (!(n >= double(fewest_synapses)) || n > 1e7 || n != std::floor(n))
      throw Error(fmt::format("--synapses {}; whole numbers from {} to 10000000 are allowed", n, fewest_synapses));
  for (const auto* list : {&options.truths, &options.candidates})
    for (const double p : *list)
      if (!(p >= 1 && p <= largest_p)) throw Error(fmt::format("p = {}; 1 to {} are allowed", p, largest_p));
  for (const double noise : options.noise)
    if (!(noise >= 0 && noise <= 1)) throw Error(fmt::format("--noise {}; 0 to 1 are allowed", noise));
  for (const double change : options.change)
    if (!(change > 0 && change <= 1)) throw Error(fmt::format("--change {}; more than 0, up to 1, is allowed", change));
  std::vector<Combination> combinations;
  for (const Start start : options.starts)
    for (const double change : options.change)
      for (const double noise : options.noise)
        for (const double truth : options.truths)
          for (const double n : options.synapses)
            combinations.emplace_back(options, PowerRow{.start = start,
                                                        .truth = truth,
                                                        .synapses = size_t(n),
                                                        .noise = noise,
                                                        .change = options.published ? 0 : change});
  std::vector<std::vector<Outcome>> outcomes(combinations.size(), std::vector<Outcome>(size_t(options.data_sets)));
  parallel_for(options.n_threads, int64_t(combinations.size()) * options.data_sets, [&](int64_t i, int) {
    const auto combination = size_t(i / options.data_sets);
    const int64_t data_set = i % options.data_sets;
    outcomes[combination][size_t(data_set)] = combinations[combination].run(data_set);
  });
  std::vector<PowerRow> rows;
  for (size_t c = 0; c < combinations.size(); ++c) rows.push_back(combinations[c].summary(outcomes[c]));
  return rows;
}

PowerOptions robustness_protocol() {
  return {.truths = {1, 2, 3},
          .candidates = published_candidates(),
          .synapses = {1000},
          .noise = {0},
          .change = {0.1},
          .starts = {Start::normal, Start::log_normal},
          .data_sets = 300,
          .level = 0.95,
          .published = true};
}

PowerOptions coverage_protocol() {
  return {.truths = {1.3, 1.5, 2, 2.5, 3},
          .candidates = {},
          .synapses = {1000},
          .noise = {0, 0.05, 0.1},
          .change = {0.1},
          .starts = {Start::normal},
          .data_sets = 2000,
          .level = 0.95};
}

std::string power_csv(const std::vector<PowerRow>& rows, const PowerOptions& options) {
  const bool decisions = !options.candidates.empty(), intervals = options.level > 0;
  std::string out = "start,change,noise,truth,synapses,data_sets,sign_flips";
  if (decisions) out += ",exact,rmse,delta_cdf_exact,delta_cdf_rmse";
  if (intervals) out += ",estimate_rmse,coverage,width";
  out += '\n';
  for (const PowerRow& r : rows) {
    out += fmt::format("{},{:g},{:g},{:g},{},{},{:.4f}", name_of(r.start), r.change, r.noise, r.truth, r.synapses,
                       r.data_sets, r.flips);
    if (decisions)
      out += fmt::format(",{:.4f},{:.4f},{:.4f},{:.4f}", r.exact, r.rmse, r.delta_cdf_exact, r.delta_cdf_rmse);
    if (intervals) out += fmt::format(",{:.4f},{:.4f},{:.4f}", r.estimate_rmse, r.coverage, r.width);
    out += '\n';
  }
  return out;
}

std::string fewest_synapses_text(const std::vector<PowerRow>& rows, double share) {
  std::string out;
  for (size_t begin = 0; begin < rows.size();) {
    const auto same = [&](const PowerRow& r) {
      return r.start == rows[begin].start && r.change == rows[begin].change && r.noise == rows[begin].noise;
    };
    size_t end = begin;
    while (end < rows.size() && same(rows[end])) ++end;
    std::vector<size_t> sizes;
    for (size_t i = begin; i < end; ++i) sizes.push_back(rows[i].synapses);
    std::ranges::sort(sizes);
    std::string fewest = fmt::format("more than {}", sizes.back());
    for (const size_t n : sizes)
      if (std::all_of(rows.begin() + std::ptrdiff_t(begin), rows.begin() + std::ptrdiff_t(end),
                      [&](const PowerRow& r) { return r.synapses != n || r.exact >= share; })) {
        fewest = fmt::format("{}", n);
        break;
      }
    out += fmt::format("{} start, change {:g}, noise {:g}: {} synapses for {:g} % right decisions\n",
                       name_of(rows[begin].start), rows[begin].change, rows[begin].noise, fewest, 100 * share);
    begin = end;
  }
  return out;
}

}  // namespace cohort::engine

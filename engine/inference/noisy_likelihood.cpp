#include "inference/noisy_likelihood.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <utility>

#include "cohort/error.h"
#include "inference/latent_grid.h"
#include "inference/maximise.h"
#include "inference/normal_tail.h"
#include "inference/start_density.h"
#include "statistics/normal.h"

namespace cohort::engine {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double reach = 4.5;        // noise beyond so many sd is not summed over
constexpr double unlikely = 1e-300;  // density of a pair that no latent weights within reach explain
constexpr long most_cells = 4'000'000;
// Of more pairs than this, those that are equal after rounding to `snap` of the noise count as one.
constexpr size_t snap_beyond = 20'000;
constexpr double snap = 0.25;

double normal_density(double x, double sd) {
  const double z = x / sd;
  return std::exp(-z * z / 2) / (sd * std::sqrt(2 * std::numbers::pi));
}

// The sum of a[i] b[i], in four parts that do not wait for each other.
double product(const double* a, const double* b, size_t n) {
  double sum[4] = {};
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (size_t j = 0; j < 4; ++j) sum[j] += a[i + j] * b[i + j];
  for (; i < n; ++i) sum[0] += a[i] * b[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

class NoisyLikelihood final : public Likelihood {
 public:
  NoisyLikelihood(const WeightPairs& pairs, const Noise& noise, MeanChange mean)
      : size_(typical_size(pairs)),
        noise_{noise.absolute / size_, noise.relative},
        mean_(mean),
        n_(double(pairs.before.size())),
        grid_(noise_, smallest(pairs) / size_) {
    first_cell_ = std::numeric_limits<long>::max();
    long last = std::numeric_limits<long>::min();
    for (const auto* weights : {&pairs.before, &pairs.after})
      for (const double v : *weights) {
        const double t = grid_.t(v / size_);
        if (!(std::abs(t) < 1e9)) throw too_fine();
        const auto [low, high] = within_reach(v / size_);
        first_cell_ = std::min(first_cell_, low);
        last = std::max(last, high);
      }
    if (last - first_cell_ >= most_cells) throw too_fine();
    n_cells_ = size_t(last - first_cell_ + 1);
    gather(pairs);
    list_transitions();
    estimate_start();
    guess(pairs);
  }

  DualChange fit(const MirrorMap& map) override {
    const MirrorMap inner = scaled(map, 1 / size_);
    set_map(inner);
    double slope = 0, one = 1;  // phi'' of a weight of typical size
    curvature(inner, 1, &one, &slope);
    const double width = 1 / std::sqrt(2 * n_);  // of the likelihood in ln sd
    const double least = std::log(1e-3 * noise_.sd(1)), most = std::log(1e6);
    double mean = 0;
    const auto of_sd = [&](double log_sd) { return value(slope * mean, slope * std::exp(log_sd)); };
    // Near the best geometry so far its sd is close; but where noise explains everything there is no slope.
    Maximum sd{best_log_sd_, of_sd(best_log_sd_)};
    if (best_log_sd_ < guess_ - 0.5)
      if (const double there = of_sd(guess_); there > sd.value) sd = {guess_, there};
    const auto along_sd = [&] { sd = climb(of_sd, sd, std::min(3 * width, 0.4), 0.4, least, most); };
    along_sd();
    if (mean_ == MeanChange::free)
      for (int round = 0; round < 3; ++round) {
        const double before = sd.value, step = 2 * std::exp(sd.at) / std::sqrt(n_);
        const auto of_mean = [&](double m) { return value(slope * m, slope * std::exp(sd.at)); };
        const Maximum better = climb(of_mean, {mean, sd.value}, step, 8 * step, -1e6, 1e6);
        mean = better.at;
        sd.value = better.value;
        along_sd();
        if (sd.value - before < 1e-3) break;
      }
    if (sd.value > best_value_) {
      best_value_ = sd.value;
      best_log_sd_ = sd.at;
    }
    const double units = dual_factor(map, size_) * slope;
    return {sd.value - log_start_ - n_ * std::log(size_), mean * units, std::exp(sd.at) * units};
  }

  std::vector<double> residuals(const MirrorMap& map, const DualChange& change) override {
    set_map(scaled(map, 1 / size_));
    const double units = dual_factor(map, size_);
    transitions(change.mean / units, change.sd / units);
    std::vector<double> z(of_pair_.size());
    for (size_t p = 0; p < of_pair_.size(); ++p) {
      const Pair& pair = pairs_[of_pair_[p]];
      double cdf = 0, sum = 0;
      for (size_t r = 0; r < pair.n_rows; ++r) {
        const size_t row = pair.first_row + r;
        const double weight = pair.before[r] * start_[row];
        double below = lower(row, pair.first_column);
        for (size_t c = 0; c < pair.n_columns; ++c) {
          const double middle = middle_[pair.first_column + c];
          below += mass_[pair.at[r] + c] * normal_cdf((pair.v1 - middle) / after_sd(middle));
        }
        cdf += weight * below;
        sum += weight;
      }
      z[p] = normal_quantile(std::clamp(cdf / sum, 1e-16, 1 - 1e-16));
    }
    return z;
  }

  WeightPairs simulate(const MirrorMap& map, const DualChange& change, size_t n, Random& random) const override {
    WeightPairs pairs;
    std::discrete_distribution<size_t> cell(start_.begin(), start_.end());
    std::uniform_real_distribution<double> within;
    for (size_t i = 0; i < n; ++i) {
      const double at = (double(first_cell_ + long(cell(random))) + within(random)) * LatentGrid::h;
      pairs.before.push_back(grid_.weight(at) * size_);
    }
    learn(map, change.mean, change.sd, pairs, random);
    return measured(pairs, {noise_.absolute * size_, noise_.relative}, random);
  }

 private:
  // Pairs of measurements that count as one; cells from first_cell_ on.
  struct Pair {
    double v0 = 0, v1 = 0, times = 1;
    size_t first_row = 0, n_rows = 0, first_column = 0, n_columns = 0;
    const double *before = nullptr, *after = nullptr;  // density of v0 [n_rows] and v1 [n_columns] in the cells
    const size_t* at = nullptr;                        // [n_rows]: its first column among the transitions
  };
  // A stretch of one row of transitions.
  struct Run {
    size_t row = 0, first = 0, last = 0, at = 0;  // columns; place of the first in mass_
  };

  static double smallest(const WeightPairs& pairs) {
    double least = infinity;
    for (const auto* weights : {&pairs.before, &pairs.after})
      for (const double v : *weights)
        if (v != 0) least = std::min(least, std::abs(v));
    return least;
  }
  static Error too_fine() {
    return Error(
        fmt::format("the noise is so small beside the range of the weights (more than {} cells) that it has no "
                    "effect; leave it out",
                    most_cells));
  }

  // Cells of latent weights from which v can come.
  std::pair<long, long> within_reach(double v) const {
    const auto near = [&](long k) {
      const double w = grid_.middle(k);
      return std::abs(v - w) <= reach * grid_.sd(w) && std::abs(grid_.t(w) - grid_.t(v)) < 3 * reach;
    };
    long low = grid_.cell(v), high = low;
    while (near(low - 1)) --low;
    while (near(high + 1)) ++high;
    return {low, high};
  }
  // What is rounded is wider by 1 / 12 of the square of the step (Sheppard), and the noise is taken the less: measurements by
  // snap, latent weights after learning by h.
  double before_sd(double w) const { return grid_.sd(w) * std::sqrt(1 - rounding_); }
  double after_sd(double w) const {
    return grid_.sd(w) * std::sqrt(1 - rounding_ - LatentGrid::h * LatentGrid::h / 12);
  }

  void gather(const WeightPairs& pairs) {
    middle_.resize(n_cells_);
    for (size_t k = 0; k < n_cells_; ++k) middle_[k] = grid_.middle(first_cell_ + long(k));
    const bool many = pairs.before.size() > snap_beyond;
    if (many) rounding_ = snap * snap / 12;
    const auto rounded = [&](double v) { return many ? grid_.weight(std::round(grid_.t(v) / snap) * snap) : v; };
    std::map<std::pair<double, double>, size_t> known;
    for (size_t i = 0; i < pairs.before.size(); ++i) {
      const double v0 = rounded(pairs.before[i] / size_), v1 = rounded(pairs.after[i] / size_);
      if (many) {
        const auto [found, fresh] = known.try_emplace({v0, v1}, pairs_.size());
        of_pair_.push_back(found->second);
        if (!fresh) {
          pairs_[found->second].times += 1;
          continue;
        }
      } else {
        of_pair_.push_back(pairs_.size());
      }
      const auto [row, last_row] = within_reach(v0);
      const auto [column, last_column] = within_reach(v1);
      pairs_.push_back({.v0 = v0,
                        .v1 = v1,
                        .first_row = size_t(std::max(row - first_cell_, 0l)),
                        .n_rows = 0,
                        .first_column = size_t(std::max(column - first_cell_, 0l)),
                        .n_columns = 0});
      Pair& pair = pairs_.back();
      pair.n_rows = std::min(size_t(last_row - first_cell_), n_cells_ - 1) + 1 - pair.first_row;
      pair.n_columns = std::min(size_t(last_column - first_cell_), n_cells_ - 1) + 1 - pair.first_column;
    }
    size_t n_densities = 0, n_rows = 0;
    for (const Pair& pair : pairs_) n_densities += pair.n_rows + pair.n_columns, n_rows += pair.n_rows;
    density_.resize(n_densities);
    place_.resize(n_rows);
    double* density = density_.data();
    size_t* place = place_.data();
    for (Pair& pair : pairs_) {
      pair.before = density;
      for (size_t r = 0; r < pair.n_rows; ++r) {
        const double w = middle_[pair.first_row + r];
        *density++ = normal_density(pair.v0 - w, before_sd(w));
      }
      pair.after = density;
      for (size_t c = 0; c < pair.n_columns; ++c) {
        const double w = middle_[pair.first_column + c];
        *density++ = normal_density(pair.v1 - w, after_sd(w));
      }
      pair.at = place;
      place += pair.n_rows;
    }
  }

  // The transitions that any pair needs.
  void list_transitions() {
    struct Need {
      size_t row, first, last, place;
    };
    std::vector<Need> needs;
    needs.reserve(place_.size());
    for (const Pair& pair : pairs_)
      for (size_t r = 0; r < pair.n_rows; ++r)
        needs.push_back({pair.first_row + r, pair.first_column, pair.first_column + pair.n_columns - 1,
                         size_t(pair.at + r - place_.data())});
    std::ranges::sort(needs, {}, [](const Need& need) { return std::pair(need.row, need.first); });
    size_t n_masses = 0;
    for (const Need& need : needs) {
      if (runs_.empty() || runs_.back().row != need.row || need.first > runs_.back().last + 1) {
        runs_.push_back({need.row, need.first, need.last, n_masses});
        n_masses += need.last - need.first + 1;
      } else if (need.last > runs_.back().last) {
        n_masses += need.last - runs_.back().last;
        runs_.back().last = need.last;
      }
      place_[need.place] = runs_.back().at + need.first - runs_.back().first;
    }
    mass_.resize(n_masses);
  }

  void estimate_start() {
    std::vector<LatentMeasurement> measurements;
    for (const Pair& pair : pairs_) measurements.push_back({pair.times, pair.first_row, {pair.before, pair.n_rows}});
    start_ = start_density(measurements, n_cells_);
    log_start_ = 0;
    for (const Pair& pair : pairs_) {
      double sum = 0;
      for (size_t r = 0; r < pair.n_rows; ++r) sum += pair.before[r] * start_[pair.first_row + r];
      log_start_ += pair.times * std::log(std::max(sum, unlikely));
    }
  }

  // A first sd of the change of a weight of typical size.
  void guess(const WeightPairs& pairs) {
    double squares = 0, noise = 0;
    for (size_t i = 0; i < pairs.before.size(); ++i) {
      const double v0 = pairs.before[i] / size_, v1 = pairs.after[i] / size_;
      squares += (v1 - v0) * (v1 - v0);
      noise += 2 * noise_.sd(v0) * noise_.sd(v0);
    }
    guess_ = best_log_sd_ = std::log(std::max(squares - noise, 0.1 * noise) / n_) / 2;
  }

  void set_map(const MirrorMap& inner) {
    one_orthant_ = inner.geometry == GeometryId::neg_entropy;
    dual_edge_.resize(n_cells_ + 1);
    for (size_t k = 0; k <= n_cells_; ++k) dual_edge_[k] = grid_.edge(first_cell_ + long(k));
    to_dual(inner, int64_t(n_cells_ + 1), dual_edge_.data(), dual_edge_.data());
    dual_middle_.resize(n_cells_);
    to_dual(inner, int64_t(n_cells_), middle_.data(), dual_middle_.data());
  }

  // How far edge `column` lies from where a weight of cell `row` is expected, in sd; infinitely far below or above where it
  // cannot be reached.
  double z_of(size_t row, size_t column) const {
    if (one_orthant_) {
      const long edge = first_cell_ + long(column);
      const bool positive = first_cell_ + long(row) >= 0;
      if (positive && edge <= 0) return -infinity;
      if (!positive && edge >= 0) return infinity;
    }
    return (dual_edge_[column] - dual_middle_[row] - change_mean_) * inverse_sd_;
  }
  double lower(size_t row, size_t column) const { return normal_cdf(z_of(row, column)); }

  // P(w1 in column | w0 in row) of all runs, to mass_.
  void transitions(double mean, double sd) {
    change_mean_ = mean;
    inverse_sd_ = 1 / sd;
    const NormalTail& tail = NormalTail::table();
    for (const Run& run : runs_) {
      double z = z_of(run.row, run.first), beyond = tail(std::abs(z));
      double* mass = mass_.data() + run.at;
      for (size_t column = run.first; column <= run.last; ++column) {
        const double next = z_of(run.row, column + 1), next_beyond = tail(std::abs(next));
        *mass++ = z >= 0 ? beyond - next_beyond : next <= 0 ? next_beyond - beyond : 1 - beyond - next_beyond;
        z = next;
        beyond = next_beyond;
      }
    }
  }

  // ln f(v0, v1), summed over pairs.
  double value(double mean, double sd) {
    transitions(mean, sd);
    double sum = 0;
    for (const Pair& pair : pairs_) {
      double density = 0;
      for (size_t r = 0; r < pair.n_rows; ++r) {
        density += pair.before[r] * start_[pair.first_row + r] *
                   product(mass_.data() + pair.at[r], pair.after, pair.n_columns);
      }
      sum += pair.times * std::log(std::max(density, unlikely));
    }
    return sum;
  }

  double size_;
  Noise noise_;  // in units of size_, as are all weights here
  MeanChange mean_;
  double n_;
  LatentGrid grid_;
  double rounding_ = 0;  // variance by rounding of measurements, of that of the noise
  long first_cell_ = 0;
  size_t n_cells_ = 0;
  std::vector<double> middle_;
  std::vector<Pair> pairs_;
  std::vector<size_t> of_pair_;  // [n]
  std::vector<double> density_;
  std::vector<size_t> place_;
  std::vector<Run> runs_;
  std::vector<double> mass_, start_;
  double log_start_ = 0;
  double guess_ = 0;                                 // ln of the sd of the change of a weight of size 1
  double best_value_ = -infinity, best_log_sd_ = 0;  // of all fits so far
  // of the current geometry and change
  bool one_orthant_ = false;
  std::vector<double> dual_edge_, dual_middle_;
  double change_mean_ = 0, inverse_sd_ = 1;
};

}  // namespace

std::unique_ptr<Likelihood> noisy_likelihood(const WeightPairs& pairs, const Noise& noise, MeanChange mean) {
  if (!(noise.absolute >= 0) || !std::isfinite(noise.absolute))
    throw Error(fmt::format("noise of sd {}; 0 or more is expected", noise.absolute));
  if (!(noise.relative >= 0) || noise.relative > largest_relative_noise)
    throw Error(fmt::format("relative noise {}; 0 to {} is expected", noise.relative, largest_relative_noise));
  return std::make_unique<NoisyLikelihood>(pairs, noise, mean);
}

}  // namespace cohort::engine

#include "runner/time_estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "cohort/tangent.h"
#include "data/splits.h"
#include "runner/measure.h"
#include "runner/networks.h"
#include "runner/runner.h"

namespace cohort::engine {

namespace {

constexpr double kSeconds = 2;   // of all trials
constexpr int kMostTried = 8;    // signatures
constexpr int kImages = 1024;    // random ones in every split
constexpr size_t kCompany = 32;  // networks that are tried with one another

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// An image set of the right shape for a task that needs one.
class RandomImages {
 public:
  explicit RandomImages(const Signature& g)
      : rows_(g.n_steps),
        cols_(g.n_in),
        pixels_(size_t(3 * kImages) * size_t(rows_) * size_t(cols_)),
        labels_(3 * kImages) {
    uint32_t state = 1;
    const auto next = [&] { return (state = state * 1664525u + 1013904223u) >> 24; };
    for (uint8_t& pixel : pixels_) pixel = uint8_t(next());
    for (uint8_t& label : labels_) label = uint8_t(next() % uint32_t(g.n_out));
  }
  Dataset view() const {
    return {.pixels = pixels_.data(),
            .labels = labels_.data(),
            .rows = rows_,
            .cols = cols_,
            .first = {0, kImages, 2 * kImages},
            .count = {kImages, kImages, kImages}};
  }

 private:
  int32_t rows_, cols_;
  std::vector<uint8_t> pixels_, labels_;
};

// Some of the networks that are shown one by one, evenly spread, at least half of `most` where there are as many.
class Spread {
 public:
  explicit Spread(size_t most) : most_(std::max<size_t>(most, 2)) {}
  void add(int64_t network) {
    if (seen_++ % stride_ != 0) return;
    chosen_.push_back(network);
    if (chosen_.size() < 2 * most_) return;
    for (size_t i = 0; i < most_; ++i) chosen_[i] = chosen_[2 * i];
    chosen_.resize(most_);
    stride_ *= 2;
  }
  std::vector<int64_t> some() const {
    const size_t n = std::min(most_, chosen_.size());
    std::vector<int64_t> out;
    for (size_t i = 0; i < n; ++i) out.push_back(chosen_[i * chosen_.size() / n]);
    return out;
  }

 private:
  size_t most_;
  int64_t seen_ = 0, stride_ = 1;
  std::vector<int64_t> chosen_;
};

// Of networks of one signature that learn in groups (is_shallow): as many groups of equal data as there are workers.
std::vector<int64_t> some_groups(const Experiment& experiment, const std::vector<int64_t>& networks, int workers) {
  std::vector<ResolvedNetwork> heads;
  std::vector<size_t> members;
  std::vector<int64_t> chosen;
  for (const int64_t i : networks) {
    const ResolvedNetwork network = experiment.network(i);
    size_t group = 0;
    while (group < heads.size() &&
           !(heads[group].spec.seed == network.spec.seed && heads[group].spec.task == network.spec.task))
      ++group;
    if (group == heads.size()) {
      if (group == size_t(workers)) continue;
      heads.push_back(network);
      members.push_back(0);
    }
    if (members[group] == kCompany) continue;
    ++members[group];
    chosen.push_back(i);
  }
  return chosen;
}

// Operations of the analyses of one network at one moment, roughly: what their time is guessed by where it is too long to try.
double analysis_flop(const AnalysisSettings& settings, const ResolvedNetwork& network) {
  double flop = 0;
  const Signature& g = network.signature;
  for (const std::string& name : settings.names) {
    const Analysis* const analysis = find_analysis(name.c_str());
    for (const int k : analysed_tensors(settings, g)) {
      const Tensor t = tensor(g, k);
      const double small = std::min(t.rows, t.cols), large = std::max(t.rows, t.cols);
      if (analysis->need == Need::singular_values) flop += 4 * small * small * large;
      if (analysis->need == Need::eigenvalues && t.role == Role::recurrent) flop += 25 * small * small * small;
      if (analysis->need != Need::tangent) continue;
      const LossSteps steps = network.spec.task.loss_steps;
      const TangentForm form = tangent_form(TangentForm::cheaper, g, k, settings.kernel_trials, steps, sizeof(float));
      flop += tangent_cost(form, g, k, settings.kernel_trials, steps, sizeof(float)).flop;
    }
    if (analysis->need == Need::hidden || analysis->need == Need::representation)
      flop += 2 * settings.probe_trials * (flop_per_trial(g) + 2.0 * settings.probe_trials * g.n_hidden);
  }
  return flop;
}

// Seconds of one round, in which every worker has a network.
struct Rates {
  double step = 0, trial = 0, analysis = 0;  // a training step, an evaluated trial, the analyses at one moment
};

// Trains and evaluates these networks of one signature for about `seconds`.
Rates try_out(const Experiment& experiment, Device& device, const std::vector<int64_t>& chosen, double seconds) {
  std::vector<ResolvedNetwork> resolved;
  int64_t end = 1;
  bool needs_data = false;
  for (const int64_t i : chosen) {
    resolved.push_back(experiment.network(i));
    end = std::max(end, resolved.back().spec.steps);
    needs_data = needs_data || task_info(resolved.back().spec.task.id).needs_data == DataKind::images;
  }
  const ResolvedNetwork& first = resolved.front();
  const Signature& g = first.signature;
  const RandomImages images(g);
  const DeviceDataset data = needs_data ? DeviceDataset(device, images.view()) : DeviceDataset();
  const Networks networks(device, resolved, data.view());
  const int workers = std::max(device.info().workers, 1), n = networks.size();
  const double rounds = (n + workers - 1) / workers;

  Rates rates;
  int64_t before = 0;
  const auto train = [&](int64_t steps) {  // seconds of a step of all networks
    DeviceArray<float> loss(device, size_t(n) * size_t(steps));
    const double passed = seconds_of([&] { device.run(TrainArgs<float>{networks.view(), steps, loss.data()}); });
    int64_t done = 0;
    for (const NetState& state : networks.states()) done += state.step;
    const double steps_done = double(done - before) / n;
    before = done;
    if (steps_done > 0) rates.step = passed / steps_done / rounds;
    return passed;
  };
  double spent = 0, before_last = 0, last = 0;
  int64_t n_launches = 0;
  for (int64_t steps = 1, ahead = end; ahead > 0; steps *= 2) {  // the last, longest one counts
    steps = std::min(steps, ahead);
    ahead -= steps;
    before_last = last;
    last = train(steps);
    spent += last;
    ++n_launches;
    if (spent > seconds / 2 && !(is_shallow(g) && n_launches == 1)) break;
  }
  if (is_shallow(g) &&
      n_launches > 1) {  // launches may start by drawing all data, and of a whole training there are few
    const double step = std::max((last - before_last) / double(int64_t(1) << (n_launches - 2)), 1e-3 * last);
    const double start = std::max(2 * before_last - last, 0.0);
    rates.step = (step + start / double(end)) / rounds;
  }

  const EvalSettings& eval = experiment.settings().eval;
  DeviceArray<double> loss(device, size_t(n)), accuracy(device, size_t(n));
  spent = 0;
  const int64_t most = std::max<int64_t>(planned_trials(experiment.settings(), first), 1);
  for (int64_t trials = g.batch;; trials *= 2) {
    trials = std::min(trials, most);
    const double passed = seconds_of([&] {
      device.run(EvaluateArgs<float>{networks.view(), int32_t(trials), eval.split, loss.data(), accuracy.data()});
    });
    rates.trial = passed / double(trials) / rounds;
    spent += passed;
    if (trials == most || spent > seconds / 4) break;
  }

  // Now and at the start, as at the end of a run.
  const AnalysisSettings& analysis = experiment.settings().analysis;
  const Measures measures(analysis, g);
  const double guess =
      4 * 2 * analysis_flop(analysis, first) * rates.step / flop_per_step(g);  // a quarter of the speed
  if (guess * rounds > seconds)
    rates.analysis = guess / 2;
  else if (!measures.list().empty())
    rates.analysis = seconds_of([&] { measures.finish(measures.begin(device, networks, true)); }) / 2 / rounds;
  return rates;
}

// All networks of one signature.
struct Kind {
  explicit Kind(size_t most) : networks(most) {}
  Spread networks;
  std::vector<int64_t> groups;                // of networks that learn in groups: which are tried
  double flop = 0;                            // of training
  double steps = 0, trials = 0, moments = 0;  // rounds of a training step, an evaluated trial, an analysis
  Rates rates;
};

}  // namespace

int64_t n_evaluations(const EvalSettings& settings, int64_t steps) {
  return 1 + (settings.every > 0 && steps > 0 ? (steps - 1) / settings.every : 0);
}

int64_t n_snapshots(const AnalysisSettings& settings, int64_t steps) {
  int64_t n = settings.every > 0 && steps > 0 ? (steps - 1) / settings.every : 0;
  if (settings.at == AnalysisSchedule::log)
    for (int64_t s = 1; s < steps; s *= 2) n += settings.every == 0 || s % settings.every != 0;
  return n;
}

double flop_per_trial(const Signature& signature) {
  double weights = 0;
  for (int k = 0; k < n_tensors(signature); ++k) {
    const Tensor t = tensor(signature, k);
    if (is_weights(t.role)) weights += double(t.rows) * t.cols;
  }
  return 2 * weights * signature.n_steps;
}

TimeEstimate estimate_time(const Experiment& experiment, const std::vector<std::vector<int64_t>>& together,
                           Device& device) {
  const RunSettings& settings = experiment.settings();
  const int workers = std::max(device.info().workers, 1);
  const size_t most = size_t(std::max(workers, std::min(4 * workers, 16)));
  std::map<Signature, Kind> kinds;
  for (const std::vector<int64_t>& networks : together) {
    const Signature signature = experiment.network(networks.front()).signature;
    Kind& kind = kinds.try_emplace(signature, most).first->second;
    if (is_shallow(signature) && kind.groups.empty()) kind.groups = some_groups(experiment, networks, workers);
    const size_t fit = size_t(networks_per_cohort(device, signature, settings, any_adam(experiment, networks)));
    for (size_t first = 0; first < networks.size(); first += fit) {
      const size_t count = std::min(fit, networks.size() - first);
      double steps = 0;
      int64_t end = 0;  // analyses and evaluations go on to the end of the longest
      for (size_t i = first; i < first + count; ++i) {
        const ResolvedNetwork network = experiment.network(networks[i]);
        kind.networks.add(networks[i]);
        kind.flop += training_flop(network);
        steps += double(network.spec.steps);
        end = std::max(end, network.spec.steps);
      }
      const double rounds = double((count + size_t(workers) - 1) / size_t(workers));
      kind.steps += rounds * steps / double(count);
      kind.trials += rounds * double(n_evaluations(settings.eval, end)) *
                     double(planned_trials(settings, experiment.network(networks[first])));
      kind.moments += rounds * (2 + double(n_snapshots(settings.analysis, end)));
    }
  }

  std::vector<std::pair<const Signature, Kind>*> order;
  for (auto& kind : kinds) order.push_back(&kind);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return a->second.flop > b->second.flop; });
  const size_t n_tried = std::min<size_t>(order.size(), kMostTried);
  for (size_t i = 0; i < n_tried; ++i) {
    Kind& kind = order[i]->second;
    kind.rates = try_out(experiment, device, kind.groups.empty() ? kind.networks.some() : kind.groups,
                         kSeconds / double(n_tried));
  }
  for (size_t i = n_tried; i < order.size(); ++i) {
    const double flop = flop_per_step(order[i]->first);
    const auto distance = [&](const auto* tried) { return std::abs(std::log(flop_per_step(tried->first) / flop)); };
    const auto* nearest = *std::min_element(order.begin(), order.begin() + ptrdiff_t(n_tried),
                                            [&](const auto* a, const auto* b) { return distance(a) < distance(b); });
    const double larger = flop / flop_per_step(nearest->first);
    const Rates& rates = nearest->second.rates;
    order[i]->second.rates = {larger * rates.step,
                              rates.trial * flop_per_trial(order[i]->first) / flop_per_trial(nearest->first),
                              larger * rates.analysis};
  }

  TimeEstimate estimate;
  for (const auto& [signature, kind] : kinds) {
    estimate.training += kind.steps * kind.rates.step;
    estimate.evaluation += kind.trials * kind.rates.trial;
    estimate.analysis += kind.moments * kind.rates.analysis;
  }
  return estimate;
}

}  // namespace cohort::engine

#include "runner/runner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <set>

#include "cohort/error.h"
#include "data/splits.h"
#include "device/out_of_memory.h"
#include "runner/measure.h"
#include "runner/networks.h"

namespace cohort::engine {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Work between two looks at the clock and the stop flag: about a second.
double boundary_flop(const Device& device) {
  return device.info().backend == "cpu" ? 1e11 * device.info().workers : 2e13;
}

// The steps at which something besides training happens, in order; the last is the end.
std::vector<int64_t> schedule(const AnalysisSettings& analysis, int64_t steps) {
  std::set<int64_t> at;
  if (analysis.at == AnalysisSchedule::log)
    for (int64_t s = 1; s < steps; s *= 2) at.insert(s);
  if (analysis.every > 0)
    for (int64_t s = analysis.every; s < steps; s += analysis.every) at.insert(s);
  return {at.begin(), at.end()};
}

std::vector<int64_t> multiples(int64_t every, int64_t first, int64_t end) {
  std::vector<int64_t> steps;
  if (every > 0)
    for (int64_t s = first; s < end; s += every) steps.push_back(s);
  return steps;
}

// Fills the rows [first, first + size) of a unit's result from one launch's worth of networks.
class CohortRun {
 public:
  CohortRun(const RunContext& context, const Dataset& data, std::span<const ResolvedNetwork> networks,
            std::vector<const float*> starts, int64_t end, size_t first, UnitResult& result, double& flop_done)
      : context_(context),
        settings_(context.experiment.settings()),
        networks_(context.device, networks, data, std::move(starts)),
        measures_(settings_.analysis, networks_.signature()),
        last_(size_t(networks_.size())),
        end_(end),
        first_(first),
        n_nets_(result.net.size()),
        result_(result),
        flop_done_(flop_done) {
    for (const Split split : evaluated_splits(settings_.eval)) {
      Evaluated e{split, {}};
      for (const ResolvedNetwork& n : networks)
        e.trials.push_back(evaluated_trials(settings_.eval, n, context.data, split));
      evaluated_.push_back(std::move(e));
    }
    if (settings_.until.on()) {
      const EvalSettings all_of{.split = Split::train, .also = {}};
      for (const ResolvedNetwork& n : networks)
        learned_.trials.push_back(evaluated_trials(all_of, n, context.data, Split::train));
    }
  }

  // False when stopped.
  bool run() {
    declare();
    const std::vector<int64_t> snapshots = schedule(settings_.analysis, end_),
                               evaluations = multiples(settings_.eval.every, settings_.eval.every, end_);
    std::set<int64_t> boundaries(snapshots.begin(), snapshots.end());
    boundaries.insert(evaluations.begin(), evaluations.end());
    boundaries.insert(end_);
    for (const int64_t boundary : boundaries) {
      if (!train_until(boundary)) return false;
      if (boundary == end_) break;
      if (std::binary_search(snapshots.begin(), snapshots.end(), boundary)) snapshot();
      if (std::binary_search(evaluations.begin(), evaluations.end(), boundary)) record(evaluate());
    }
    finish(!snapshots.empty());
    return true;
  }

 private:
  // Columns, series and arrays of the unit, in a fixed order; made by its first launch.
  void declare() {
    if (!result_.columns.empty()) return;
    const auto column = [&](const std::string& name, const std::string& doc) {
      result_.columns.push_back({name, doc, std::vector<double>(n_nets_, kNone)});
    };
    const auto series = [&](const std::string& name, const std::string& doc, std::vector<int64_t> steps) {
      if (!steps.empty())
        result_.series.push_back({name, doc, steps, std::vector<double>(n_nets_ * steps.size(), kNone)});
    };
    for (const Evaluated& e : evaluated_) {
      column("final.loss" + suffix(e), "mean loss on the " + of_split(e) + "evaluation trials at the end");
      column("final.accuracy" + suffix(e),
             "fraction of right decisions on the " + of_split(e) + "evaluation trials at the end");
    }
    if (const int n = settings_.eval.mean_of) {
      const std::string of = ", mean over the last " + std::to_string(n) + " evaluations of the training";
      column("final.loss.mean_last", "mean loss on the evaluation trials" + of);
      column("final.accuracy.mean_last", "fraction of right decisions on the evaluation trials" + of);
    }
    if (settings_.until.on()) {
      column("train.steps_used", "training steps of the last run, which all other results are of");
      column("train.solved",
             "whether the training trials were learned as train.until_loss or train.until_accuracy asks");
    }
    for (const auto& m : measures_.list()) {
      if (!m.comparison) column(m.name + ".initial", m.doc + ", at the start");
      column(m.name + ".final", m.doc + ", at the end");
    }
    series("loss", "training loss before the update of the step", multiples(settings_.output.history_every, 0, end_));
    std::vector<int64_t> evaluations = multiples(settings_.eval.every, settings_.eval.every, end_);
    if (!evaluations.empty()) evaluations.push_back(end_);
    for (const Evaluated& e : evaluated_) {
      series("eval.loss" + suffix(e), "mean loss on the " + of_split(e) + "evaluation trials", evaluations);
      series("eval.accuracy" + suffix(e), "fraction of right decisions on the " + of_split(e) + "evaluation trials",
             evaluations);
    }
    std::vector<int64_t> snapshots = schedule(settings_.analysis, end_);
    if (!snapshots.empty()) {
      snapshots.insert(snapshots.begin(), 0);
      snapshots.push_back(end_);
    }
    for (const auto& m : measures_.list()) series(m.name, m.doc, snapshots);
  }

  UnitResult::Column& column(const std::string& name) {
    return *std::find_if(result_.columns.begin(), result_.columns.end(), [&](const auto& c) { return c.name == name; });
  }
  UnitResult::Series* find_series(const std::string& name) {
    const auto it =
        std::find_if(result_.series.begin(), result_.series.end(), [&](const auto& s) { return s.name == name; });
    return it == result_.series.end() ? nullptr : &*it;
  }
  void record(UnitResult::Series* series, size_t net, size_t index, double value) {
    if (series) series->value[(first_ + net) * series->step.size() + index] = value;
  }

  bool train_until(int64_t boundary) {
    const double flop = flop_per_step(networks_.signature()) * networks_.size();
    UnitResult::Series* const history = find_series("loss");
    while (step_ < boundary) {
      if (context_.stop && *context_.stop) return false;
      const int64_t most_stored = std::max<int64_t>(1, (int64_t(64) << 20) / networks_.size());
      const int64_t steps = std::clamp<int64_t>(int64_t(boundary_flop(context_.device) / flop), 1,
                                                std::min(most_stored, boundary - step_));
      DeviceArray<float> loss(context_.device, size_t(networks_.size()) * size_t(steps));
      context_.device.run(TrainArgs<float>{networks_.view(), steps, loss.data()});
      if (history) {
        const std::vector<float> values = loss.download();
        const int64_t every = settings_.output.history_every;
        for (int64_t s = (step_ + every - 1) / every * every; s < step_ + steps; s += every)
          for (size_t i = 0; i < size_t(networks_.size()); ++i)
            record(history, i, size_t(s / every), double(values[i * size_t(steps) + size_t(s - step_)]));
      }
      step_ += steps;
      flop_done_ += flop * double(steps);
      if (context_.progress) context_.progress(flop * double(steps));
    }
    return true;
  }

  // A split that networks are evaluated on: eval.split first, whose names are the plain ones.
  struct Evaluated {
    Split split;
    std::vector<int32_t> trials;  // of each network
  };
  std::string suffix(const Evaluated& e) const {
    return e.split == settings_.eval.split ? "" : std::string(".") + split_name(e.split);
  }
  std::string of_split(const Evaluated& e) const {
    return e.split == settings_.eval.split ? "" : std::string(split_name(e.split)) + " split's ";
  }

  struct Evaluation {
    std::vector<double> loss, accuracy;
  };
  // One launch, but for networks of one signature whose tasks have other numbers of samples.
  Evaluation evaluate(const Evaluated& e) {
    const size_t n = size_t(networks_.size());
    DeviceArray<double> loss(context_.device, n), accuracy(context_.device, n);
    for (size_t first = 0, end = 0; first < n; first = end) {
      for (end = first + 1; end < n && e.trials[end] == e.trials[first];) ++end;
      context_.device.run(EvaluateArgs<float>{networks_.view(int(first), int(end - first)), e.trials[first], e.split,
                                              loss.data() + first, accuracy.data() + first});
    }
    return {loss.download(), accuracy.download()};
  }
  std::vector<Evaluation> evaluate() {
    std::vector<Evaluation> evaluations;
    for (const Evaluated& e : evaluated_) evaluations.push_back(evaluate(e));
    return evaluations;
  }
  void record(const std::vector<Evaluation>& evaluations) {
    for (size_t s = 0; s < evaluations.size(); ++s)
      for (size_t i = 0; i < evaluations[s].loss.size(); ++i) {
        record(find_series("eval.loss" + suffix(evaluated_[s])), i, evaluation_index_, evaluations[s].loss[i]);
        record(find_series("eval.accuracy" + suffix(evaluated_[s])), i, evaluation_index_, evaluations[s].accuracy[i]);
      }
    ++evaluation_index_;
    if (step_ < end_) keep_last(evaluations[0]);
  }
  // The last evaluations of each network's own training; after its end there is only that at its end.
  void keep_last(const Evaluation& e) {
    const size_t most = size_t(settings_.eval.mean_of);
    if (most == 0) return;
    for (size_t i = 0; i < last_.size(); ++i) {
      if (step_ < end_ && step_ >= networks_.spec(int(i)).steps) continue;
      Evaluation& last = last_[i];
      if (last.loss.size() == most) {
        last.loss.erase(last.loss.begin());
        last.accuracy.erase(last.accuracy.begin());
      }
      last.loss.push_back(e.loss[i]);
      last.accuracy.push_back(e.accuracy[i]);
    }
  }
  // No value where one of them is none.
  static double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double v : values) sum += v;
    return std::isfinite(sum) ? sum / double(values.size()) : kNone;
  }
  // Spectra go on beside the training up to the next snapshot.
  void snapshot() {
    record_pending();
    pending_ = measures_.begin(context_.device, networks_, false);
  }
  void record_pending() {
    if (!pending_) return;
    record(measures_.finish(std::move(*pending_)).now);
    pending_.reset();
  }
  void record(const std::vector<double>& values) {
    for (size_t m = 0; m < measures_.list().size(); ++m) {
      UnitResult::Series* const series = find_series(measures_.list()[m].name);
      for (size_t i = 0; i < size_t(networks_.size()); ++i)
        record(series, i, snapshot_index_, values[m * size_t(networks_.size()) + i]);
    }
    ++snapshot_index_;
  }

  void finish(bool snapshots) {
    record_pending();
    const std::vector<NetState> states = networks_.states();
    const std::vector<Evaluation> evaluations = evaluate();
    if (find_series("eval.loss")) record(evaluations);
    keep_last(evaluations[0]);
    const Measures::Values values = measures_.finish(measures_.begin(context_.device, networks_, true));
    const size_t n = size_t(networks_.size());
    for (size_t i = 0; i < n; ++i) {
      result_.diverged_at[first_ + i] = states[i].diverged_at >= 0              ? states[i].diverged_at
                                        : std::isfinite(evaluations[0].loss[i]) ? -1
                                                                                : states[i].step;
      result_.overflowed_at[first_ + i] = states[i].overflowed_at;
    }
    const auto fill = [&](const std::string& name, auto value) {
      UnitResult::Column& c = column(name);
      for (size_t i = 0; i < n; ++i) c.value[first_ + i] = result_.diverged_at[first_ + i] < 0 ? value(i) : kNone;
    };
    for (size_t s = 0; s < evaluations.size(); ++s) {
      fill("final.loss" + suffix(evaluated_[s]), [&](size_t i) { return evaluations[s].loss[i]; });
      fill("final.accuracy" + suffix(evaluated_[s]), [&](size_t i) { return evaluations[s].accuracy[i]; });
    }
    if (settings_.eval.mean_of > 0) {
      fill("final.loss.mean_last", [&](size_t i) { return mean(last_[i].loss); });
      fill("final.accuracy.mean_last", [&](size_t i) { return mean(last_[i].accuracy); });
    }
    if (settings_.until.on()) {
      const Evaluation training = evaluate(learned_);
      const UntilSettings& until = settings_.until;
      const auto solved = [&](size_t i) {
        return !(until.loss > 0 && !(training.loss[i] < until.loss)) &&
               !(until.accuracy > 0 && !(training.accuracy[i] >= until.accuracy));
      };
      fill("train.steps_used", [&](size_t i) { return double(networks_.spec(int(i)).steps); });
      fill("train.solved", [&](size_t i) { return solved(i) ? 1.0 : 0.0; });
    }
    for (size_t m = 0; m < measures_.list().size(); ++m) {
      const auto& measure = measures_.list()[m];
      if (!measure.comparison) fill(measure.name + ".initial", [&](size_t i) { return values.start[m * n + i]; });
      fill(measure.name + ".final", [&](size_t i) { return values.now[m * n + i]; });
    }
    if (snapshots) {
      record(values.now);
      snapshot_index_ = 0;
      record(values.start);
    }
    for (const auto& s : values.spectra) {
      keep(s.name + ".initial", s.doc, s.dims, s.shape, s.start);
      keep(s.name + ".final", s.doc, s.dims, s.shape, s.now);
    }
    keep_weights();
    if (!settings_.output.parameters) return;
    std::vector<float> theta(n * n_params(networks_.signature()));
    context_.device.download(theta.data(), networks_.view().theta, theta.size() * sizeof(float));
    keep("parameters", "parameters at the end, in the order of the network's tensors", {"parameter"},
         {int64_t(n_params(networks_.signature()))}, theta);
  }

  void keep_weights() {
    if (settings_.output.weights == KeptWeights::none) return;
    const DeviceArray<float> start = networks_.start(0, networks_.size());
    for (int k = 0; k < n_tensors(networks_.signature()); ++k) {
      const Tensor t = tensor(networks_.signature(), k);
      if (t.size() == 0) continue;
      const std::string name = "weights." + tensor_name(networks_.signature(), k);
      const int cols = effective_cols(t);
      DeviceArray<float> weights(context_.device, size_t(networks_.size()) * size_t(t.rows) * size_t(cols));
      const auto effective = [&](float* theta) {
        Cohort<float> cohort = networks_.view();
        cohort.theta = theta;
        context_.device.run(EffectiveArgs<float>{cohort, k, weights.data()});
        return weights.download();
      };
      const std::vector<std::string> dims = {"to", "from"};
      if (settings_.output.weights == KeptWeights::all)
        keep(name + ".initial", "effective weights at the start", dims, {t.rows, cols}, effective(start.data()));
      keep(name + ".final", "effective weights at the end", dims, {t.rows, cols}, effective(networks_.view().theta));
    }
  }

  void keep(const std::string& name, const std::string& doc, const std::vector<std::string>& dims,
            const std::vector<int64_t>& shape, const std::vector<float>& value) {
    auto it = std::find_if(result_.arrays.begin(), result_.arrays.end(), [&](const auto& a) { return a.name == name; });
    const size_t per_network = value.size() / size_t(networks_.size());
    if (it == result_.arrays.end())
      it = result_.arrays.insert(it, {name, doc, dims, shape, std::vector<float>(n_nets_ * per_network)});
    std::copy(value.begin(), value.end(), it->value.begin() + ptrdiff_t(first_ * per_network));
  }

  const RunContext& context_;
  const RunSettings& settings_;
  Networks networks_;
  Measures measures_;
  std::vector<Evaluated> evaluated_;
  Evaluated learned_{Split::train, {}};  // what train.until_loss looks at; no trials where it is off
  std::vector<Evaluation> last_;         // of each network, eval.mean_of of them at most
  std::optional<Measures::Pending> pending_;
  int64_t end_;
  size_t first_, n_nets_;
  UnitResult& result_;
  double& flop_done_;
  int64_t step_ = 0;
  size_t evaluation_index_ = 0, snapshot_index_ = 1;  // entry 0 of a snapshot series is the start
};

}  // namespace

double training_flop(const ResolvedNetwork& network) {
  return flop_per_step(network.signature) * double(network.spec.steps);
}

double most_runs(const UntilSettings& until) {
  const double runs = until.on() ? 1 + until.extensions : 1;
  return runs * (runs + 1) / 2;
}

bool any_adam(const Experiment& experiment, const std::vector<int64_t>& networks) {
  return std::any_of(networks.begin(), networks.end(), [&](int64_t i) { return has_adam(experiment.network(i).spec); });
}

size_t bytes_per_network(const Signature& signature, const RunSettings& settings, bool adam) {
  const size_t params = n_params(signature), hidden = size_t(signature.n_layers) * size_t(signature.n_hidden) *
                                                      size_t(settings.analysis.probe_trials);
  return params * ((adam ? 6 : 5) * sizeof(float) + 2) + 2 * hidden * sizeof(float) + sizeof(NetSpec) +
         sizeof(NetState) + 4096;
}

int64_t networks_per_cohort(const Device& device, const Signature& signature, const RunSettings& settings, bool adam) {
  const int64_t fit =
      std::max<int64_t>(1, int64_t(device.info().memory_bytes / 2 / bytes_per_network(signature, settings, adam)));
  if (!is_shallow(signature)) return fit;
  // A launch may begin by drawing all data, so a second's work should be many steps of fewer networks.
  constexpr double steps_per_launch = 50, least = 64;
  const double enough = boundary_flop(device) / (steps_per_launch * flop_per_step(signature));
  return std::min(fit, int64_t(std::max(least * device.info().workers, enough)));
}

namespace {

// All of them for `times` their steps.
std::optional<UnitResult> run_once(const RunContext& context, const std::vector<int64_t>& networks, int64_t times) {
  UnitResult result;
  result.net = networks;
  result.diverged_at.assign(networks.size(), -1);
  result.overflowed_at.assign(networks.size(), -1);
  std::vector<ResolvedNetwork> resolved;
  for (const int64_t i : networks) {
    resolved.push_back(context.experiment.network(i));
    resolved.back().spec.steps *= times;
  }
  std::vector<const float*> starts;
  if (context.starts) starts = context.starts->of(networks);
  if (starts.empty() && !context.experiment.settings().source.run.empty())
    throw Error("starts are those of init.from, which was not loaded");
  int64_t end = 0;
  for (const ResolvedNetwork& n : resolved) end = std::max(end, n.spec.steps);
  const DeviceDataset data(context.device, context.data);
  size_t fit = size_t(networks_per_cohort(context.device, resolved.front().signature, context.experiment.settings(),
                                          any_adam(context.experiment, networks)));
  for (size_t first = 0; first < resolved.size();) {
    const size_t count = std::min(fit, resolved.size() - first);
    double flop_done = 0;
    std::string why;  // there was too little memory
    try {
      std::vector<const float*> some;
      if (!starts.empty()) some.assign(starts.begin() + ptrdiff_t(first), starts.begin() + ptrdiff_t(first + count));
      CohortRun cohort(context, data.view(), std::span(resolved).subspan(first, count), std::move(some), end, first,
                       result, flop_done);
      if (!cohort.run()) return std::nullopt;
    } catch (const CudaError& e) {
      if (!is_out_of_memory(e)) throw;
      why = e.what();
    } catch (const std::bad_alloc&) {
      why = "allocation in the host's memory";
    }
    if (why.empty()) {
      first += count;
      continue;
    }
    if (count == 1)
      throw CudaError(out_of_memory_code,
                      "network " + std::to_string(networks[first]) + " does not fit into memory, even alone: " + why);
    if (context.progress) context.progress(-flop_done);
    context.device.release_scratch();
    fit = count / 2;
  }
  return result;
}

// Networks of a unit that are to be trained for longer.
std::vector<int64_t> unsolved(const UnitResult& result) {
  std::vector<int64_t> networks;
  for (const UnitResult::Column& column : result.columns)
    for (size_t i = 0; i < result.net.size() && column.name == "train.solved"; ++i)
      if (column.value[i] == 0) networks.push_back(result.net[i]);
  return networks;
}

}  // namespace

std::optional<std::vector<UnitResult>> run_units(const RunContext& context,
                                                 const std::vector<std::vector<int64_t>>& units) {
  const auto flop_of = [&](const std::vector<int64_t>& networks) {
    double flop = 0;
    for (const int64_t i : networks) flop += training_flop(context.experiment.network(i));
    return flop;
  };
  std::vector<std::vector<int64_t>> wanted = units;  // of each unit
  std::vector<UnitResult> results;
  const UntilSettings& until = context.experiment.settings().until;
  for (int times = 1; times <= (until.on() ? 1 + until.extensions : 1); ++times) {
    std::vector<int64_t> networks;
    for (size_t u = 0; u < units.size(); ++u) {
      if (times > 1) wanted[u] = unsolved(results[u]);
      if (times > 1 && context.progress) context.progress(times * (flop_of(units[u]) - flop_of(wanted[u])));
      networks.insert(networks.end(), wanted[u].begin(), wanted[u].end());
    }
    if (networks.empty()) continue;
    const std::optional<UnitResult> run = run_once(context, networks, times);
    if (!run) return std::nullopt;
    size_t first = 0;
    for (size_t u = 0; u < units.size(); first += wanted[u++].size()) {
      UnitResult part = rows(*run, first, wanted[u].size());
      if (times == 1)
        results.push_back(std::move(part));
      else if (!wanted[u].empty())
        replace_rows(results[u], part);
    }
  }
  return results;
}

std::optional<UnitResult> run_networks(const RunContext& context, const std::vector<int64_t>& networks) {
  std::optional<std::vector<UnitResult>> results = run_units(context, {networks});
  if (!results) return std::nullopt;
  return std::move(results->front());
}

}  // namespace cohort::engine

#include "runner/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "analysis/analysis.h"
#include "cohort/error.h"
#include "cohort/tangent.h"
#include "data/splits.h"
#include "run/units.h"
#include "runner/measure.h"
#include "runner/runner.h"
#include "runner/together.h"

namespace cohort::engine {

namespace {

bool has_need(const AnalysisSettings& analysis, Need need) {
  return std::any_of(analysis.names.begin(), analysis.names.end(), [need](const std::string& name) {
    const Analysis* const a = find_analysis(name.c_str());
    return a && a->need == need;
  });
}

int64_t kernel_rows(const ResolvedNetwork& n, int trials) {
  return int64_t(trials) * n.signature.n_out * (n.spec.task.loss_steps == LossSteps::last ? 1 : n.signature.n_steps);
}

// Scratch of kernels for `count` networks, the largest of their tensors'.
size_t kernel_scratch(const Device& device, const AnalysisSettings& analysis, const Signature& signature,
                      LossSteps loss_steps, int count) {
  size_t most = 0;
  for (const int k : analysed_tensors(analysis, signature)) {
    TangentArgs<float> tangent;
    tangent.cohort.signature = signature;
    tangent.trials = analysis.kernel_trials;
    tangent.tensor = k;
    tangent.loss_steps = loss_steps;
    most = std::max(most, device.tangent_workspace(tangent, count));
  }
  return most;
}

// Of changes in dual spaces, likewise; logarithms of weights take no more.
size_t dual_change_scratch(const Device& device, const AnalysisSettings& analysis, const Signature& signature,
                           int count) {
  size_t most = 0;
  for (const int k : analysed_tensors(analysis, signature)) {
    const Tensor t = tensor(signature, k);
    DualChangeArgs change;
    change.n_potentials = int32_t(analysis.candidates.size()) + 1;
    change.n = int64_t(t.rows) * t.cols;
    most = std::max(most, device.dual_change_workspace(change, count));
  }
  return most;
}

std::string forms_text(const std::set<TangentForm>& forms) {
  std::string text;
  for (const TangentForm form : forms)
    text += std::string(text.empty() ? "" : " and ") + (form == TangentForm::factored ? "factored" : "by columns");
  return text;
}

size_t disk_per_network(const Signature& signature, const RunSettings& settings, size_t n_measures, int64_t steps) {
  if (settings.until.on()) steps *= 1 + settings.until.extensions;
  size_t bytes = 64 + 2 * 8 * (n_measures + 2);
  if (settings.output.history_every > 0) bytes += 8 * size_t(steps / settings.output.history_every + 1);
  if (settings.analysis.every > 0) bytes += 8 * n_measures * size_t(steps / settings.analysis.every + 2);
  const size_t weights = n_params(signature) * 4;
  if (settings.output.parameters) bytes += weights;
  return bytes + (settings.output.weights == KeptWeights::all     ? 2 * weights
                  : settings.output.weights == KeptWeights::final ? weights
                                                                  : 0);
}

std::string bytes_text(size_t bytes) {
  const char* unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = double(bytes);
  int i = 0;
  for (; value >= 1024 && i < 4; ++i) value /= 1024;
  return fmt::format("{:.{}f} {}", value, i == 0 || value >= 100 ? 0 : 1, unit[i]);
}

}  // namespace

void refuse_untrainable(const Experiment& experiment, const Device& device) {
  for (const Unit& unit : cut_units(experiment)) static_cast<void>(device.training_program(unit.signature));
}

Plan make_plan(const Experiment& experiment, Device* device) {
  const RunSettings& settings = experiment.settings();
  Plan plan;
  plan.n_networks = experiment.size();
  plan.most_runs = most_runs(settings.until);
  const bool kernels = has_need(settings.analysis, Need::tangent);
  struct Kind {
    size_t n_measures;
    LossSteps loss_steps = LossSteps::last;  // `all` if one of the networks is not `last`
  };
  std::map<Signature, Kind> kinds;
  for (int64_t i = 0; i < experiment.size(); ++i) {
    const ResolvedNetwork n = experiment.network(i);
    plan.training_flop += training_flop(n);
    plan.evaluation_flop += flop_per_trial(n.signature) * double(planned_trials(settings, n)) *
                            double(n_evaluations(settings.eval, n.spec.steps));
    ++plan.precisions[n.signature.precision];
    auto kind = kinds.find(n.signature);
    if (kind == kinds.end())
      kind = kinds.emplace(n.signature, Kind{Measures(settings.analysis, n.signature).list().size()}).first;
    const LossSteps loss_steps = n.spec.task.loss_steps;
    if (loss_steps != LossSteps::last) kind->second.loss_steps = LossSteps::all;
    plan.disk_bytes += disk_per_network(n.signature, settings, kind->second.n_measures, n.spec.steps);
    if (kernels) {
      const int64_t rows = kernel_rows(n, settings.analysis.kernel_trials);
      if (rows > settings.analysis.max_kernel_rows)
        throw Error(fmt::format(
            "network {}: its tangent kernel has {} rows ({} trials x {} steps x {} outputs), more than "
            "analysis.max_kernel_rows = {}; "
            "lower analysis.kernel_trials or raise the limit",
            i, rows, settings.analysis.kernel_trials, rows / settings.analysis.kernel_trials / n.signature.n_out,
            n.signature.n_out, settings.analysis.max_kernel_rows));
      plan.kernel_rows = std::max(plan.kernel_rows, rows);
      double flop = 0;
      for (const int k : analysed_tensors(settings.analysis, n.signature)) {
        const int trials = settings.analysis.kernel_trials;
        const TangentForm form = tangent_form(TangentForm::cheaper, n.signature, k, trials, loss_steps, sizeof(float));
        plan.kernel_forms.insert(form);
        flop += tangent_cost(form, n.signature, k, trials, loss_steps, sizeof(float)).flop;
      }
      plan.kernel_flop = std::max(plan.kernel_flop, flop);
    }
  }
  plan.n_signatures = int(kinds.size());
  std::vector<std::vector<int64_t>> units;
  for (const Unit& unit : cut_units(experiment)) units.push_back(from_ranges(unit.networks));
  plan.n_units = int64_t(units.size());
  if (!device) return plan;
  std::vector<std::vector<int64_t>> together;
  for (const std::vector<size_t>& group : trained_together(experiment, units, device->info().workers))
    together.push_back(networks_of(units, group));
  for (const std::vector<int64_t>& networks : together) {
    const Signature signature = experiment.network(networks.front()).signature;
    const bool adam = any_adam(experiment, networks);
    const int64_t count = int64_t(networks.size()), fit = networks_per_cohort(*device, signature, settings, adam);
    plan.n_cohorts += (count + fit - 1) / fit;
    const int in_cohort = int(std::min(count, fit));
    plan.programs[device->training_program(signature)] += count;
    TrainArgs<float> train;
    train.cohort.signature = signature;
    const auto kernel_bytes = [&](int n_nets) {
      const LossSteps loss_steps = kinds.at(signature).loss_steps;
      return kernels ? kernel_scratch(*device, settings.analysis, signature, loss_steps, n_nets) : 0;
    };
    plan.kernel_bytes = std::max(plan.kernel_bytes, kernel_bytes(1));
    size_t scratch = std::max(device->train_workspace(train, in_cohort), kernel_bytes(in_cohort));
    if (has_need(settings.analysis, Need::dual_change) || has_need(settings.analysis, Need::log_weights))
      scratch = std::max(scratch, dual_change_scratch(*device, settings.analysis, signature, in_cohort));
    plan.memory_bytes =
        std::max(plan.memory_bytes, size_t(in_cohort) * bytes_per_network(signature, settings, adam) + scratch);
  }
  plan.time = estimate_time(experiment, together, *device);
  return plan;
}

std::string plan_text(const Plan& plan, const Device::Info& device) {
  std::string text = fmt::format(
      "networks    {}\nunits       {}\ncohorts     {} of {} signature{}\nwork        {:.3g} FLOP of training, {:.3g} "
      "of "
      "evaluation\n",
      plan.n_networks, plan.n_units, plan.n_cohorts, plan.n_signatures, plan.n_signatures == 1 ? "" : "s",
      plan.training_flop, plan.evaluation_flop);
  if (plan.most_runs > 1)
    text += fmt::format("extended    up to {:.3g} FLOP of training, {:.0f} times that, where networks do not learn\n",
                        plan.most_runs * plan.training_flop, plan.most_runs);
  text += fmt::format("device      {} ({}, {} worker{})\n", device.name, device.isa, device.workers,
                      device.workers == 1 ? "" : "s");
  if (plan.precisions.size() > 1 || !plan.precisions.contains(Precision::fp32))
    for (const auto& [precision, count] : plan.precisions)
      text += fmt::format("precision   {}: {} network{}\n", info(precision).name, count, count == 1 ? "" : "s");
  for (const auto& [program, count] : plan.programs)
    text += fmt::format("program     {}: {} network{}\n", program, count, count == 1 ? "" : "s");
  if (plan.time.total() > 0)
    text += fmt::format("time        about {}: {} of training, {} of evaluation, {} of analysis\n",
                        duration_text(plan.time.total()), duration_text(plan.time.training),
                        duration_text(plan.time.evaluation), duration_text(plan.time.analysis));
  text += fmt::format("memory      {}\ndisk        {}\n", bytes_text(plan.memory_bytes), bytes_text(plan.disk_bytes));
  if (plan.kernel_rows)
    text += fmt::format("kernels     {} rows at most, {}: {:.3g} FLOP a network, {} a worker\n", plan.kernel_rows,
                        forms_text(plan.kernel_forms), plan.kernel_flop, bytes_text(plan.kernel_bytes));
  return text;
}

std::string duration_text(double seconds) {
  if (seconds < 100) return fmt::format("{:.{}f} s", seconds, seconds < 10 ? 1 : 0);
  const int64_t minutes = int64_t(seconds / 60 + 0.5);
  if (minutes < 100) return fmt::format("{} min", minutes);
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

}  // namespace cohort::engine

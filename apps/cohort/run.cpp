#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "cohort/error.h"
#include "commands.h"
#include "data/data_set.h"
#include "run/directory.h"
#include "run/export.h"
#include "run/summary.h"
#include "runner/plan.h"
#include "runner/runner.h"
#include "runner/together.h"

namespace cohort::app {

namespace {

using namespace cohort::engine;

std::atomic<bool> stop_asked{false};
void on_signal(int) {
  if (stop_asked.exchange(true)) _exit(interrupted);  // the second time: at once
}
void install_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

// One line that is rewritten on a terminal; a plain line now and then without one.
class Progress {
 public:
  Progress(double total_flop, double done_flop) : total_(total_flop), done_(done_flop), before_(done_flop) {}
  void add(double flop) {
    done_ += flop;
    const auto now = Clock::now();
    if (now - shown_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10000))) return;
    shown_ = now;
    print();
  }
  // Above the line.
  void note(const std::string& text) {
    fmt::print(stderr, "{}{}\n", terminal_ ? "\r\033[K" : "", text);
    std::fflush(stderr);
  }
  void clear() {
    if (terminal_) fmt::print(stderr, "\r\033[K");
  }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  void print() {
    const double fraction = total_ > 0 ? std::min(1.0, done_ / total_) : 1;
    const double rate = (done_ - before_) / std::max(1e-9, seconds());
    const std::string eta = rate > 0 ? duration_text((total_ - done_) / rate) : "?";
    const std::string text = fmt::format("{:5.1f} %  {:.0f} GFLOP/s  ETA {}", 100 * fraction, rate * 1e-9, eta);
    if (terminal_)
      fmt::print(stderr, "\r\033[K{}", text);
    else
      fmt::print(stderr, "{}\n", text);
    std::fflush(stderr);
  }
  double total_, done_, before_;
  bool terminal_ = isatty(STDERR_FILENO);
  Clock::time_point start_ = Clock::now(), shown_ = start_;
};

double unit_flop(const Experiment& experiment, const std::vector<int64_t>& networks) {
  double flop = 0;
  for (const int64_t i : networks) flop += training_flop(experiment.network(i));
  return flop * most_runs(experiment.settings().until);
}

}  // namespace

int validate(const Common& options) {
  const Experiment experiment = Experiment::load(options.file, options.overrides);
  const Plan plan = make_plan(experiment, nullptr);
  static_cast<void>(needed_data(experiment));
  fmt::print("{}: {} network{} in {} unit{}\n", experiment.name(), plan.n_networks, plan.n_networks == 1 ? "" : "s",
             plan.n_units, plan.n_units == 1 ? "" : "s");
  return ok;
}

int plan(const Common& options) {
  const Experiment experiment = Experiment::load(options.file, options.overrides);
  const std::unique_ptr<Device> device = open_device(options.device, options.threads, options.emulate_precision);
  fmt::print("{}", plan_text(make_plan(experiment, device.get()), device->info()));
  return ok;
}

int run(const Common& options, const std::string& out, bool mixed) {
  const Experiment experiment = Experiment::load(options.file, options.overrides);
  const Plan plan = make_plan(experiment, nullptr);
  const DataSet data = load_data(experiment, options.data);
  const LoadedStarts starts(experiment);
  const std::unique_ptr<Device> device = open_device(options.device, options.threads, options.emulate_precision);
  refuse_untrainable(experiment, *device);
  RunDirectory directory = RunDirectory::open(out, experiment, made_by(*device), mixed);
  for (const int64_t unit : directory.lost()) fmt::print(stderr, "unit {} was damaged and is computed again\n", unit);
  const std::vector<int64_t> pending = directory.pending();
  fmt::print(stderr, "{}: {} networks in {} units ({} finished before) on {}, {} worker{}, {}\n", experiment.name(),
             plan.n_networks, plan.n_units, directory.n_units() - int64_t(pending.size()), device->info().name,
             device->info().workers, device->info().workers == 1 ? "" : "s", device->info().isa);

  double pending_flop = 0;
  std::vector<std::vector<int64_t>> networks;  // of each pending unit
  for (const int64_t unit : pending) {
    networks.push_back(directory.networks(unit));
    pending_flop += unit_flop(experiment, networks.back());
  }
  const double most_flop = plan.training_flop * most_runs(experiment.settings().until);
  Progress progress(most_flop, most_flop - pending_flop);
  RunContext context{*device, experiment, data.view(), &stop_asked, [&](double flop) { progress.add(flop); }, &starts};
  install_signals();
  directory.log("start", fmt::format(R"("units": {}, "device": "{}", "workers": {})", pending.size(),
                                     device->info().backend, device->info().workers));
  for (const std::vector<size_t>& group : trained_together(experiment, networks, device->info().workers)) {
    const double before = progress.seconds();
    std::vector<std::vector<int64_t>> units;
    for (const size_t i : group) units.push_back(networks[i]);
    const std::optional<std::vector<UnitResult>> results = run_units(context, units);
    if (!results) {
      directory.log("interrupted");
      progress.note("interrupted: finished units are kept, the same command continues");
      return interrupted;
    }
    for (size_t u = 0; u < group.size(); ++u) {
      const int64_t unit = pending[group[u]];
      directory.finish_unit(unit, (*results)[u]);
      directory.log("unit", fmt::format(R"("unit": {}, "together": {}, "seconds": {:.3f})", unit, group.size(),
                                        progress.seconds() - before));
    }
  }
  progress.clear();
  directory.log("end", fmt::format(R"("seconds": {:.3f})", progress.seconds()));
  if (!pending.empty()) fmt::print(stderr, "{} in {}\n", out, duration_text(progress.seconds()));
  fmt::print("{}", engine::show(directory));
  return ok;
}

int show(const std::string& path) {
  fmt::print("{}", engine::show(RunDirectory::read(path)));
  return ok;
}

}  // namespace cohort::app

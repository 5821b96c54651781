// cohort: trains thousands of small brain-like networks at once, from one TOML file to one directory of results.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>

#include "cohort/error.h"
#include "commands.h"
#include "config/schema.h"

namespace {

using namespace cohort::app;

void add_experiment(CLI::App& command, Common& options) {
  command.add_option("FILE", options.file, "the experiment, a TOML file")->required();
  command
      .add_option("--set", options.overrides, "key=value: as if the file said so; replaces a sweep axis of that key")
      ->allow_extra_args(false);
}
void add_device(CLI::App& command, Common& options) {
  command.add_option("--device", options.device, "auto, cpu, cuda or cuda:INDEX")->capture_default_str();
  command.add_option("--threads", options.threads, "CPU threads; 0 = all cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
}

void add_emulation(CLI::App& command, Common& options) {
  command.add_flag("--emulate-precision", options.emulate_precision,
                   "train networks of any train.precision on the CPU, rounding as a card would; slow");
}

// --task, --batch and --steps; their defaults depend on the task.
void add_shape(CLI::App& command, BenchShape& shape) {
  command
      .add_option(
          "--task", shape.task,
          "decision: perceptual decisions, tanh, loss at every step; row_mnist: random images row by row, ReLU, "
          "28 steps,\nloss at the last")
      ->check(CLI::IsMember({"decision", "row_mnist"}))
      ->capture_default_str();
  command.add_option("--batch", shape.batch, "trials in a batch")
      ->check(CLI::Range(1, 65536))
      ->default_str("64; row_mnist: 32");
  command.add_option("--steps", shape.steps, "time steps of a sequence")
      ->check(CLI::Range(2, 4097))
      ->default_str("100; row_mnist: 28");
}

int fail(int code, const std::string& message) {
  std::fprintf(stderr, "cohort: %s\n", message.c_str());
  return code;
}

int unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());
  const std::string meant = cohort::engine::nearest(word, commands);
  std::string all;
  for (const std::string& command : commands) all += (all.empty() ? "" : ", ") + command;
  return fail(bad_input, "unknown command '" + word + "'; " +
                             (meant.empty() ? "commands: " + all : "did you mean '" + meant + "'?"));
}

int dispatch(int argc, char** argv) {
  CLI::App app{"Trains thousands of small brain-like networks at once and measures what learning did to them.",
               "cohort"};
  app.set_version_flag("--version", "cohort " COHORT_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done (diverged networks included), 2 bad input, 3 files, 4 device, 5 the device does not train "
      "as\n"
      "the CPU does (bench gpu), 130 interrupted.\n"
      "Data goes to stdout, everything else to stderr.");
  Common common;
  int code = ok;

  bool json = false;
  auto* list_command =
      app.add_subcommand("list", "everything registered: tasks, geometries, ... with their parameters");
  list_command->add_flag("--json", json, "as JSON");
  list_command->callback([&] { code = list(json); });

  auto* validate_command = app.add_subcommand("validate", "check an experiment; nothing is written");
  add_experiment(*validate_command, common);
  validate_command->callback([&] { code = validate(common); });

  auto* plan_command =
      app.add_subcommand("plan", "networks, units, work, time, memory and disk of an experiment; trains nothing");
  add_experiment(*plan_command, common);
  add_device(*plan_command, common);
  add_emulation(*plan_command, common);
  plan_command->callback([&] { code = plan(common); });

  std::string out;
  bool mixed = false;
  auto* run_command = app.add_subcommand("run", "train and measure all networks; the same command again continues");
  add_experiment(*run_command, common);
  add_device(*run_command, common);
  add_emulation(*run_command, common);
  run_command->add_option("--out", out, "directory of the results")->required();
  run_command->add_option(
      "--data", common.data,
      "directory of the data files: MNIST, KMNIST, Fashion-MNIST or another set of 28 x 28 images in "
      "MNIST's IDX format, or train.txt, valid.txt, test.txt and embeddings.txt; default: $COHORT_DATA");
  run_command->add_flag("--mixed", mixed,
                        "continue although finished units were made by another backend or instruction set");
  run_command->callback([&] { code = run(common, out, mixed); });

  std::string directory;
  auto* show_command = app.add_subcommand("show", "progress and summary of a run directory");
  show_command->add_option("DIR", directory, "a run directory")->required();
  show_command->callback([&] { code = show(directory); });

  std::string format = "csv";
  bool history = false;
  auto* export_command = app.add_subcommand("export", "one row per network on stdout");
  export_command->add_option("DIR", directory, "a run directory")->required();
  export_command->add_option("--format", format, "csv or json")
      ->check(CLI::IsMember({"csv", "json"}))
      ->capture_default_str();
  export_command->add_flag("--history", history, "what was recorded during training, one row per value");
  export_command->callback([&] { code = export_table(directory, format, history); });

  std::string figure;
  cohort::engine::PlotOptions drawn;
  std::string kinds;
  for (const auto& kind : cohort::engine::plot_kinds())
    kinds += "  " + std::string(kind.name) + std::string(14 - kind.name.size(), ' ') + std::string(kind.doc) + "\n";
  auto* plot_command = app.add_subcommand("plot", "draw a run directory as SVG, numbers behind the figure on stdout");
  plot_command->footer("Kinds:\n" + kinds +
                       "Networks that differ in their seed only are replicates of one arm. Examples: docs/plots.md");
  plot_command->add_option("DIR", directory, "a run directory")->required();
  plot_command->add_option("--kind", drawn.kind, "what to draw, see below")->capture_default_str();
  plot_command->add_option("--out", figure, "file to write; default: DIR/figure.svg (sweep), DIR/KIND.svg");
  plot_command
      ->add_option("--measure", drawn.measures,
                   "columns to draw, one row of panels each (sweep); the column (bars, scatter: y, heatmap) or series "
                   "(curves)")
      ->allow_extra_args(false);
  plot_command->add_flag("--history", history, "training loss against step, arranged like the sweep");
  plot_command->add_flag("--json", json, "the numbers behind the figure as JSON");
  plot_command->add_option("--where", drawn.where, "KEY=VALUE: only these networks; repeatable")
      ->allow_extra_args(false);
  plot_command->add_option("--by", drawn.by, "keys that tell arms apart; default: all swept keys but the seed")
      ->delimiter(',')
      ->allow_extra_args(false);
  plot_command
      ->add_option("--select", drawn.select,
                   "keys of which each arm takes its best setting, by the mean of --score over its networks; diverged "
                   "networks count as the worst possible")
      ->delimiter(',')
      ->allow_extra_args(false);
  plot_command->add_option("--score", drawn.score, "column that says which setting is best");
  plot_command->add_flag("--minimise", drawn.minimise, "the smallest score is the best");
  plot_command->add_flag("--error", drawn.error, "1 - accuracy instead of the accuracy");
  plot_command->add_flag("--log", drawn.log, "logarithmic y axis (sweep, curves, histogram)");
  plot_command
      ->add_option("--band", drawn.band, "spread (sweep, curves): sd about the mean, or quantiles: median and 5-95 %")
      ->capture_default_str();
  plot_command->add_flag("--overlay", drawn.overlay, "all measures in one panel, in colours (sweep)");
  plot_command->add_option("--x", drawn.x, "column of the x axis (scatter); key (sweep, heatmap)");
  plot_command->add_option("--y", drawn.y, "key of the y axis (heatmap)");
  plot_command->add_option("--test", drawn.test, "whose p values are drawn (bars): welch or mann_whitney")
      ->capture_default_str();
  plot_command->add_option("--tensor", drawn.tensor, "whose spectrum (eigenvalues, histogram); default: recurrent");
  plot_command->add_option("--net", drawn.nets, "a panel for this network (eigenvalues, histogram); repeatable")
      ->allow_extra_args(false);
  plot_command->add_option("--bins", drawn.bins, "number of bins (histogram); default: 40");
  plot_command->callback([&] { code = plot(directory, figure, history, json, drawn); });

  cohort::engine::SelectOptions selection;
  bool csv = false, minimise = false, maximise = false;
  auto* select_command =
      app.add_subcommand("select", "the best setting of every arm, by the mean of a score over seeds");
  select_command->footer(
      "An arm is all swept keys but the seed and those of --over. A setting with a network that has no score, as one "
      "that\n"
      "diverged, loses to every setting without. Examples: docs/select.md");
  select_command->add_option("DIR", directory, "a run directory")->required();
  select_command->add_option("--over", selection.over, "keys whose settings compete")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->required();
  select_command->add_option("--by", selection.by, "column of the score")->required();
  auto* smallest = select_command->add_flag("--minimise", minimise, "the smallest score is the best; as of final.loss");
  select_command->add_flag("--maximise", maximise, "the largest is; as of final.accuracy")->excludes(smallest);
  select_command
      ->add_option("--measure", selection.measures,
                   "column: its mean, sd and n over the networks of the best setting too; repeatable")
      ->allow_extra_args(false);
  select_command->add_option("--where", selection.where, "KEY=VALUE: only these networks; repeatable")
      ->allow_extra_args(false);
  select_command->add_flag("--per-seed", selection.per_seed, "choose for every seed by itself");
  auto* as_csv = select_command->add_flag("--csv", csv, "as CSV, one row an arm");
  select_command->add_flag("--json", json, "as JSON, one object an arm")->excludes(as_csv);
  select_command->callback([&] {
    if (minimise || maximise) selection.minimise = minimise;
    code = select(directory, csv, json, selection);
  });

  InferOptions inferred;
  auto* infer_command = app.add_subcommand(
      "infer", "the geometry of plasticity from weights before and after learning (docs/inference.md)");
  infer_command
      ->add_option("BEFORE", inferred.before, "CSV, NPY or HDF5 (FILE:/DATASET), one column; without AFTER two")
      ->required();
  infer_command->add_option("AFTER", inferred.after, "the same weights after learning, in the same order");
  infer_command->add_option("--columns", inferred.columns, "BEFORE,AFTER: columns by name or number, from 1 on")
      ->delimiter(',')
      ->allow_extra_args(false);
  infer_command->add_option("--noise", inferred.noise, "known sd of the noise of every measurement")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  infer_command
      ->add_option("--relative-noise", inferred.relative_noise, "known sd of the noise, relative to the weight")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  infer_command->add_option("--mean", inferred.mean, "of the dual change: zero or free")
      ->check(CLI::IsMember({"zero", "free"}))
      ->capture_default_str();
  infer_command->add_option("--level", inferred.level, "of intervals")
      ->check(CLI::Range(0.5, 0.9999))
      ->capture_default_str();
  infer_command->add_option("--p", inferred.p, "candidates of the table; default: neg_entropy, 1.1, ..., 3")
      ->delimiter(',')
      ->allow_extra_args(false);
  infer_command
      ->add_option("--potential", inferred.potential, "the geometry whose fit is tested; default: the best by BIC")
      ->check(CLI::IsMember({"neg_entropy", "euclidean", "p_norm", "hypentropy"}));
  infer_command
      ->add_option("--bootstrap", inferred.bootstrap, "data sets simulated for the goodness of fit; 0: no test")
      ->check(CLI::Range(0, 100000))
      ->default_str("499; with noise 199");
  infer_command->add_option("--seed", inferred.seed, "of the simulated data sets")->capture_default_str();
  infer_command->add_option("--threads", inferred.threads, "CPU threads; 0 = all cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  infer_command->add_flag("--json", inferred.json, "everything as one JSON object");
  infer_command->add_option("--figure", inferred.figure, "an SVG file to draw the result to");
  infer_command->callback([&] { code = infer(inferred); });

  PowerCommand powered;
  auto* power_command = app.add_subcommand(
      "power", "how many synapses an inference needs, by simulation (docs/inference.md); CSV, one row per combination");
  power_command
      ->add_option("--protocol", powered.protocol,
                   "decision: which of a few candidates; robustness: the published experiment; coverage: of intervals")
      ->check(CLI::IsMember({"decision", "robustness", "coverage"}))
      ->capture_default_str();
  power_command->add_option("--truth", powered.truth, "true geometries: neg_entropy or p")->delimiter(',');
  power_command->add_option("--candidates", powered.candidates, "geometries to choose among")->delimiter(',');
  power_command->add_option("--synapses", powered.synapses, "numbers of synapses")->delimiter(',');
  power_command->add_option("--noise", powered.noise, "known noise, relative to the sd of the weights")->delimiter(',');
  power_command
      ->add_option("--change", powered.change, "sd of the change of a weight of typical size, relative to that size")
      ->delimiter(',');
  power_command->add_option("--start", powered.start, "normal, log_normal")
      ->delimiter(',')
      ->check(CLI::IsMember({"normal", "log_normal"}));
  power_command->add_option("--data-sets", powered.data_sets, "simulated data sets of each combination")
      ->check(CLI::Range(1, 1000000));
  power_command->add_option("--seed", powered.seed, "of the simulations")->capture_default_str();
  power_command->add_option("--threads", powered.threads, "CPU threads; 0 = all cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  power_command->callback([&] { code = power(powered); });

  BenchOptions bench;
  auto* bench_command = app.add_subcommand("bench", "measure this machine");
  bench_command->require_subcommand(1);
  auto* train_command = bench_command->add_subcommand(
      "train", "training throughput of small recurrent networks, against the machine's GEMM");
  const char* const units = "64; row_mnist: 100";
  train_command->add_option("--n", bench.n, "hidden units, one measurement each")
      ->delimiter(',')
      ->check(CLI::Range(1, 8192))
      ->default_str(units);
  add_shape(*train_command, bench.shape);
  train_command->add_option("--networks", bench.networks, "networks trained at once; 0 = a few per worker")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  train_command->add_option("--seconds", bench.seconds, "time to measure for")
      ->check(CLI::Range(0.05, 600.0))
      ->capture_default_str();
  std::vector<std::string> precisions;
  for (int i = 0; i < cohort::n_precisions; ++i) precisions.emplace_back(cohort::info(cohort::Precision(i)).name);
  train_command->add_option("--precision", bench.precision, "train.precision of the networks")
      ->check(CLI::IsMember(precisions))
      ->capture_default_str();
  train_command->add_flag("--json", bench.json, "one JSON object a line");
  add_device(*train_command, common);
  add_emulation(*train_command, common);
  train_command->callback([&] { code = bench_train(common, bench); });

  TraceOptions trace;
  auto* trace_command = bench_command->add_subcommand(
      "trace",
      "what the networks of bench train do in their first updates, as JSON: for comparison with other programs");
  trace_command->add_option("--n", trace.n, "hidden units")->check(CLI::Range(1, 8192))->default_str(units);
  add_shape(*trace_command, trace.shape);
  trace_command->add_option("--networks", trace.networks, "networks, seeds 0, 1, ...")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  trace_command->add_option("--updates", trace.updates, "training steps")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  add_device(*trace_command, common);
  trace_command->callback([&] { code = bench_trace(common, trace); });

  GpuBenchOptions gpu;
  Common card;
  card.device = "cuda";
  auto* gpu_command = bench_command->add_subcommand("gpu",
                                                    "what a card does, in a few minutes: conformance with the CPU, "
                                                    "exactness of gradients, throughput and latency of\n"
                                                    "training, bandwidth of updates");
  gpu_command->add_option("--seconds", gpu.seconds, "time to measure each speed for")
      ->check(CLI::Range(0.01, 20.0))
      ->capture_default_str();
  gpu_command->add_flag("--quick", gpu.quick, "a few small cases");
  gpu_command->add_option("--json", gpu.json,
                          "write everything to this file too, after every case; with $COHORT_COMMIT, if that is set");
  add_device(*gpu_command, card);
  gpu_command->callback([&] { code = bench_gpu(card, gpu); });

  if (argc > 1 && argv[1][0] != '-') {
    const auto commands = app.get_subcommands({});
    if (std::none_of(commands.begin(), commands.end(), [&](const CLI::App* c) { return c->get_name() == argv[1]; }))
      return unknown_command(app, argv[1]);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    return fail(bad_input, std::string(e.what()) + " (cohort --help)");
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const cohort::IoError& e) {
    return fail(io_failure, e.what());
  } catch (const cohort::CudaError& e) {
    return fail(device_failure, e.what());
  } catch (const cohort::Error& e) {
    return fail(bad_input, e.what());
  } catch (const std::bad_alloc&) {
    return fail(device_failure, "out of memory");
  } catch (const std::exception& e) {
    return fail(io_failure, e.what());
  }
}

// The tool's commands. Each returns the exit code; errors are exceptions (main.cpp turns them into one line and a code).
// Data goes to stdout, everything else to stderr.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plot/plot.h"
#include "plot/select.h"

namespace cohort::app {

enum ExitCode { ok = 0, bad_input = 2, io_failure = 3, device_failure = 4, not_conforming = 5, interrupted = 130 };

struct Common {
  std::string file;                    // the experiment
  std::vector<std::string> overrides;  // --set key=value
  std::string device = "auto";
  int threads = 0;
  bool emulate_precision = false;
  std::string data;  // --data DIR
};

int list(bool json);
int validate(const Common& options);
int plan(const Common& options);
int run(const Common& options, const std::string& out, bool mixed);
int show(const std::string& directory);
int export_table(const std::string& directory, const std::string& format, bool history);
int plot(const std::string& directory, const std::string& out, bool history, bool json,
         const engine::PlotOptions& options);
int select(const std::string& directory, bool csv, bool json, const engine::SelectOptions& options);

struct InferOptions {
  std::string before, after;         // files; after "": both columns in the first
  std::vector<std::string> columns;  // BEFORE,AFTER; none: the only ones
  double noise = 0, relative_noise = 0;
  std::string mean = "zero";
  double level = 0.95;
  std::vector<std::string> p;  // candidates; none: neg_entropy, 1.1, ..., 3
  std::string potential;       // "": the data choose
  std::optional<int> bootstrap;
  uint64_t seed = 0;
  int threads = 0;
  bool json = false;
  std::string figure;
};
int infer(const InferOptions& options);

// What is empty or 0 is as the protocol has it.
struct PowerCommand {
  std::string protocol = "decision";
  std::vector<std::string> truth, candidates, start;
  std::vector<double> synapses, noise, change;
  int data_sets = 0;
  uint64_t seed = 0;
  int threads = 0;
};
int power(const PowerCommand& options);

struct BenchShape {
  std::string task = "decision";    // or row_mnist
  std::optional<int> batch, steps;  // of the task where not asked for
};
struct BenchOptions {
  BenchShape shape;
  std::vector<int> n;  // of the task where empty
  int networks = 0;
  double seconds = 3;
  std::string precision = "fp32";
  bool json = false;
};
int bench_train(const Common& options, const BenchOptions& bench);

struct TraceOptions {
  BenchShape shape;
  std::optional<int> n;  // of the task where not asked for
  int networks = 1, updates = 1;
};
int bench_trace(const Common& options, const TraceOptions& trace);

struct GpuBenchOptions {
  double seconds = 2;  // of measuring, per case
  bool quick = false;
  std::string json;  // file; "" = none
};
int bench_gpu(const Common& options, const GpuBenchOptions& bench);

}  // namespace cohort::app

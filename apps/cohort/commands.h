// The tool's commands. Each returns the exit code; errors are exceptions (main.cpp turns them into one line and a code).
// Data goes to stdout, everything else to stderr.
#pragma once

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

// What `cohort bench gpu` measures and writes, on an emulated card with tiny cases: numbers mean nothing there.
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "device/cuda_module.h"
#include "gpu/backend.h"
#include "gpu_report.h"
#include "runner/gpu_bench.h"

namespace cohort::testing {
namespace {

using namespace engine;

class GpuBench : public ::testing::Test {
 protected:
  void SetUp() override {
    char reason[256] = "";
    device.reset(cohort_cuda_open(0, 1, reason, sizeof reason));
    ASSERT_TRUE(device) << reason;
  }
  void TearDown() override {
    device.reset();
    emulator::options() = {};
  }
  static GpuBenchSettings tiny() {
    GpuBenchSettings settings;
    settings.conformance = {{.n_in = 4, .n_hidden = 9, .n_out = 3, .batch = 3, .n_steps = 3, .bias = 1},
                            {.n_in = 40, .n_hidden = 6, .n_out = 3, .n_inhibitory = 2, .batch = 2, .n_steps = 3}};
    settings.accuracy = {{settings.conformance[0], 0.9}};
    settings.throughput = {{.n_hidden = 8, .batch = 2, .n_steps = 3, .n_nets = 3, .seconds = 0.01}};
    settings.latency = {{.n_hidden = 8, .batch = 2, .n_steps = 3, .n_nets = 1, .seconds = 0.01}};
    settings.update = {{.n_nets = 2, .n = 65, .geometry = GeometryId::p_norm, .seconds = 0.01}};
    return settings;
  }
  GpuBenchReport run(const GpuBenchSettings& settings) {
    return run_gpu_bench(
        *device, settings, [&](const std::string& name) { names.push_back(name); },
        [&](const GpuBenchReport& report) { complete.push_back(report.complete); });
  }
  nlohmann::json json(const GpuBenchReport& report) {
    return nlohmann::json::parse(app::report_json(report, device->info(), true));
  }
  std::unique_ptr<Device> device;
  std::vector<std::string> names;
  std::vector<bool> complete;
};

TEST_F(GpuBench, MeasuresEverything) {
  const GpuBenchReport report = run(tiny());
  EXPECT_TRUE(report.conforms());
  EXPECT_EQ(report.first_failure(), "");
  EXPECT_EQ(names.size(), 6u);
  EXPECT_EQ(std::count(complete.begin(), complete.end(), true), 1);
  EXPECT_TRUE(complete.back());

  std::set<std::string> programs;
  double largest = 0;
  for (const auto& row : report.conformance) {
    programs.insert(row.result->program.substr(0, row.result->program.find(' ')));
    EXPECT_EQ(row.result->n_networks, n_geometries * n_activations);
    largest = std::max(largest, row.result->difference);
  }
  EXPECT_EQ(programs, (std::set<std::string>{"generic", "tiled"}));
  EXPECT_GT(largest, 0);  // other orders of summation
  EXPECT_LT(report.accuracy[0].result->largest(), 5e-6);
  EXPECT_GT(report.accuracy[0].result->largest(), 1e-9);
  EXPECT_GT(report.accuracy[0].result->on_cpu, 1e-9);
  EXPECT_EQ(report.accuracy[0].result->tensors.size(), 5u);
  EXPECT_GT(report.throughput[0].result->net_steps_per_s, 0);
  EXPECT_GT(report.latency[0].result->net_steps_per_s, 0);
  EXPECT_GT(report.update[0].result->share(), 0);

  const std::string text = app::device_text(device->info()) + app::report_text(report, device->info());
  for (const char* const words : {"emulated device", "tolerance", "tiled", "generic", "pass", "p_norm", "of copy"})
    EXPECT_NE(text.find(words), std::string::npos) << words << " is not in\n" << text;
  const nlohmann::json document = json(report);
  EXPECT_EQ(document["device"]["backend"], "cuda");
  EXPECT_EQ(document["device"]["multiprocessors"], device->info().card.multiprocessors);
  EXPECT_TRUE(document["device"]["clock_hz"].is_null());  // the emulator has none
  EXPECT_EQ(document["complete"], true);
  EXPECT_EQ(document["conformance"]["pass"], true);
  EXPECT_EQ(document["conformance"]["cases"].size(), 2u);
  EXPECT_GT(document["accuracy"][0]["tensors"].size(), 0u);
  EXPECT_TRUE(document["throughput"][0]["problem"].is_null());
  EXPECT_EQ(document["update"][0]["geometry"], "p_norm");
}

TEST_F(GpuBench, WhatFailsIsNamedAndTheOthersAreMeasured) {
  GpuBenchSettings settings = tiny();
  settings.throughput[0].n_hidden = 1024;  // of 300 networks: more than the memory
  settings.throughput[0].n_nets = 300;
  const GpuBenchReport report = run(settings);
  EXPECT_FALSE(report.throughput[0].result);
  EXPECT_TRUE(report.latency[0].result && report.update[0].result);
  EXPECT_NE(report.first_failure().find("allocation"), std::string::npos) << report.first_failure();
  EXPECT_TRUE(report.conforms());
  EXPECT_EQ(json(report)["throughput"][0]["problem"], report.first_failure());
}

TEST_F(GpuBench, WithoutTimeNothingIsBegun) {
  GpuBenchSettings settings = tiny();
  settings.total_seconds = -1;
  const GpuBenchReport report = run(settings);
  EXPECT_TRUE(names.empty());
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.first_failure(), "");
  EXPECT_FALSE(report.conforms());
  EXPECT_EQ(json(report)["latency"][0]["problem"], "left out: no time");
}

TEST(GpuBenchReport, ConformsIfEveryCaseDoes) {
  GpuBenchReport report;
  report.conformance.resize(2);
  EXPECT_FALSE(report.conforms());
  report.conformance[0].result = report.conformance[1].result = Conformance{{}, "tiled", 1, conformance_tolerance};
  EXPECT_TRUE(report.conforms());
  for (const double difference :
       {2 * conformance_tolerance, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    report.conformance[1].result->difference = difference;
    EXPECT_FALSE(report.conforms()) << difference;
  }
}

// The whole set fits into eight minutes and covers what it says.
TEST_F(GpuBench, TheSetForACard) {
  const GpuBenchSettings all = gpu_bench_settings(*device, 2, false), quick = gpu_bench_settings(*device, 0.1, true);
  EXPECT_EQ(all.throughput.size(), 14u);  // six sizes, four of them in three precisions
  EXPECT_EQ(all.latency.size(), 18u);
  EXPECT_EQ(all.update.size(), size_t(n_geometries));
  EXPECT_LT(2.0 * double(all.throughput.size() + all.latency.size() + all.update.size()), 120);
  EXPECT_LE(all.total_seconds, 420);
  EXPECT_LT(quick.conformance.size(), all.conformance.size());
  for (const auto& shape : all.throughput) EXPECT_GE(shape.n_nets, 1);
  std::set<std::string> programs;
  for (const Signature& s : all.conformance) {
    const std::string program = device->training_program(s);
    programs.insert(program.substr(0, program.find(' ')));
  }
  EXPECT_GE(programs.size(), 2u);
}

}  // namespace
}  // namespace cohort::testing

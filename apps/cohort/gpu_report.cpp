#include "gpu_report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

namespace cohort::app {

namespace {

using namespace cohort::engine;
using Json = nlohmann::ordered_json;

const char* precision_of(const Signature& s) { return info(s.precision).name; }

// "tiled" of "tiled (why not another)".
std::string first_word(const std::string& program) { return program.substr(0, program.find(' ')); }

std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

// Conformance by program and precision.
struct Agreement {
  int cases = 0, networks = 0;
  double difference = 0;
  bool pass = true;
};
using Agreements = std::map<std::pair<std::string, Precision>, Agreement>;
Agreements by_program(const GpuBenchReport& report) {
  Agreements programs;
  for (const auto& row : report.conformance) {
    if (!row.result) continue;
    Agreement& a = programs[{first_word(row.result->program), row.asked.precision}];
    ++a.cases;
    a.networks += row.result->n_networks;
    a.difference = std::max(a.difference, row.result->difference);
    a.pass = a.pass && row.result->pass();
  }
  return programs;
}

// Share of the arithmetic that there is: the card's peak, or the CPU's matrix products; 0 where that is not known.
double share_of_peak(const Throughput& t, const Device::Info& device) {
  const double peak = device.card.fp32_flops() * 1e-12;
  return peak > 0 ? t.tflops / peak : t.efficiency();
}
double seconds_per_step(const Throughput& t) { return t.shape.n_nets / t.net_steps_per_s; }

// ---- text
std::string percent(double share) { return share > 0 ? fmt::format("{:.1f} %", 100 * share) : "-"; }

template <class Rows>
std::string problems(const Rows& rows) {
  std::string text;
  for (const auto& row : rows)
    if (!row.problem.empty()) text += fmt::format("  {}\n", row.problem);
  return text;
}

std::string latency_text(const GpuBenchReport& report) {
  std::map<int, std::map<int, double>> milliseconds;  // by units, by networks
  for (const auto& row : report.latency)
    if (row.result) milliseconds[row.asked.n_hidden][row.asked.n_nets] = 1e3 * seconds_per_step(*row.result);
  std::string text = "\nlatency of one training step, ms\n";
  for (const auto& [n, by_count] : milliseconds) {
    text += fmt::format("{:>6}", n);
    for (const auto& [count, ms] : by_count)
      text += fmt::format("{:>22}", fmt::format("{} network{}: {:.4g}", count, count == 1 ? "" : "s", ms));
    text += '\n';
  }
  return text + problems(report.latency);
}

// ---- JSON
Json json_of(const Signature& s) {
  return {{"precision", precision_of(s)},
          {"n", s.n_hidden},
          {"layers", s.n_layers},
          {"inputs", s.n_in},
          {"outputs", s.n_out},
          {"inhibitory", s.n_inhibitory},
          {"batch", s.batch},
          {"seq_len", s.n_steps},
          {"bias", s.bias != 0}};
}

// A row's common part, and `add(row, result)` where there is one.
template <class Rows, class Asked, class Add>
Json rows_of(const Rows& rows, const Asked& asked, const Add& add) {
  Json all = Json::array();
  for (const auto& row : rows) {
    Json item = asked(row.asked);
    item["problem"] = row.problem.empty() ? Json() : Json(row.problem);
    if (row.result) add(item, *row.result);
    all.push_back(item);
  }
  return all;
}

Json json_of(const Device::Info& device) {
  const Card& card = device.card;
  Json json = {{"name", device.name},
               {"backend", device.backend},
               {"isa", device.isa},
               {"workers", device.workers},
               {"usable_bytes", device.memory_bytes}};
  if (device.backend != "cuda") return json;
  json["compute_capability"] = fmt::format("{}.{}", card.major, card.minor);
  json["driver"] = version_text(card.driver_version);
  json["runtime"] = version_text(card.runtime_version);
  json["multiprocessors"] = card.multiprocessors;
  json["memory_bytes"] = card.total_bytes;
  json["clock_hz"] = card.clock_hz > 0 ? Json(card.clock_hz) : Json();
  json["fp32_peak_tflops"] = card.fp32_flops() > 0 ? Json(1e-12 * card.fp32_flops()) : Json();
  return json;
}

Json json_of_conformance(const GpuBenchReport& report) {
  Json json = {{"tolerance", conformance_tolerance}, {"pass", report.conforms()}, {"programs", Json::array()}};
  for (const auto& [kind, a] : by_program(report))
    json["programs"].push_back({{"program", kind.first},
                                {"precision", info(kind.second).name},
                                {"cases", a.cases},
                                {"networks", a.networks},
                                {"difference", a.difference},
                                {"pass", a.pass}});
  json["cases"] = rows_of(
      report.conformance, [](const Signature& s) { return json_of(s); },
      [](Json& item, const Conformance& c) {
        item["program"] = c.program;
        item["networks"] = c.n_networks;
        item["difference"] = c.difference;
        item["pass"] = c.pass();
      });
  return json;
}

Json json_of_accuracy(const GpuBenchReport& report) {
  return rows_of(
      report.accuracy,
      [](const GradientErrorCase& c) {
        Json item = json_of(c.signature);
        item["gain"] = c.gain;
        return item;
      },
      [](Json& item, const GradientError& e) {
        item["program"] = e.program;
        item["gradient_error"] = e.largest();
        item["cpu_fp32_gradient_error"] = e.on_cpu;
        for (const auto& [name, error] : e.tensors) item["tensors"][name] = error;
      });
}

Json json_of_speed(const std::vector<Measured<ThroughputCase, Throughput>>& rows, const Device::Info& device) {
  return rows_of(
      rows,
      [](const ThroughputCase& c) {
        Json item = json_of(c.signature());
        item["networks"] = c.n_nets;
        return item;
      },
      [&](Json& item, const Throughput& t) {
        item["program"] = t.program;
        item["net_steps_per_s"] = t.net_steps_per_s;
        item["seconds_per_step"] = seconds_per_step(t);
        item["tflops"] = t.tflops;
        const double share = share_of_peak(t, device);
        item["share_of_peak"] = share > 0 ? Json(share) : Json();
        if (t.gemm_tflops > 0) item["gemm_tflops"] = t.gemm_tflops;
      });
}

Json json_of_update(const GpuBenchReport& report) {
  return rows_of(
      report.update,
      [](const UpdateBandwidthCase& c) {
        return Json{
            {"geometry", info(c.geometry).name}, {"precision", "fp32"}, {"networks", c.n_nets}, {"weights", c.n}};
      },
      [](Json& item, const UpdateBandwidth& b) {
        item["update_bytes_per_s"] = b.update_bytes_per_s;
        item["copy_bytes_per_s"] = b.copy_bytes_per_s;
        item["share_of_copy"] = b.share();
      });
}

}  // namespace

std::string device_text(const Device::Info& device) {
  const Card& card = device.card;
  if (device.backend != "cuda") return fmt::format("{} ({}, {} workers)\n", device.name, device.isa, device.workers);
  std::string text = fmt::format("{}: compute capability {}.{}, {} multiprocessors", device.name, card.major,
                                 card.minor, card.multiprocessors);
  if (card.clock_hz > 0)
    text +=
        fmt::format(", up to {:.0f} MHz, fp32 peak {:.1f} TFLOP/s", 1e-6 * card.clock_hz, 1e-12 * card.fp32_flops());
  return text + fmt::format("\n{:.1f} GiB of memory, CUDA {} (driver {})\n", double(card.total_bytes) / (1 << 30),
                            version_text(card.runtime_version), version_text(card.driver_version));
}

std::string report_text(const GpuBenchReport& report, const Device::Info& device) {
  std::string text = fmt::format("\nconformance with the CPU, tolerance {:.2g}\n{:>10}{:>10}{:>6}{:>10}{:>12}\n",
                                 conformance_tolerance, "precision", "program", "cases", "networks", "difference");
  for (const auto& [kind, a] : by_program(report))
    text += fmt::format("{:>10}{:>10}{:>6}{:>10}{:>12.2g}  {}\n", info(kind.second).name, kind.first, a.cases,
                        a.networks, a.difference, a.pass ? "pass" : "FAIL");
  text += problems(report.conformance);

  text += fmt::format("\ngradients against double precision\n{:>10}{:>10}{:>6}{:>8}{:>6}{:>12}{:>12}\n", "precision",
                      "program", "n", "inputs", "gain", "error", "CPU fp32");
  for (const auto& row : report.accuracy)
    if (row.result)
      text += fmt::format("{:>10}{:>10}{:>6}{:>8}{:>6.1f}{:>12.2g}{:>12.2g}\n", precision_of(row.asked.signature),
                          first_word(row.result->program), row.asked.signature.n_hidden, row.asked.signature.n_in,
                          row.asked.gain, row.result->largest(), row.result->on_cpu);
  text += problems(report.accuracy);

  text +=
      fmt::format("\nthroughput of training\n{:>6}{:>10}{:>10}{:>10}{:>15}{:>10}{:>10}\n", "n", "program", "precision",
                  "networks", "net-steps/s", "TFLOP/s", device.backend == "cuda" ? "fp32 peak" : "of GEMM");
  for (const auto& row : report.throughput)
    if (row.result)
      text += fmt::format("{:>6}{:>10}{:>10}{:>10}{:>15.5g}{:>10.4g}{:>10}\n", row.asked.n_hidden,
                          first_word(row.result->program), info(row.asked.precision).name, row.asked.n_nets,
                          row.result->net_steps_per_s, row.result->tflops, percent(share_of_peak(*row.result, device)));
  text += problems(report.throughput);
  text += latency_text(report);

  if (!report.update.empty()) {
    text += fmt::format("\nupdates of weights in memory\n{:>14}{:>10}{:>12}{:>10}\n", "geometry", "GB/s", "copy GB/s",
                        "of copy");
    for (const auto& row : report.update)
      if (row.result)
        text += fmt::format("{:>14}{:>10.4g}{:>12.4g}{:>10}\n", info(row.asked.geometry).name,
                            1e-9 * row.result->update_bytes_per_s, 1e-9 * row.result->copy_bytes_per_s,
                            percent(row.result->share()));
    text += problems(report.update);
  }
  return text;
}

std::string report_json(const GpuBenchReport& report, const Device::Info& device, bool quick) {
  const char* const commit = std::getenv("COHORT_COMMIT");
  const Json json = {
      {"benchmark", "gpu"},
      {"cohort", COHORT_VERSION},
      {"commit", commit && *commit ? Json(commit) : Json()},
      {"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()))},
      {"quick", quick},
      {"complete", report.complete},
      {"seconds", report.seconds},
      {"device", json_of(device)},
      {"conformance", json_of_conformance(report)},
      {"accuracy", json_of_accuracy(report)},
      {"throughput", json_of_speed(report.throughput, device)},
      {"latency", json_of_speed(report.latency, device)},
      {"update", json_of_update(report)},
  };
  return json.dump(1) + "\n";
}

}  // namespace cohort::app

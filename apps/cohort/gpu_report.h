// What `cohort bench gpu` found, as text for a terminal and as one JSON document.
#pragma once

#include <string>

#include "runner/gpu_bench.h"

namespace cohort::app {

std::string device_text(const engine::Device::Info& device);
std::string report_text(const engine::GpuBenchReport& report, const engine::Device::Info& device);
std::string report_json(const engine::GpuBenchReport& report, const engine::Device::Info& device, bool quick);

}  // namespace cohort::app

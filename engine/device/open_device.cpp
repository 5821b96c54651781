// Which device: the CPU, which is always there, or CUDA, whose module is opened at run time.
#include <dlfcn.h>

#include <charconv>
#include <climits>
#include <filesystem>
#include <string>
#include <string_view>

#include "cohort/error.h"
#include "device/cuda_module.h"
#include "device/device.h"

namespace cohort::engine {

namespace {

using OpenCuda = Device*(int ordinal, int threads, char* reason, size_t reason_bytes);

// The folder of the program or library that this code is part of; empty if the system does not say.
std::filesystem::path own_folder() {
  Dl_info self;
  std::error_code error;
  if (dladdr(reinterpret_cast<const void*>(&own_folder), &self) == 0 || !self.dli_fname) return {};
  std::filesystem::path file = std::filesystem::canonical(self.dli_fname, error);
  if (error) file = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path() : file.parent_path();
}

// Opens the module beside us, in ../lib, or where the loader looks; nullptr with the loader's words. It stays open:
// what it starts (CUDA's own threads) does not survive being closed.
void* open_module(std::string* reason) {
  const std::filesystem::path folder = own_folder();
  if (!folder.empty())
    for (const auto& file : {folder / cuda_module_name, folder.parent_path() / "lib" / cuda_module_name}) {
      std::error_code error;
      if (!std::filesystem::exists(file, error)) continue;
      if (void* const module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) return module;
      *reason = std::string("the CUDA module does not load: ") + dlerror();
      return nullptr;
    }
  if (void* const module = dlopen(cuda_module_name, RTLD_NOW | RTLD_LOCAL)) return module;
  *reason = std::string("there is no CUDA module: ") + dlerror();
  return nullptr;
}

}  // namespace

std::unique_ptr<Device> open_cuda_device(int ordinal, int threads, std::string* reason) {
  std::string why = "there is no NVIDIA driver";
  std::unique_ptr<Device> device;
  // Asked first: the module brings a gigabyte of libraries along.
  static const bool has_driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != nullptr;
  if (void* const module = has_driver ? open_module(&why) : nullptr) {
    const auto open = reinterpret_cast<OpenCuda*>(dlsym(module, cuda_module_entry));
    char text[512] = "";
    if (open)
      device.reset(open(ordinal, threads, text, sizeof text));
    else
      std::snprintf(text, sizeof text, "%s has no %s", cuda_module_name, cuda_module_entry);
    why = text;
  }
  if (reason) *reason = device ? std::string() : why;
  return device;
}

std::unique_ptr<Device> open_device(const std::string& which, int threads, bool emulate_precision) {
  const std::string_view word = which;
  if (word == "cpu" || (word == "auto" && emulate_precision)) return open_cpu_device(threads, "", emulate_precision);
  std::string reason;
  if (word == "auto") {
    if (auto device = open_cuda_device(0, threads, &reason)) return device;
    return open_cpu_device(threads);
  }
  int ordinal = 0;
  bool known = word == "cuda";
  if (word.starts_with("cuda:")) {
    const std::string_view number = word.substr(5);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), ordinal);
    if (error == std::errc::result_out_of_range) ordinal = INT_MAX;
    known = !number.empty() && number[0] != '-' && end == number.data() + number.size() &&
            error != std::errc::invalid_argument;
  }
  if (!known) throw Error("unknown device '" + which + "'; allowed: auto, cpu, cuda, cuda:0, cuda:1, ...");
  if (emulate_precision)
    throw Error("--emulate-precision is of the CPU; device is '" + which + "'; allowed: auto, cpu");
  auto device = open_cuda_device(ordinal, threads, &reason);
  constexpr int no_device = 100;  // cudaErrorNoDevice
  if (!device) throw CudaError(no_device, "device '" + which + "': " + reason);
  return device;
}

}  // namespace cohort::engine

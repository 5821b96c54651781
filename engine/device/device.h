// Where networks live and are trained. The engine sees a backend only through this interface: memory, the operations of
// cohort/kernels.h over whole cohorts, and spectra. Pointers in arguments are the device's own (device_array.h).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cohort/kernels.h"
#include "device/spectra.h"

namespace cohort::engine {

class Device {
 public:
  struct Info {
    std::string backend;      // "cpu", "cuda"
    std::string name;         // what is printed: "cpu", "NVIDIA H100 80GB HBM3", ...
    std::string isa;          // "x86-64-v4", "sm_90", ...
    int workers = 1;          // networks in flight at once
    size_t memory_bytes = 0;  // what a cohort may use
  };
  virtual ~Device() = default;
  virtual const Info& info() const = 0;

  // Memory; zeroed. allocate throws CudaError or std::bad_alloc.
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  virtual void upload(void* to, const void* from, size_t bytes) = 0;
  virtual void download(void* to, const void* from, size_t bytes) = 0;

  // One operation over all networks of the cohort; done when it returns.
  virtual void run(const InitArgs<float>&) = 0;
  virtual void run(const TrainArgs<float>&) = 0;
  virtual void run(const EvaluateArgs<float>&) = 0;
  virtual void run(const ProbeArgs<float>&) = 0;
  virtual void run(const TangentArgs<float>&) = 0;
  virtual void run(const EffectiveArgs<float>&) = 0;

  // Which program trains networks of this signature and, in brackets, why the faster ones do not: "tiled", "generic (tiled:
  // more than 32 inputs)".
  virtual std::string training_program(const Signature& signature) const = 0;

  // Scratch memory that an operation over `count` networks takes.
  virtual size_t train_workspace(const TrainArgs<float>&, int count) const = 0;
  virtual size_t tangent_workspace(const TangentArgs<float>&, int count) const = 0;

  virtual Spectra& spectra() = 0;

  // body(i) for 0 <= i < count on all the host's workers.
  virtual void for_each(int64_t count, const std::function<void(int64_t)>& body) = 0;
};

// "auto" (CUDA if there is a device, else the CPU), "cpu", "cuda" or "cuda:1". threads = 0: all cores that the process may
// use. Throws cohort::Error for a word that is none of these, CudaError if the device that was asked for is not there.
std::unique_ptr<Device> open_device(const std::string& which, int threads);

std::unique_ptr<Device> open_cpu_device(int threads, const std::string& isa = "");
// nullptr, with the reason, where the CUDA module or a device is missing.
std::unique_ptr<Device> open_cuda_device(int ordinal, int threads, std::string* reason);

}  // namespace cohort::engine

// Where networks live and are trained. The engine sees a backend only through this interface: memory, the operations of
// cohort/kernels.h over whole cohorts, and spectra. Pointers in arguments are the device's own (device_array.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cohort/kernels.h"
#include "cohort/normality.h"
#include "device/spectra.h"
#include "device/update_bandwidth.h"

namespace cohort::engine {

// What a graphics card says of itself; 0 where it says nothing.
struct Card {
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  double clock_hz = 0;  // the highest of the multiprocessors
  size_t total_bytes = 0;
  int driver_version = 0, runtime_version = 0;  // CUDA's: 13000 = 13.0
  // Fused multiply-adds of all lanes in every cycle; 0 where the clock is not known.
  double fp32_flops() const {
    const bool narrow = major < 8 || (major == 8 && minor == 0);  // 64 lanes a multiprocessor, since then 128
    return 2.0 * (narrow ? 64 : 128) * multiprocessors * clock_hz;
  }
};

class Device {
 public:
  struct Info {
    std::string backend;      // "cpu", "cuda"
    std::string name;         // what is printed: "cpu", "NVIDIA H100 80GB HBM3", ...
    std::string isa;          // "x86-64-v4", "x86-64-v4, precision emulated", "sm_90", ...
    int workers = 1;          // networks in flight at once
    size_t memory_bytes = 0;  // what a cohort may use
    Card card;                // of "cuda"
  };
  virtual ~Device() = default;
  virtual const Info& info() const = 0;

  // Memory; zeroed. allocate throws CudaError (is_out_of_memory in device/out_of_memory.h) or std::bad_alloc.
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
  virtual void run(const AlignmentArgs<float>&) = 0;
  virtual void run(const EffectiveArgs<float>&) = 0;

  // The operations of cohort/normality.h.
  virtual void run(const DualChangeArgs&) = 0;
  virtual void run(const LogWeightsArgs&) = 0;

  // Which program trains networks of this signature and, in brackets, why the faster ones do not: "tiled", "generic (tiled:
  // more than 32 inputs)". Throws Error where none does, because the device has not the signature's precision; so does run().
  virtual std::string training_program(const Signature& signature) const = 0;

  // Scratch memory that an operation over `count` networks takes.
  virtual size_t train_workspace(const TrainArgs<float>&, int count) const = 0;
  virtual size_t tangent_workspace(const TangentArgs<float>&, int count) const = 0;
  virtual size_t dual_change_workspace(const DualChangeArgs&, int count) const = 0;
  // Gives back the scratch memory that is kept between operations.
  virtual void release_scratch() noexcept = 0;

  virtual Spectra& spectra() = 0;

  // mirror_update beside a copy; nothing where that is not measured.
  virtual std::optional<UpdateBandwidth> update_bandwidth(const UpdateBandwidthCase&) = 0;

  // body(i) for 0 <= i < count on all the host's workers.
  virtual void for_each(int64_t count, const std::function<void(int64_t)>& body) = 0;
};

// "auto" (CUDA if there is a device, else the CPU), "cpu", "cuda" or "cuda:1". threads = 0: all cores that the process may
// use. Throws cohort::Error for a word that is none of these, CudaError if the device that was asked for is not there.
// emulate_precision: the CPU, which then trains networks of any precision by rounding as a card would (cpu_rounding_program).
std::unique_ptr<Device> open_device(const std::string& which, int threads, bool emulate_precision = false);

std::unique_ptr<Device> open_cpu_device(int threads, const std::string& isa = "", bool emulate_precision = false);
// nullptr, with the reason, where the CUDA module or a device is missing.
std::unique_ptr<Device> open_cuda_device(int ordinal, int threads, std::string* reason);

}  // namespace cohort::engine

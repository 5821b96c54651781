// The one GPU header that kernels and device host code include. With a CUDA toolkit it is the CUDA runtime; in the
// emulated build of the same sources (COHORT_EMULATED) it is the emulator of the tests.
//
// Rules that make one source serve both: kernels start through gpu::launch, shared memory comes from GPU_SHARED or from
// gpu::Smem over GPU_DYN_SMEM, PTX lives in cuda/ptx.h, and loops that wait for another thread call gpu::spin_hint.
#pragma once

#if defined(COHORT_EMULATED)
#include "emulator/emulator.h"
#else
#include <cuda_runtime.h>
#endif

#include <cxxabi.h>

#include <cstddef>
#include <cstdlib>
#include <source_location>
#include <string>
#include <type_traits>

#include "cohort/error.h"

// GPU_DYN_SMEM(name): unsigned char* name = start of the dynamic shared memory, 128-byte aligned.
// GPU_SHARED(T, name, n): static shared array of n T, uninitialised. An array on the device, a pointer in the emulator:
// take no sizeof of it.
// GPU_SITE, GPU_SITE_HERE: a function that wraps a barrier takes GPU_SITE as its only parameter and hands GPU_SITE_HERE
// on, so that the emulator names and compares the places where the wrapper was called. Both are nothing on the device.
#if defined(COHORT_EMULATED)
#define GPU_DYN_SMEM(name) unsigned char* const name = ::emulator::dynamic_shared()
#define GPU_SHARED(T, name, n) \
  static char name##_key;      \
  T* const name = static_cast<T*>(::emulator::static_shared(&name##_key, sizeof(T) * (n)))
#define GPU_SITE std::source_location site = std::source_location::current()
#define GPU_SITE_HERE site
#elif defined(__CUDACC__)
#define GPU_DYN_SMEM(name)                                       \
  extern __shared__ __align__(128) unsigned char gpu_dyn_smem[]; \
  unsigned char* const name = gpu_dyn_smem
#define GPU_SHARED(T, name, n) __shared__ T name[n]
#define GPU_SITE
#define GPU_SITE_HERE
#endif

namespace gpu {

[[noreturn]] inline void raise(cudaError_t error, const std::string& what, const std::source_location& at) {
  cudaGetLastError();  // a later check must not report this one again
  throw cohort::CudaError(int(error), what + ": " + cudaGetErrorString(error) + " (" + cudaGetErrorName(error) +
                                          ") at " + at.file_name() + ":" + std::to_string(at.line()));
}

// Throws cohort::CudaError unless error == cudaSuccess; `what` says what was tried.
inline void check(cudaError_t error, const char* what, std::source_location at = std::source_location::current()) {
  if (error != cudaSuccess) raise(error, what, at);
}

// The demangled name of a kernel.
inline std::string kernel_name(const void* kernel) {
  const char* name = nullptr;
  if (cudaFuncGetName(&name, kernel) != cudaSuccess || !name) {
    cudaGetLastError();
    return "unknown kernel";
  }
  int status = 0;
  char* readable = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  const std::string result = readable ? readable : name;
  std::free(readable);
  return result;
}

// The grid of a launch and the place that asked for it.
struct Grid {
  dim3 size;
  std::source_location at;
  Grid(dim3 size_, std::source_location at_ = std::source_location::current()) : size(size_), at(at_) {}
  Grid(unsigned n_blocks, std::source_location at_ = std::source_location::current()) : size(n_blocks), at(at_) {}
  Grid(int n_blocks, std::source_location at_ = std::source_location::current()) : size(unsigned(n_blocks)), at(at_) {}
};

// Dynamic shared memory that every kernel may use without asking.
inline constexpr size_t default_smem_bytes = 48 * 1024;
inline cudaError_t opt_in(const void* kernel, size_t smem_bytes) {
  return smem_bytes <= default_smem_bytes
             ? cudaSuccess
             : cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(smem_bytes));
}

inline int device_attribute(cudaDeviceAttr attribute) {
  int device = 0, value = 0;
  check(cudaGetDevice(&device), "current device");
  check(cudaDeviceGetAttribute(&value, attribute, device), "attribute of the device");
  return value;
}
// Shared memory that a block of the current device may have after opting in.
inline size_t smem_per_block() { return size_t(device_attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin)); }

// Blocks of a kernel that the current device runs at once; at least 1.
template <class... P>
int n_resident_blocks(void (*kernel)(P...), int n_threads, size_t smem_bytes) {
  int per_multiprocessor = 0;
  check(opt_in(reinterpret_cast<const void*>(kernel), smem_bytes), "shared memory of a kernel");
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_multiprocessor, kernel, n_threads, smem_bytes), "occupancy");
  const int n = device_attribute(cudaDevAttrMultiProcessorCount) * per_multiprocessor;
  return n > 0 ? n : 1;
}

// Enqueues kernel<<<grid, block, smem_bytes, stream>>>(args...) and opts in to large dynamic shared memory. Throws
// cohort::CudaError if the launch fails; errors of the running kernel surface at a later check. Does not synchronise.
template <class... P>
void launch(void (*kernel)(P...), Grid grid, dim3 block, size_t smem_bytes, cudaStream_t stream,
            std::type_identity_t<P>... args) {
  const void* const entry = reinterpret_cast<const void*>(kernel);
  cudaError_t error = opt_in(entry, smem_bytes);
  if (error == cudaSuccess) {
    cudaLaunchConfig_t config{};
    config.gridDim = grid.size;
    config.blockDim = block;
    config.dynamicSmemBytes = smem_bytes;
    config.stream = stream;
    error = cudaLaunchKernelEx(&config, kernel, args...);
  }
  if (error != cudaSuccess)
    raise(error,
          "launch of " + kernel_name(entry) + " <<<" + std::to_string(grid.size.x) + " blocks, " +
              std::to_string(block.x * block.y * block.z) + " threads, " + std::to_string(smem_bytes) +
              " bytes of shared memory>>>",
          grid.at);
}

#if defined(COHORT_EMULATED) || defined(__CUDACC__)
// Cuts arrays out of dynamic shared memory, each 16-byte aligned. Every thread of the block takes the same arrays in
// the same order. On the host, Smem(nullptr) with the same calls counts: bytes() is then the smem_bytes of the launch.
class Smem {
 public:
  __host__ __device__ explicit Smem(unsigned char* base) : base_(base) {}
  template <class T>
  __host__ __device__ __forceinline__ T* take(size_t n) {
    const size_t offset = bytes_;
    bytes_ += (n * sizeof(T) + 15) / 16 * 16;
#if defined(__CUDA_ARCH__)
    return reinterpret_cast<T*>(base_ + offset);  // never null, so that the compiler knows it to be shared
#elif defined(COHORT_EMULATED)
    return base_ ? static_cast<T*>(::emulator::slice_shared(offset, n * sizeof(T))) : nullptr;
#else
    return nullptr;
#endif
  }
  __host__ __device__ size_t bytes() const { return bytes_; }

 private:
  unsigned char* base_;
  size_t bytes_ = 0;
};

// Inside every loop that waits for another thread.
__device__ __forceinline__ void spin_hint() { __nanosleep(20); }
#endif

}  // namespace gpu

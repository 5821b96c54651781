// The CUDA runtime of these tests: the emulator's, or a card's (label gpu), and arrays in its memory or in the host's.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "cohort/kernels.h"
#include "cuda/gpu.h"

namespace cohort::testing {

#if defined(COHORT_EMULATED)
inline constexpr bool emulated = true;
#else
inline constexpr bool emulated = false;
#endif

// Why nothing can run here; empty if it can. Programs in double are built for compute capability 9.0 only.
inline std::string missing_device(bool in_double = false) {
  int count = 0, major = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) cudaGetLastError();
  if (error != cudaSuccess || count == 0) return "no CUDA device";
  gpu::check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0), "compute capability");
  return emulated || !in_double || major == 9 ? "" : "double is built for compute capability 9.0";
}

// Skips the test without a card; with COHORT_REQUIRE_GPU=1 it fails instead.
#define COHORT_NEEDS_DEVICE(...)                                                              \
  if (const std::string why = ::cohort::testing::missing_device(__VA_ARGS__); !why.empty()) { \
    const char* const required = std::getenv("COHORT_REQUIRE_GPU");                           \
    if (required && std::strcmp(required, "1") == 0) FAIL() << why;                           \
    GTEST_SKIP() << why;                                                                      \
  }

enum class Where { host, device };

template <class T>
class Buffer {
 public:
  Buffer(Where where, std::vector<T> values) : where_(where), values_(std::move(values)) {
    if (where_ == Where::device && !values_.empty()) {
      gpu::check(cudaMalloc(&device_, values_.size() * sizeof(T)), "allocation");
      upload();
    }
  }
  Buffer(Where where, size_t size) : Buffer(where, std::vector<T>(size)) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { cudaFree(device_); }
  T* data() { return values_.empty() ? nullptr : where_ == Where::host ? values_.data() : device_; }
  size_t size() const { return values_.size(); }
  std::vector<T> values() {
    if (where_ == Where::device && !values_.empty())
      gpu::check(cudaMemcpy(values_.data(), device_, values_.size() * sizeof(T), cudaMemcpyDeviceToHost),
                 "copy to the host");
    return values_;
  }

 private:
  void upload() {
    gpu::check(cudaMemcpy(device_, values_.data(), values_.size() * sizeof(T), cudaMemcpyHostToDevice),
               "copy to the device");
  }
  Where where_;
  std::vector<T> values_;
  T* device_ = nullptr;
};

// 256-byte aligned scratch memory, as a workspace wants it.
class Scratch {
 public:
  Scratch(Where where, size_t bytes) : where_(where), bytes_(bytes) {
    if (bytes == 0) return;
    if (where == Where::host) {
      memory_ = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
      std::memset(memory_, 0xff, bytes);
    } else {
      gpu::check(cudaMalloc(&memory_, bytes), "allocation");
      gpu::check(cudaMemset(memory_, 0xff, bytes), "filling of scratch memory");  // NaN
    }
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (where_ == Where::host)
      std::free(memory_);
    else
      cudaFree(memory_);
  }
  void* data() const { return memory_; }
  size_t bytes() const { return bytes_; }

 private:
  Where where_;
  size_t bytes_;
  void* memory_ = nullptr;
};

// f(launch), done when it returns: [first, first + count) with just the workspace that is needed.
template <class F>
void launch_on(Where where, size_t workspace_bytes, int first, int count, F f) {
  const Scratch scratch(where, workspace_bytes);
  f(Launch{first, count, scratch.data(), workspace_bytes, nullptr});
  if (where == Where::device) gpu::check(cudaDeviceSynchronize(), "a launch");
}

}  // namespace cohort::testing

// What the emulator's own tests share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda/gpu.h"

namespace emulator::testing {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool has_asan = false, has_tsan = true;
#else
inline constexpr bool has_asan = true, has_tsan = false;
#endif
#define NEEDS_ASAN() \
  if (!has_asan) GTEST_SKIP() << "AddressSanitizer's to find"

template <class T>
class Buffer {
 public:
  explicit Buffer(size_t n) : n_(n) { gpu::check(cudaMalloc(&data_, n * sizeof(T)), "allocation"); }
  explicit Buffer(const std::vector<T>& host) : Buffer(host.size()) {
    gpu::check(cudaMemcpy(data_, host.data(), n_ * sizeof(T), cudaMemcpyHostToDevice), "copy to the device");
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { cudaFree(data_); }
  T* data() const { return data_; }
  std::vector<T> host() const {
    std::vector<T> copy(n_);
    gpu::check(cudaMemcpy(copy.data(), data_, n_ * sizeof(T), cudaMemcpyDeviceToHost), "copy to the host");
    return copy;
  }

 private:
  T* data_ = nullptr;
  size_t n_;
};

inline std::vector<float> constant(size_t n, float value) { return std::vector<float>(n, value); }

struct Stream {
  cudaStream_t handle;
  Stream() { gpu::check(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking), "stream"); }
  ~Stream() { cudaStreamDestroy(handle); }
};

// Sets an option for the length of a test.
template <class T>
struct With {
  T& option;
  T before;
  With(T& option_, T value) : option(option_), before(option_) { option = value; }
  ~With() { option = before; }
};

inline bool any_nan(const std::vector<float>& values) {
  return std::any_of(values.begin(), values.end(), [](float v) { return std::isnan(v); });
}

// Starts a kernel of one block and waits for it.
template <class... P>
void run_block(void (*kernel)(P...), int n_threads, std::type_identity_t<P>... args) {
  gpu::launch(kernel, 1, unsigned(n_threads), 0, nullptr, args...);
  gpu::check(cudaDeviceSynchronize(), "kernel");
}

}  // namespace emulator::testing

#include "device/cuda_update_bandwidth.h"

#include <algorithm>
#include <vector>

#include "cuda/gpu.h"

namespace cohort::engine {

namespace {

template <class T>
class Array {
 public:
  explicit Array(size_t size) : bytes_(std::max<size_t>(1, size * sizeof(T))) {
    gpu::check(cudaMalloc(&memory_, bytes_), "allocation");
    gpu::check(cudaMemset(memory_, 0, bytes_), "zeroing of new memory");
  }
  explicit Array(const std::vector<T>& values) : Array(values.size()) {
    if (!values.empty())
      gpu::check(cudaMemcpy(memory_, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice), "upload");
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { cudaFree(memory_); }
  T* data() const { return memory_; }

 private:
  size_t bytes_;
  T* memory_ = nullptr;
};

// A stream with a clock.
class Timer {
 public:
  Timer() {
    gpu::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream");
    for (cudaEvent_t& e : events_) gpu::check(cudaEventCreate(&e), "event");
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() {
    for (cudaEvent_t e : events_) cudaEventDestroy(e);
    cudaStreamDestroy(stream_);
  }
  cudaStream_t stream() const { return stream_; }
  // Of `times` calls one after another.
  template <class F>
  double seconds(int times, F call) {
    gpu::check(cudaEventRecord(events_[0], stream_), "event");
    for (int i = 0; i < times; ++i) call();
    gpu::check(cudaEventRecord(events_[1], stream_), "event");
    gpu::check(cudaEventSynchronize(events_[1]), "measured work");
    float milliseconds = 0;
    gpu::check(cudaEventElapsedTime(&milliseconds, events_[0], events_[1]), "elapsed time");
    return std::max(1e-9, 1e-3 * double(milliseconds));
  }

 private:
  cudaStream_t stream_ = nullptr;
  cudaEvent_t events_[2] = {};
};

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + ptrdiff_t(v.size() / 2), v.end());
  return v[v.size() / 2];
}

}  // namespace

UpdateBandwidth measure_update_bandwidth(const UpdateBandwidthCase& shape) {
  const size_t n_nets = size_t(shape.n_nets), size = n_nets * size_t(shape.n) + size_t(shape.offset);
  const Array<float> weights(std::vector<float>(size, 0.5f)), gradient(std::vector<float>(size, 1e-3f)), momentum(size);
  const Array<float> lr(std::vector<float>(n_nets, 1e-4f));
  const Array<uint8_t> mask(shape.mask ? std::vector<uint8_t>(size, 1) : std::vector<uint8_t>());
  std::vector<RuleSpec> rule(n_nets);
  for (RuleSpec& r : rule) {
    r.geometry = shape.geometry;
    r.projection = shape.projection;
    r.p = shape.p;
  }
  const Array<RuleSpec> rules(rule);
  const MirrorUpdateArgs<float> args{.n_nets = shape.n_nets,
                                     .n = shape.n,
                                     .weights = weights.data() + shape.offset,
                                     .gradient = gradient.data() + shape.offset,
                                     .momentum = momentum.data() + shape.offset,
                                     .mask = shape.mask ? mask.data() + shape.offset : nullptr,
                                     .rules = rules.data(),
                                     .lr = lr.data(),
                                     .step = 1};
  const double bytes = update_bytes(args);
  const size_t half = size_t(bytes / 2);
  const Array<unsigned char> from(half), to(half);
  Timer timer;
  const auto update = [&] {
    cuda_update<float>()->mirror_update(args, {.count = shape.n_nets, .stream = timer.stream()});
  };
  const auto copy = [&] {
    gpu::check(cudaMemcpyAsync(to.data(), from.data(), half, cudaMemcpyDeviceToDevice, timer.stream()), "copy");
  };
  gpu::check(cudaDeviceSynchronize(), "preparation");
  constexpr int rounds = 7;
  timer.seconds(1, update);  // loads the kernel
  const auto times = [&](double once) { return int(std::clamp(shape.seconds / (2 * rounds) / once, 1.0, 1000.0)); };
  const int n_updates = times(timer.seconds(1, update)), n_copies = times(timer.seconds(1, copy));
  std::vector<double> updates, copies;
  for (int r = 0; r < rounds; ++r) {
    copies.push_back(timer.seconds(n_copies, copy) / n_copies);
    updates.push_back(timer.seconds(n_updates, update) / n_updates);
  }
  UpdateBandwidth result;
  result.seconds_per_update = median(updates);
  result.update_bytes_per_s = bytes / result.seconds_per_update;
  result.copy_bytes_per_s = 2 * double(half) / median(copies);
  return result;
}

}  // namespace cohort::engine

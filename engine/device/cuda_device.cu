// One CUDA device behind the engine's interface. This file and cuda_spectra.cu make up the module libcohort_cuda.so,
// which open_device.cpp opens at run time; nothing else of the engine knows CUDA.
#include "device/cuda_module.h"

#include <algorithm>
#include <cstdio>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "cohort/error.h"
#include "cuda/gpu.h"
#include "device/cuda_spectra.h"
#include "device/cuda_update_bandwidth.h"
#include "device/device.h"
#include "device/device_array.h"
#include "device/out_of_memory.h"
#include "device/parallel.h"
#include "device/same_data.h"

namespace cohort::engine {

namespace {

constexpr double usable_share = 0.85;  // of the memory that is free at the start
constexpr int insufficient_driver = 35;
constexpr int least_capability = 8;  // CMAKE_CUDA_ARCHITECTURES
static_assert(out_of_memory_code == int(cudaErrorMemoryAllocation));

class Stream {
 public:
  Stream() { gpu::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream"); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { cudaStreamDestroy(stream_); }
  cudaStream_t get() const { return stream_; }
  void finish(const char* what) const { gpu::check(cudaStreamSynchronize(stream_), what); }

 private:
  cudaStream_t stream_ = nullptr;
};

// Everything runs in one stream; every function returns when its work is done, but for the zeroing of new memory, which
// later work in the stream waits for. Memory comes from the device's stream-ordered pool, which keeps what is released.
class CudaDevice final : public Device {
 public:
  CudaDevice(int ordinal, int threads)
      : ordinal_(use(ordinal)),
        n_threads_(threads > 0 ? threads : int(std::max(1u, std::thread::hardware_concurrency()))),
        spectra_(stream_.get()) {
    keep_memory_in_pool();
    cudaDeviceProp properties;
    gpu::check(cudaGetDeviceProperties(&properties, ordinal), "properties of the device");
    size_t free = 0, total = 0;
    gpu::check(cudaMemGetInfo(&free, &total), "free memory");
    info_.backend = "cuda";
    info_.name = properties.name;
    info_.isa = "sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
    info_.memory_bytes = size_t(double(free) * usable_share);
    info_.card = describe(properties);
    info_.workers = n_blocks_in_flight();
  }
  ~CudaDevice() override {
    cudaSetDevice(ordinal_);
    release_workspace();
    cudaStreamSynchronize(stream_.get());
  }
  const Info& info() const override { return info_; }

  void* allocate(size_t bytes) override {
    use(ordinal_);
    void* memory = try_allocate(bytes);
    if (!memory && workspace_) {  // what is kept of earlier operations stands in the way
      release_workspace();
      memory = try_allocate(bytes);
    }
    if (!memory)
      gpu::raise(cudaErrorMemoryAllocation, "allocation of " + std::to_string(bytes) + " bytes",
                 std::source_location::current());
    gpu::check(cudaMemsetAsync(memory, 0, std::max<size_t>(bytes, 1), stream_.get()), "zeroing of new memory");
    return memory;
  }
  void release(void* memory) noexcept override {
    cudaSetDevice(ordinal_);
    if (memory) cudaFreeAsync(memory, stream_.get());
  }
  void upload(void* to, const void* from, size_t bytes) override {
    copy(to, from, bytes, cudaMemcpyHostToDevice, "upload");
  }
  void download(void* to, const void* from, size_t bytes) override {
    copy(to, from, bytes, cudaMemcpyDeviceToHost, "download");
  }

  void run(const InitArgs<float>& a) override {
    all(a, &Program<float>::init_workspace, &Program<float>::init, "init");
  }
  void run(const TrainArgs<float>& a) override {
    const DeviceArray<int32_t> order =
        chosen(a.cohort.signature).program->together ? grouped(a.cohort) : DeviceArray<int32_t>();
    all(a, &Program<float>::train_workspace, &Program<float>::train, "train", order.data());
  }
  void run(const EvaluateArgs<float>& a) override {
    all(a, &Program<float>::evaluate_workspace, &Program<float>::evaluate, "evaluate");
  }
  void run(const ProbeArgs<float>& a) override {
    all(a, &Program<float>::probe_workspace, &Program<float>::probe, "probe");
  }
  void run(const TangentArgs<float>& a) override {
    all(a, &Program<float>::tangent_workspace, &Program<float>::tangent, "tangent");
  }
  void run(const AlignmentArgs<float>& a) override {
    all(a, &Program<float>::alignment_workspace, &Program<float>::alignment, "alignment");
  }
  void run(const EffectiveArgs<float>& a) override {
    all(a, &Program<float>::effective_workspace, &Program<float>::effective, "effective");
  }
  void run(const DualChangeArgs& a) override {
    use(ordinal_);
    const NormalityProgram& program = *cuda_normality();
    all(a, a.n_nets, program.dual_change_workspace, program.dual_change, "dual change");
  }
  void run(const LogWeightsArgs& a) override {
    use(ordinal_);
    const NormalityProgram& program = *cuda_normality();
    all(a, a.n_nets, program.log_weights_workspace, program.log_weights, "log weights");
  }

  std::string training_program(const Signature& signature) const override {
    const Choice<float> choice = chosen(signature);
    return choice.program->name + (choice.refused.empty() ? "" : " (" + choice.refused + ")");
  }
  size_t train_workspace(const TrainArgs<float>& a, int count) const override {
    return chosen(a.cohort.signature).program->train_workspace(a, count);
  }
  size_t tangent_workspace(const TangentArgs<float>& a, int count) const override {
    return chosen(a.cohort.signature).program->tangent_workspace(a, count);
  }

  size_t dual_change_workspace(const DualChangeArgs& a, int count) const override {
    use(ordinal_);
    return cuda_normality()->dual_change_workspace(a, count);
  }

  void release_scratch() noexcept override {
    cudaSetDevice(ordinal_);
    release_workspace();
  }

  Spectra& spectra() override {
    use(ordinal_);
    return spectra_;
  }
  std::optional<UpdateBandwidth> update_bandwidth(const UpdateBandwidthCase& shape) override {
    use(ordinal_);
    return measure_update_bandwidth(shape);
  }
  void for_each(int64_t count, const std::function<void(int64_t)>& body) override {
    parallel_for(n_threads_, count, [&](int64_t i, int) { body(i); });
  }

 private:
  // The current device is the calling thread's own.
  static int use(int ordinal) {
    gpu::check(cudaSetDevice(ordinal), "choice of the device");
    return ordinal;
  }

  Card describe(const cudaDeviceProp& properties) const {
    Card card;
    card.major = properties.major;
    card.minor = properties.minor;
    card.multiprocessors = properties.multiProcessorCount;
    card.total_bytes = properties.totalGlobalMem;
    constexpr auto clock_rate = cudaDeviceAttr(13);  // cudaDevAttrClockRate, in kHz; not every device says it
    int kilohertz = 0;
    if (cudaDeviceGetAttribute(&kilohertz, clock_rate, ordinal_) == cudaSuccess)
      card.clock_hz = 1e3 * kilohertz;
    else
      cudaGetLastError();
    gpu::check(cudaDriverGetVersion(&card.driver_version), "version of the driver");
    gpu::check(cudaRuntimeGetVersion(&card.runtime_version), "version of the runtime");
    return card;
  }

  void keep_memory_in_pool() {
    cudaMemPool_t pool;
    uint64_t everything = UINT64_MAX;
    gpu::check(cudaDeviceGetDefaultMemPool(&pool, ordinal_), "memory pool");
    gpu::check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &everything), "memory pool");
  }

  int n_blocks_in_flight() const {
    TrainArgs<float> tiny;
    tiny.cohort.signature = {CoreId::recurrent, 1, 1, 1, 1, 0, 1, 1, 0};
    const Program<float>& program = *cuda_program<float>(CoreId::recurrent);
    return int(program.train_workspace(tiny, INT32_MAX) / program.train_workspace(tiny, 1));
  }

  // nullptr if the device has not so much.
  void* try_allocate(size_t bytes) {
    for (const bool last : {false, true}) {
      void* memory = nullptr;
      const cudaError_t error = cudaMallocAsync(&memory, std::max<size_t>(bytes, 1), stream_.get());
      if (error == cudaSuccess) return memory;
      if (error != cudaErrorMemoryAllocation) gpu::raise(error, "allocation", std::source_location::current());
      cudaGetLastError();
      if (!last) stream_.finish("release of memory");  // what was released before is free now
    }
    return nullptr;
  }

  void copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, const char* what) {
    if (bytes == 0) return;
    use(ordinal_);
    gpu::check(cudaMemcpyAsync(to, from, bytes, kind, stream_.get()), what);
    stream_.finish(what);
  }

  void release_workspace() noexcept {
    if (workspace_) cudaFreeAsync(workspace_, stream_.get());
    workspace_ = nullptr;
    workspace_bytes_ = 0;
  }

  // At least `least` bytes, up to `most` where there is memory: with fewer workspaces, blocks take more turns.
  void need_workspace(size_t least, size_t most, const char* what) {
    if (workspace_bytes_ >= most) return;
    release_workspace();
    for (size_t bytes = most;; bytes = std::max(least, bytes / 2)) {
      workspace_ = try_allocate(bytes);
      if (workspace_) {
        workspace_bytes_ = bytes;
        return;
      }
      if (bytes <= least)
        gpu::raise(cudaErrorMemoryAllocation,
                   std::string("workspace of ") + what + ", " + std::to_string(least) + " bytes for one network",
                   std::source_location::current());
    }
  }

  Choice<float> chosen(const Signature& signature) const {
    use(ordinal_);
    return choose_cuda_program<float>(signature);
  }

  // The networks of a cohort, those of equal data one after another.
  DeviceArray<int32_t> grouped(const Cohort<float>& cohort) {
    const size_t n = size_t(cohort.n_nets);
    std::vector<NetSpec> nets(n);
    std::vector<NetState> states(n);
    download(nets.data(), cohort.nets, n * sizeof(NetSpec));
    download(states.data(), cohort.state, n * sizeof(NetState));
    std::vector<int32_t> order;
    for (const std::vector<int32_t>& group : same_data(nets, states, n))
      order.insert(order.end(), group.begin(), group.end());
    return DeviceArray<int32_t>(*this, order);
  }

  template <class Args>
  void all(const Args& args, size_t (*Program<float>::*workspace)(const Args&, int32_t),
           void (*Program<float>::*operation)(const Args&, const Launch&), const char* what,
           const int32_t* order = nullptr) {
    const Program<float>& program = *chosen(args.cohort.signature).program;
    all(args, args.cohort.n_nets, program.*workspace, program.*operation, what, order);
  }
  template <class Args>
  void all(const Args& args, int32_t count, size_t (*workspace)(const Args&, int32_t),
           void (*operation)(const Args&, const Launch&), const char* what, const int32_t* order = nullptr) {
    need_workspace(workspace(args, std::min(count, 1)), workspace(args, count), what);
    operation(args, {0, count, workspace_, workspace_bytes_, stream_.get(), order});
    stream_.finish(what);
  }

  int ordinal_, n_threads_;
  Info info_;
  Stream stream_;
  CudaSpectra spectra_;
  void* workspace_ = nullptr;
  size_t workspace_bytes_ = 0;
};

}  // namespace

}  // namespace cohort::engine

extern "C" cohort::engine::Device* cohort_cuda_open(int ordinal, int threads, char* reason, size_t reason_bytes) {
  const auto refuse = [&](const std::string& why) -> cohort::engine::Device* {
    std::snprintf(reason, reason_bytes, "%s", why.c_str());
    return nullptr;
  };
  try {
    int n_devices = 0;
    const cudaError_t error = cudaGetDeviceCount(&n_devices);
    if (error != cudaSuccess) cudaGetLastError();
    if (int(error) == cohort::engine::insufficient_driver)
      return refuse("there is no NVIDIA driver, or it is too old for this build");
    if (error != cudaSuccess && n_devices == 0)
      return refuse(std::string("there is no CUDA device: ") + cudaGetErrorString(error));
    if (n_devices == 0) return refuse("there is no CUDA device");
    if (ordinal < 0 || ordinal >= n_devices)
      return refuse("there is no CUDA device " + std::to_string(ordinal) + ": this machine has " +
                    std::to_string(n_devices) +
                    (n_devices == 1 ? " (cuda:0)" : " (cuda:0 to cuda:" + std::to_string(n_devices - 1) + ")"));
    int major = 0, minor = 0;
    gpu::check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal), "compute capability");
    gpu::check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, ordinal), "compute capability");
    if (major < cohort::engine::least_capability)
      return refuse("cuda:" + std::to_string(ordinal) + " has compute capability " + std::to_string(major) + "." +
                    std::to_string(minor) + "; allowed: " + std::to_string(cohort::engine::least_capability) +
                    ".0 or more");
    return new cohort::engine::CudaDevice(ordinal, threads);
  } catch (const std::exception& e) {
    return refuse(e.what());
  }
}

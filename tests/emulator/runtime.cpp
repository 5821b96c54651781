// Streams, events, copies, launches and the properties of the emulated device.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "emulator/internal.h"

#if defined(EMULATOR_ASAN) || defined(EMULATOR_TSAN)
#include <sanitizer/common_interface_defs.h>
#define EMULATOR_SYMBOLS 1
#endif

namespace emulator {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t default_smem = 48 * 1024;  // dynamic shared memory without opting in
constexpr size_t reserved_smem = 1024;      // of every block, taken by the system
constexpr int max_threads = 1024, threads_per_multiprocessor = 2048, blocks_per_multiprocessor = 32;

cudaError_t last_error = cudaSuccess;

cudaError_t report(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

using Recorded = std::vector<std::function<void()>>;

struct Stream {
  std::deque<std::function<void()>> work;
  uint64_t n_enqueued = 0, n_done = 0;
  bool with_default = true;  // waits for, and is waited for by, the default stream
  bool recording = false;
  Recorded recorded;
};

struct Event {
  cudaStream_t stream = nullptr;
  uint64_t ticket = 0;  // of its record in the stream
  bool recorded = false;
  Clock::time_point time;
};

template <class T, class Handle>
class Table {  // handles are small numbers, so that none of them looks like memory
 public:
  Handle add(T value) {
    all_.emplace(++last_, std::move(value));
    return reinterpret_cast<Handle>(last_);
  }
  T* find(Handle handle) {
    const auto found = all_.find(reinterpret_cast<uintptr_t>(handle));
    return found == all_.end() ? nullptr : &found->second;
  }
  T& get(Handle handle, const char* what) {
    T* const found = find(handle);
    if (!found) fail("%s was never created or is destroyed", what);
    return *found;
  }
  void erase(Handle handle) { all_.erase(reinterpret_cast<uintptr_t>(handle)); }
  std::map<uintptr_t, T>& all() { return all_; }

 private:
  std::map<uintptr_t, T> all_;
  uintptr_t last_ = 0;
};

struct Runtime {
  Table<Stream, cudaStream_t> streams;
  Table<Event, cudaEvent_t> events;
  Table<Recorded, cudaGraph_t> graphs;
  Table<Recorded, cudaGraphExec_t> executables;
  std::map<uintptr_t, size_t> pinned;        // host memory from cudaMallocHost
  std::map<const void*, size_t> opted_in;    // dynamic shared memory of a kernel
  std::map<const void*, std::string> names;  // of kernels
  std::mt19937_64 random{options().seed};
};
Runtime& runtime() {
  static auto* const the = new Runtime;
  return *the;
}

bool run_one(Stream& stream) {
  if (stream.work.empty()) return false;
  const auto work = std::move(stream.work.front());
  stream.work.pop_front();
  work();
  ++stream.n_done;
  return true;
}

void run_until(Stream& stream, uint64_t ticket) {
  while (stream.n_done < ticket && run_one(stream)) {
  }
}

// Runs all work of all streams, or of those that the default stream waits for; in random order, streams take turns.
void drain(bool all_streams) {
  for (;;) {
    std::vector<Stream*> busy;
    for (auto& [handle, stream] : runtime().streams.all())
      if (!stream.work.empty() && (all_streams || stream.with_default)) busy.push_back(&stream);
    if (busy.empty()) return;
    run_one(*busy[options().order == Order::random ? runtime().random() % busy.size() : 0]);
  }
}

void enqueue(cudaStream_t handle, std::function<void()> work) {
  if (!handle) {
    drain(false);
    work();
    return;
  }
  Stream& stream = runtime().streams.get(handle, "the stream");
  if (stream.recording) return stream.recorded.push_back(std::move(work));
  stream.work.push_back(std::move(work));
  ++stream.n_enqueued;
  if (!options().lazy_streams) run_until(stream, stream.n_enqueued);
}

void synchronize(cudaStream_t handle) {
  if (!handle) return drain(false);
  Stream& stream = runtime().streams.get(handle, "the stream");
  if (stream.recording) fail("a stream that records is waited for");
  run_until(stream, stream.n_enqueued);
}

void wait_for(cudaStream_t handle, uint64_t ticket) {
  if (Stream* const stream = runtime().streams.find(handle)) run_until(*stream, ticket);
}

bool is_pinned(const void* address, size_t bytes) {
  const uintptr_t first = reinterpret_cast<uintptr_t>(address);
  auto found = runtime().pinned.upper_bound(first);
  if (found == runtime().pinned.begin()) return false;
  --found;
  return first + bytes <= found->first + found->second;
}

cudaMemcpyKind checked(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (kind == cudaMemcpyDefault)
    kind = is_device(to) ? (is_device(from) ? cudaMemcpyDeviceToDevice : cudaMemcpyHostToDevice)
                         : (is_device(from) ? cudaMemcpyDeviceToHost : cudaMemcpyHostToHost);
  const bool device_to = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool device_from = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (device_to) check_device_range(to, bytes, "destination of a copy");
  if (device_from) check_device_range(from, bytes, "source of a copy");
  if (!device_to && is_device(to)) fail("destination of a copy to the host is device memory");
  if (!device_from && is_device(from)) fail("source of a copy from the host is device memory");
  return kind;
}

cudaError_t allocate(void** memory, size_t bytes) {
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  *memory = allocate_device(bytes);
  return *memory ? cudaSuccess : report(cudaErrorMemoryAllocation);
}

}  // namespace

const char* kernel_name(const void* kernel) {
  std::string& name = runtime().names[kernel];
  if (name.empty()) {
    char text[512];
#if defined(EMULATOR_SYMBOLS)
    // It takes return addresses, one past the instruction that it names.
    __sanitizer_symbolize_pc(static_cast<char*>(const_cast<void*>(kernel)) + 1, "%f", text, sizeof text);
#else
    std::snprintf(text, sizeof text, "kernel at %p", kernel);
#endif
    name = text;
  }
  return name.c_str();
}

void check_pointer_argument(const void* kernel, int index, const void* pointer) {
  const DeviceLock lock(device_mutex());
  if (pointer && !is_device_or_end(pointer))
    fail("%s: argument %d is %p, not device memory", kernel_name(kernel), index, pointer);
}

void check_structure_argument([[maybe_unused]] const void* kernel, [[maybe_unused]] int index,
                              [[maybe_unused]] const void* bytes, [[maybe_unused]] size_t n) {
#if defined(EMULATOR_ASAN)
  const DeviceLock lock(device_mutex());
  for (size_t offset = 0; offset + sizeof(void*) <= n; offset += sizeof(void*)) {
    void* word;
    std::memcpy(&word, static_cast<const char*>(bytes) + offset, sizeof word);
    if (!word || is_device_or_end(word)) continue;
#if !defined(EMULATOR_CLEARS_PADDING)
    // A small integer beside padding that nobody cleared looks like an address; pointers into the first page of a heap
    // region are missed for it.
    if (uint32_t(reinterpret_cast<uintptr_t>(word)) < 4096) continue;
#endif
    char name[64];
    void* region;
    size_t region_bytes;
    const std::string kind = __asan_locate_address(word, name, sizeof name, &region, &region_bytes);
    if (kind == "heap" || kind == "stack" || kind == "global")
      fail("%s: argument %d holds at byte %zu a pointer to host memory (%s)", kernel_name(kernel), index, offset,
           kind.c_str());
  }
#endif
}

namespace {

int blocks_per_multiprocessor_of(int n_threads, size_t smem_bytes) {
  const int rounded = (n_threads + warpSize - 1) / warpSize * warpSize;
  const size_t by_smem = options().smem_per_multiprocessor / (smem_bytes + reserved_smem);
  return smem_bytes > options().smem_per_block
             ? 0
             : std::min({threads_per_multiprocessor / rounded, blocks_per_multiprocessor, int(by_smem)});
}

}  // namespace

int resident_blocks(int n_threads, size_t smem_bytes) {
  return std::max(1, options().n_multiprocessors * blocks_per_multiprocessor_of(n_threads, smem_bytes));
}

cudaError_t enqueue_kernel(const cudaLaunchConfig_t& config, const void* kernel, std::function<void()> thread) {
  const DeviceLock lock(device_mutex());
  const dim3 g = config.gridDim, b = config.blockDim;
  const uint64_t n_threads = uint64_t(b.x) * b.y * b.z;
  if (n_threads == 0 || n_threads > uint64_t(max_threads) || b.z > 64 || g.x == 0 || g.y == 0 || g.z == 0 ||
      g.y > 65535 || g.z > 65535)
    return report(cudaErrorInvalidConfiguration);
  const auto opted_in = runtime().opted_in.find(kernel);
  const size_t limit = opted_in == runtime().opted_in.end() ? default_smem : std::max(opted_in->second, default_smem);
  if (config.dynamicSmemBytes > std::min(limit, options().smem_per_block)) return report(cudaErrorInvalidValue);
  enqueue(config.stream, [kernel, g, b, smem_bytes = config.dynamicSmemBytes, thread = std::move(thread)] {
    run_grid({kernel, g, b, smem_bytes, thread});
  });
  return cudaSuccess;
}

}  // namespace emulator

using namespace emulator;

// ---- errors
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
  }
  return "unknown error";
}
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorNotReady:
      return "device not ready";
  }
  return "unknown error";
}
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return last_error; }

// ---- the device
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : report(cudaErrorInvalidDevice); }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return report(cudaErrorInvalidDevice);
  const Options& o = options();
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated device");
  properties->totalGlobalMem = o.memory_bytes;
  properties->sharedMemPerBlock = default_smem;
  properties->sharedMemPerMultiprocessor = o.smem_per_multiprocessor;
  properties->sharedMemPerBlockOptin = o.smem_per_block;
  properties->reservedSharedMemPerBlock = reserved_smem;
  properties->warpSize = warpSize;
  properties->maxThreadsPerBlock = max_threads;
  properties->maxThreadsPerMultiProcessor = threads_per_multiprocessor;
  properties->maxBlocksPerMultiProcessor = blocks_per_multiprocessor;
  properties->multiProcessorCount = o.n_multiprocessors;
  properties->major = o.major;
  properties->minor = o.minor;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp p;
  if (const cudaError_t error = cudaGetDeviceProperties(&p, device)) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = p.maxThreadsPerBlock;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = int(p.sharedMemPerBlock);
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = p.multiProcessorCount;
      return cudaSuccess;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = p.maxThreadsPerMultiProcessor;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = p.major;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = p.minor;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = int(p.sharedMemPerMultiprocessor);
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = int(p.sharedMemPerBlockOptin);
      return cudaSuccess;
  }
  return report(cudaErrorInvalidValue);
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const DeviceLock lock(device_mutex());
  *total = options().memory_bytes;
  *free = *total - allocated_bytes();
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  const DeviceLock lock(device_mutex());
  drain(true);
  return cudaSuccess;
}

// ---- streams and events
cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const DeviceLock lock(device_mutex());
  Stream created;
  created.with_default = !(flags & cudaStreamNonBlocking);
  *stream = runtime().streams.add(std::move(created));
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  return cudaStreamCreateWithFlags(stream, flags);
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const DeviceLock lock(device_mutex());
  synchronize(stream);
  runtime().streams.erase(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const DeviceLock lock(device_mutex());
  synchronize(stream);
  return cudaSuccess;
}
// Asking makes progress, so that a loop of questions ends.
cudaError_t cudaStreamQuery(cudaStream_t handle) {
  const DeviceLock lock(device_mutex());
  if (!handle) {
    drain(false);
    return cudaSuccess;
  }
  Stream& stream = runtime().streams.get(handle, "the stream");
  return run_one(stream) ? cudaErrorNotReady : cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t handle, unsigned) {
  const DeviceLock lock(device_mutex());
  const Event event = runtime().events.get(handle, "the event");
  if (event.recorded) enqueue(stream, [event] { wait_for(event.stream, event.ticket); });
  return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
  const DeviceLock lock(device_mutex());
  if (!handle) return report(cudaErrorInvalidValue);  // the default stream records nothing
  Stream& stream = runtime().streams.get(handle, "the stream");
  if (stream.recording) return report(cudaErrorInvalidValue);
  stream.recording = true;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  const DeviceLock lock(device_mutex());
  Stream& stream = runtime().streams.get(handle, "the stream");
  if (!stream.recording) return report(cudaErrorInvalidValue);
  stream.recording = false;
  *graph = runtime().graphs.add(std::exchange(stream.recorded, {}));
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const DeviceLock lock(device_mutex());
  *exec = runtime().executables.add(runtime().graphs.get(graph, "the graph"));
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const DeviceLock lock(device_mutex());
  for (const auto& work : runtime().executables.get(exec, "the executable graph")) enqueue(stream, work);
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const DeviceLock lock(device_mutex());
  runtime().executables.get(exec, "the executable graph");
  runtime().executables.erase(exec);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const DeviceLock lock(device_mutex());
  runtime().graphs.get(graph, "the graph");
  runtime().graphs.erase(graph);
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  const DeviceLock lock(device_mutex());
  *event = runtime().events.add({});
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const DeviceLock lock(device_mutex());
  runtime().events.get(event, "the event");
  runtime().events.erase(event);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream) {
  const DeviceLock lock(device_mutex());
  Event& event = runtime().events.get(handle, "the event");
  event.recorded = true;
  event.stream = stream;
  event.ticket = stream ? runtime().streams.get(stream, "the stream").n_enqueued + 1 : 0;
  enqueue(stream, [handle] {
    if (Event* const done = runtime().events.find(handle)) done->time = Clock::now();
  });
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  const DeviceLock lock(device_mutex());
  const Event& event = runtime().events.get(handle, "the event");
  wait_for(event.stream, event.ticket);
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t handle) {
  const DeviceLock lock(device_mutex());
  const Event& event = runtime().events.get(handle, "the event");
  Stream* const stream = runtime().streams.find(event.stream);
  if (!stream || stream->n_done >= event.ticket) return cudaSuccess;
  run_one(*stream);
  return cudaErrorNotReady;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop) {
  const DeviceLock lock(device_mutex());
  const Event& first = runtime().events.get(start, "the first event");
  const Event& last = runtime().events.get(stop, "the second event");
  for (const Event* event : {&first, &last}) {
    if (!event->recorded) return report(cudaErrorInvalidValue);
    const Stream* const stream = runtime().streams.find(event->stream);
    if (stream && stream->n_done < event->ticket) return cudaErrorNotReady;
  }
  *milliseconds = std::chrono::duration<float, std::milli>(last.time - first.time).count();
  return cudaSuccess;
}

// ---- memory
cudaError_t cudaMalloc(void** memory, size_t bytes) {
  const DeviceLock lock(device_mutex());
  return allocate(memory, bytes);
}
cudaError_t cudaMallocAsync(void** memory, size_t bytes, cudaStream_t) {
  const DeviceLock lock(device_mutex());
  return allocate(memory, bytes);
}
cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  const DeviceLock lock(device_mutex());
  *memory = std::malloc(bytes);
  if (!*memory) return report(cudaErrorMemoryAllocation);
  runtime().pinned[reinterpret_cast<uintptr_t>(*memory)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  if (device != 0) return report(cudaErrorInvalidDevice);
  *pool = reinterpret_cast<cudaMemPool_t>(1);
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr, void*) {
  return pool == reinterpret_cast<cudaMemPool_t>(1) ? cudaSuccess : report(cudaErrorInvalidValue);
}
cudaError_t cudaFree(void* memory) {
  const DeviceLock lock(device_mutex());
  if (!memory) return cudaSuccess;
  drain(true);
  free_device(memory);
  return cudaSuccess;
}
cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  const DeviceLock lock(device_mutex());
  if (memory) enqueue(stream, [memory] { free_device(memory); });
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  const DeviceLock lock(device_mutex());
  if (!memory) return cudaSuccess;
  drain(true);
  if (!runtime().pinned.erase(reinterpret_cast<uintptr_t>(memory)))
    fail("cudaFreeHost of %p, which is not an allocation", memory);
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  const DeviceLock lock(device_mutex());
  checked(to, from, bytes, kind);
  drain(false);
  device_copy(to, from, bytes);
  return cudaSuccess;
}
// Pageable host memory is read before the call returns, and written too; pinned memory when the stream comes to it.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  const DeviceLock lock(device_mutex());
  kind = checked(to, from, bytes, kind);
  if (kind == cudaMemcpyHostToDevice && !is_pinned(from, bytes)) {
    const auto* const first = static_cast<const unsigned char*>(from);
    enqueue(stream, [to, staged = std::vector<unsigned char>(first, first + bytes)] {
      device_copy(to, staged.data(), staged.size());
    });
    return cudaSuccess;
  }
  enqueue(stream, [=] { device_copy(to, from, bytes); });
  if (kind == cudaMemcpyDeviceToHost && !is_pinned(to, bytes)) synchronize(stream);
  return cudaSuccess;
}
cudaError_t cudaMemset(void* to, int value, size_t bytes) {
  const DeviceLock lock(device_mutex());
  check_device_range(to, bytes, "cudaMemset");
  drain(false);
  device_set(to, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  const DeviceLock lock(device_mutex());
  check_device_range(to, bytes, "cudaMemsetAsync");
  enqueue(stream, [=] { device_set(to, value, bytes); });
  return cudaSuccess;
}

// ---- kernels
cudaError_t cudaFuncGetName(const char** name, const void* kernel) {
  const DeviceLock lock(device_mutex());
  *name = emulator::kernel_name(kernel);
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  const DeviceLock lock(device_mutex());
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 || size_t(value) > options().smem_per_block)
    return report(cudaErrorInvalidValue);
  runtime().opted_in[kernel] = size_t(value);
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* n_blocks, const void*, int n_threads,
                                                          size_t smem_bytes) {
  if (n_threads <= 0 || n_threads > max_threads) return report(cudaErrorInvalidValue);
  *n_blocks = blocks_per_multiprocessor_of(n_threads, smem_bytes);
  return cudaSuccess;
}

// What the emulator's own files share.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "emulator/emulator.h"
#include "emulator/ptx.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define EMULATOR_ASAN 1
#define EMULATOR_POISON(address, bytes) ASAN_POISON_MEMORY_REGION(address, bytes)
#define EMULATOR_UNPOISON(address, bytes) ASAN_UNPOISON_MEMORY_REGION(address, bytes)
#else
#define EMULATOR_POISON(address, bytes) ((void)(address), (void)(bytes))
#define EMULATOR_UNPOISON(address, bytes) ((void)(address), (void)(bytes))
#endif

namespace emulator {

// One device, one lock: API calls and kernels of all host threads exclude each other.
std::recursive_mutex& device_mutex();
using DeviceLock = std::lock_guard<std::recursive_mutex>;

const char* kernel_name(const void* kernel);

// ---- scheduler.cpp. Runs all blocks of a launch; `thread` is called once per CUDA thread.
struct Kernel {
  const void* entry;
  dim3 grid, block;
  size_t smem_bytes;
  const std::function<void()>& thread;
};
void run_grid(const Kernel& kernel);
std::string text(const Site& site);

// ---- async_copy.cpp. Copies of one thread, oldest first, that have not landed from `next` on.
struct PendingCopies {
  std::vector<AsyncCopy> copies;
  size_t next = 0;
  unsigned n_groups = 0;  // committed
};
PendingCopies& pending_copies();  // of the running thread
void check_all_landed(const PendingCopies& pending, unsigned thread);

bool in_kernel();
int resident_blocks(int n_threads, size_t smem_bytes);  // that the device runs at once; at least 1 (runtime.cpp)

// ---- shared_memory.cpp. Each running block has its own; the functions of emulator.h are about the one in use.
struct SharedMemory;
SharedMemory* begin_shared(size_t dynamic_bytes);
void use_shared(SharedMemory* memory);
void end_shared(SharedMemory* memory, bool keep_addresses);  // keep: no later block gets these addresses before ...
void release_shared();                                       // ... this is called
bool is_shared_range(const void* address, size_t bytes);     // inside one array

// ---- device_memory.cpp. Device memory is poisoned but for the duration of a launch and of a copy.
void* allocate_device(size_t bytes);  // nullptr if the device is full
void free_device(void* memory);
size_t allocated_bytes();
void open_device();
void close_device();
bool is_device(const void* address);         // in an allocation
bool is_device_or_end(const void* address);  // or one past it, as an empty array at the end of one is
bool is_device_range(const void* address, size_t bytes);
void check_device_range(const void* address, size_t bytes, const char* what);  // fails unless inside one
void device_copy(void* to, const void* from, size_t bytes);
void device_set(void* to, int value, size_t bytes);

}  // namespace emulator

// Device memory: host memory that host code may not touch. Filled with NaN when it is allocated.
#include <cstdlib>
#include <iterator>
#include <map>

#include "emulator/internal.h"

namespace emulator {
namespace {

constexpr size_t alignment = 256;

// At least one byte more: allocations do not touch.
size_t padded(size_t bytes) { return (bytes + alignment) / alignment * alignment; }

std::map<uintptr_t, size_t>& allocations() {  // address -> bytes
  static auto* const all = new std::map<uintptr_t, size_t>;
  return *all;
}
size_t in_use = 0;
[[maybe_unused]] std::map<uintptr_t, size_t> gaps;  // of the launch: address -> bytes

// The allocation that starts at or before `address`.
std::map<uintptr_t, size_t>::iterator before(const void* address) {
  auto found = allocations().upper_bound(reinterpret_cast<uintptr_t>(address));
  return found == allocations().begin() ? allocations().end() : --found;
}

// Poisons whole granules of AddressSanitizer, which are 8 bytes; allocations begin and end with one.
void protect(const void* address, size_t bytes) {
  const uintptr_t first = reinterpret_cast<uintptr_t>(address) / 8 * 8;
  const uintptr_t last = (reinterpret_cast<uintptr_t>(address) + bytes + 7) / 8 * 8;
  EMULATOR_POISON(reinterpret_cast<void*>(first), last - first);
}

}  // namespace

std::recursive_mutex& device_mutex() {
  static auto* const mutex = new std::recursive_mutex;
  return *mutex;
}

void* allocate_device(size_t bytes) {
  if (bytes > options().memory_bytes || in_use + bytes > options().memory_bytes) return nullptr;
  void* const memory = std::aligned_alloc(alignment, padded(bytes));
  if (!memory) return nullptr;
  std::memset(memory, 0xff, bytes);
  EMULATOR_POISON(memory, padded(bytes));
  allocations()[reinterpret_cast<uintptr_t>(memory)] = bytes;
  in_use += bytes;
  return memory;
}

void free_device(void* memory) {
  const auto found = allocations().find(reinterpret_cast<uintptr_t>(memory));
  if (found == allocations().end()) fail("cudaFree of %p, which is not an allocation", memory);
  EMULATOR_UNPOISON(memory, padded(found->second));
  in_use -= found->second;
  allocations().erase(found);
  std::free(memory);
}

size_t allocated_bytes() { return in_use; }

void open_device() {
  for (const auto& [address, bytes] : allocations()) EMULATOR_UNPOISON(reinterpret_cast<void*>(address), bytes);
}
void close_device() {
  gaps.clear();
  for (const auto& [address, bytes] : allocations()) EMULATOR_POISON(reinterpret_cast<void*>(address), bytes);
}

#if defined(EMULATOR_ASAN)
void poison_gap(void* array, size_t bytes, size_t gap) {
  if (!in_kernel()) return;
  const uintptr_t first = reinterpret_cast<uintptr_t>(array), last = first + bytes;
  auto next = gaps.lower_bound(last);
  const bool known = next != gaps.end() && next->first == last && next->second == gap;
  const bool covers = next != gaps.begin() && std::prev(next)->first + std::prev(next)->second > first;
  if (known && !covers) return;
  if (!is_device_range(array, bytes + gap)) fail("an array of %zu bytes at %p is beyond its workspace", bytes, array);
  for (auto g = gaps.begin(); g != gaps.end();) {  // of arrays that were here before
    if (g->first < last + gap && g->first + g->second > first) {
      EMULATOR_UNPOISON(reinterpret_cast<void*>(g->first), g->second);
      g = gaps.erase(g);
    } else {
      ++g;
    }
  }
  EMULATOR_POISON(reinterpret_cast<void*>(last), gap);
  gaps[last] = gap;
}
bool is_gap(const void* address) {
  if (!__asan_address_is_poisoned(address)) return false;
  const auto next = gaps.upper_bound(reinterpret_cast<uintptr_t>(address));
  if (next == gaps.begin()) return false;
  const auto& [first, bytes] = *std::prev(next);
  return reinterpret_cast<uintptr_t>(address) < first + bytes;
}
#else
void poison_gap(void*, size_t, size_t) {}
bool is_gap(const void*) { return false; }
#endif

bool is_device(const void* address) {
  const auto found = before(address);
  return found != allocations().end() && reinterpret_cast<uintptr_t>(address) < found->first + found->second;
}
bool is_device_or_end(const void* address) {
  const auto found = before(address);
  return found != allocations().end() && reinterpret_cast<uintptr_t>(address) <= found->first + found->second;
}

bool is_device_range(const void* address, size_t bytes) {
  const auto found = before(address);
  return found != allocations().end() && reinterpret_cast<uintptr_t>(address) + bytes <= found->first + found->second;
}

void check_device_range(const void* address, size_t bytes, const char* what) {
  const auto found = before(address);
  const uintptr_t first = reinterpret_cast<uintptr_t>(address);
  if (found == allocations().end() || first > found->first + found->second)
    fail("%s: %p is not device memory", what, address);
  const size_t left = found->first + found->second - first;
  if (bytes > left) fail("%s: %zu bytes at %p, where the allocation has %zu left", what, bytes, address, left);
}

void device_copy(void* to, const void* from, size_t bytes) {
  const bool device_to = is_device(to), device_from = is_device(from);
  if (device_to) EMULATOR_UNPOISON(to, bytes);
  if (device_from) EMULATOR_UNPOISON(from, bytes);
  std::memmove(to, from, bytes);
  if (device_to) protect(to, bytes);
  if (device_from) protect(from, bytes);
}

void device_set(void* to, int value, size_t bytes) {
  EMULATOR_UNPOISON(to, bytes);
  std::memset(to, value, bytes);
  protect(to, bytes);
}

}  // namespace emulator

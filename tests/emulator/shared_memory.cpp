// Shared memory of the running block: [dynamic memory, exactly the bytes of the launch][static arrays]. Slices and
// static arrays lie apart with poison between them. Everything starts as NaN and ends with the block.
#include <cstdlib>
#include <vector>

#include "emulator/internal.h"

namespace emulator {
namespace {

constexpr size_t alignment = 128, gap = 64, max_arrays = 128;
constexpr size_t max_static_bytes = 48 * 1024;

struct Array {
  const void* key;  // of a static array; nullptr for a slice
  size_t offset;    // of a slice in the dynamic memory
  size_t bytes;
  unsigned char* memory;
};

// Nothing here is allocated while the block runs: ThreadSanitizer would take it for an access of the running thread.
struct Shared {
  unsigned char* memory = nullptr;
  size_t dynamic_bytes = 0, total_bytes = 0;
  size_t static_bytes = 0;
  size_t next_slice = 0, next_static = 0;  // free places in `memory`
  bool raw = false, sliced = false;        // how the dynamic memory is used
  Array arrays[max_arrays];
  size_t n_arrays = 0;
  std::vector<void*> kept;
};
thread_local Shared shared;

size_t with_gap(size_t bytes) { return (bytes + 15) / 16 * 16 + gap; }

// All threads of a block get the same array; a thread that asks for other bytes at the same place is mistaken.
Array& find(const void* key, size_t offset, size_t bytes) {
  for (size_t i = 0; i < shared.n_arrays; ++i) {
    Array& a = shared.arrays[i];
    if (a.key != key || a.offset != offset) continue;
    if (a.bytes == bytes) return a;
    if (a.bytes && bytes) fail("shared memory: threads take %zu and %zu bytes at offset %zu", a.bytes, bytes, offset);
  }
  if (shared.n_arrays == max_arrays) fail("more than %zu shared arrays", max_arrays);
  return shared.arrays[shared.n_arrays++] = {key, offset, bytes, nullptr};
}

}  // namespace

void begin_shared(size_t dynamic_bytes) {
  const size_t static_start = (dynamic_bytes + gap * (max_arrays + 1) + alignment - 1) / alignment * alignment;
  shared.dynamic_bytes = dynamic_bytes;
  shared.total_bytes = static_start + max_static_bytes + 2 * gap * max_arrays;
  shared.memory = static_cast<unsigned char*>(std::aligned_alloc(alignment, shared.total_bytes));
  if (!shared.memory) fail("out of host memory for shared memory");
  std::memset(shared.memory, 0xff, shared.total_bytes);
  EMULATOR_POISON(shared.memory, shared.total_bytes);
  shared.static_bytes = shared.next_slice = shared.n_arrays = 0;
  shared.next_static = static_start;
  shared.raw = shared.sliced = false;
}

void end_shared(bool keep_addresses) {
  EMULATOR_UNPOISON(shared.memory, shared.total_bytes);
  shared.kept.push_back(shared.memory);
  if (!keep_addresses) release_shared();
}

void release_shared() {
  for (void* memory : shared.kept) std::free(memory);
  shared.kept.clear();
}

bool is_shared_range(const void* address, size_t bytes) {
  const auto* const first = static_cast<const unsigned char*>(address);
  const auto inside = [=](const unsigned char* memory, size_t size) {
    return memory && first >= memory && first + bytes <= memory + size;
  };
  for (size_t i = 0; i < shared.n_arrays; ++i)
    if (inside(shared.arrays[i].memory, shared.arrays[i].bytes)) return true;
  return shared.raw && !shared.sliced && inside(shared.memory, shared.dynamic_bytes);
}

unsigned char* dynamic_shared() {
  if (!shared.raw && !shared.sliced) EMULATOR_UNPOISON(shared.memory, shared.dynamic_bytes);
  shared.raw = true;
  return shared.memory;
}

void* slice_shared(size_t offset, size_t bytes) {
  if (offset + bytes > shared.dynamic_bytes)
    fail("shared memory: array of %zu bytes at %zu exceeds the %zu bytes of the launch", bytes, offset,
         shared.dynamic_bytes);
  Array& a = find(nullptr, offset, bytes);
  if (!a.memory) {
    if (!shared.sliced) EMULATOR_POISON(shared.memory, shared.dynamic_bytes + gap);  // dynamic_shared had opened it
    shared.sliced = true;
    a.memory = shared.memory + shared.next_slice;
    shared.next_slice += with_gap(bytes);
    EMULATOR_UNPOISON(a.memory, bytes);
  }
  return a.memory;
}

void* static_shared(const void* key, size_t bytes) {
  Array& a = find(key, 0, bytes);
  if (!a.memory) {
    shared.static_bytes += bytes;
    if (shared.static_bytes > max_static_bytes || shared.static_bytes + shared.dynamic_bytes > options().smem_per_block)
      fail("shared memory: %zu static and %zu dynamic bytes; at most %zu are static, and the device has %zu",
           shared.static_bytes, shared.dynamic_bytes, max_static_bytes, options().smem_per_block);
    a.memory = shared.memory + shared.next_static;
    shared.next_static += with_gap(bytes);
    EMULATOR_UNPOISON(a.memory, bytes);
  }
  return a.memory;
}

}  // namespace emulator

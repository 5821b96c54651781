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

}  // namespace

// Nothing here is allocated while the block runs: ThreadSanitizer would take it for an access of the running thread.
struct SharedMemory {
  unsigned char* memory = nullptr;
  size_t dynamic_bytes = 0, total_bytes = 0;
  size_t static_bytes = 0;
  size_t next_slice = 0, next_static = 0;  // free places in `memory`
  bool raw = false, sliced = false;        // how the dynamic memory is used
  Array arrays[max_arrays];
  size_t n_arrays = 0;
};

namespace {

thread_local SharedMemory* in_use = nullptr;
thread_local std::vector<void*> kept;

size_t with_gap(size_t bytes) { return (bytes + 15) / 16 * 16 + gap; }

// All threads of a block get the same array; a thread that asks for other bytes at the same place is mistaken.
Array& find(const void* key, size_t offset, size_t bytes) {
  for (size_t i = 0; i < in_use->n_arrays; ++i) {
    Array& a = in_use->arrays[i];
    if (a.key != key || a.offset != offset) continue;
    if (a.bytes == bytes) return a;
    if (a.bytes && bytes) fail("shared memory: threads take %zu and %zu bytes at offset %zu", a.bytes, bytes, offset);
  }
  if (in_use->n_arrays == max_arrays) fail("more than %zu shared arrays", max_arrays);
  return in_use->arrays[in_use->n_arrays++] = {key, offset, bytes, nullptr};
}

}  // namespace

SharedMemory* begin_shared(size_t dynamic_bytes) {
  const size_t static_start = (dynamic_bytes + gap * (max_arrays + 1) + alignment - 1) / alignment * alignment;
  SharedMemory& s = *new SharedMemory;
  s.dynamic_bytes = dynamic_bytes;
  s.total_bytes = static_start + max_static_bytes + 2 * gap * max_arrays;
  s.memory = static_cast<unsigned char*>(std::aligned_alloc(alignment, s.total_bytes));
  if (!s.memory) fail("out of host memory for shared memory");
  std::memset(s.memory, 0xff, s.total_bytes);
  EMULATOR_POISON(s.memory, s.total_bytes);
  s.next_static = static_start;
  return &s;
}

void use_shared(SharedMemory* memory) { in_use = memory; }

void end_shared(SharedMemory* memory, bool keep_addresses) {
  EMULATOR_UNPOISON(memory->memory, memory->total_bytes);
  kept.push_back(memory->memory);
  delete memory;
  in_use = nullptr;
  if (!keep_addresses) release_shared();
}

void release_shared() {
  for (void* memory : kept) std::free(memory);
  kept.clear();
}

bool is_shared_range(const void* address, size_t bytes) {
  const auto* const first = static_cast<const unsigned char*>(address);
  const auto inside = [=](const unsigned char* memory, size_t size) {
    return memory && first >= memory && first + bytes <= memory + size;
  };
  for (size_t i = 0; i < in_use->n_arrays; ++i)
    if (inside(in_use->arrays[i].memory, in_use->arrays[i].bytes)) return true;
  return in_use->raw && !in_use->sliced && inside(in_use->memory, in_use->dynamic_bytes);
}

unsigned char* dynamic_shared() {
  if (!in_use->raw && !in_use->sliced) EMULATOR_UNPOISON(in_use->memory, in_use->dynamic_bytes);
  in_use->raw = true;
  return in_use->memory;
}

void* slice_shared(size_t offset, size_t bytes) {
  if (offset + bytes > in_use->dynamic_bytes)
    fail("shared memory: array of %zu bytes at %zu exceeds the %zu bytes of the launch", bytes, offset,
         in_use->dynamic_bytes);
  Array& a = find(nullptr, offset, bytes);
  if (!a.memory) {
    if (!in_use->sliced) EMULATOR_POISON(in_use->memory, in_use->dynamic_bytes + gap);  // dynamic_shared had opened it
    in_use->sliced = true;
    a.memory = in_use->memory + in_use->next_slice;
    in_use->next_slice += with_gap(bytes);
    EMULATOR_UNPOISON(a.memory, bytes);
  }
  return a.memory;
}

void* static_shared(const void* key, size_t bytes) {
  Array& a = find(key, 0, bytes);
  if (!a.memory) {
    in_use->static_bytes += bytes;
    if (in_use->static_bytes > max_static_bytes ||
        in_use->static_bytes + in_use->dynamic_bytes > options().smem_per_block)
      fail("shared memory: %zu static and %zu dynamic bytes; at most %zu are static, and the device has %zu",
           in_use->static_bytes, in_use->dynamic_bytes, max_static_bytes, options().smem_per_block);
    a.memory = in_use->memory + in_use->next_static;
    in_use->next_static += with_gap(bytes);
    EMULATOR_UNPOISON(a.memory, bytes);
  }
  return a.memory;
}

}  // namespace emulator

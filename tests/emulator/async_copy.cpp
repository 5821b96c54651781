// Pending copies of each thread, oldest first.
#include "emulator/internal.h"
#include "emulator/ptx.h"

namespace emulator {

AsyncCopy& issue_copy(void* shared, const void* global, unsigned bytes, bool valid, const Site& site) {
  const auto check = [&](bool good, const void* address, const char* problem) {
    if (!good) fail("cp_async_%u at %s: the %s (%p)", bytes, text(site).c_str(), problem, address);
  };
  check(reinterpret_cast<uintptr_t>(shared) % bytes == 0, shared, "destination is misaligned");
  check(is_shared_range(shared, bytes), shared, "destination is not inside a shared array");
  check(!valid || reinterpret_cast<uintptr_t>(global) % bytes == 0, global, "source is misaligned");
  check(!valid || is_device_range(global, bytes), global, "source is not inside device memory");
  PendingCopies& pending = pending_copies();
  if (pending.next == pending.copies.size()) {
    pending.copies.clear();
    pending.next = 0;
  }
  return pending.copies.emplace_back(AsyncCopy{static_cast<unsigned char*>(shared),
                                               static_cast<const unsigned char*>(global),
                                               bytes,
                                               pending.n_groups,
                                               valid,
                                               site,
                                               {}});
}

void async_commit() { ++pending_copies().n_groups; }

AsyncCopy* next_to_land(unsigned n_pending) {
  PendingCopies& pending = pending_copies();
  if (pending.next == pending.copies.size()) return nullptr;
  AsyncCopy& oldest = pending.copies[pending.next];
  if (oldest.group + n_pending >= pending.n_groups) return nullptr;
  ++pending.next;
  return &oldest;
}

void check_all_landed(const PendingCopies& pending, unsigned thread) {
  const size_t n = pending.copies.size() - pending.next;
  if (n == 0) return;
  const AsyncCopy& first = pending.copies[pending.next];
  fail("thread %u ended with %zu asynchronous copies pending, the first from %s", thread, n, text(first.site).c_str());
}

void fail_landing(const AsyncCopy& copy, const char* what) {
  fail("the %s of the asynchronous copy at %s changed before its wait", what, text(copy.site).c_str());
}

}  // namespace emulator

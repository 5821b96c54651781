#include "device/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace cohort::engine {

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return 1;
}

void parallel_for(int n_threads, int64_t count, const std::function<void(int64_t index, int worker)>& body) {
  const int n_workers = int(std::clamp<int64_t>(count, 1, std::max(n_threads, 1)));
  if (n_workers == 1) {
    for (int64_t index = 0; index < count; ++index) body(index, 0);
    return;
  }
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&](int worker) {
    for (int64_t index; (index = next.fetch_add(1)) < count;) {
      try {
        body(index, worker);
      } catch (...) {
        next.store(count);
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads;  // joined on leaving, also when starting one of them fails
    threads.reserve(size_t(n_workers - 1));
    for (int worker = 1; worker < n_workers; ++worker) threads.emplace_back(work, worker);
    work(0);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace cohort::engine

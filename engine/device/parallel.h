// Independent pieces of work on a few threads.
#pragma once

#include <cstdint>
#include <functional>

namespace cohort::engine {

// Cores that this process may use, at least 1.
int available_cores();

// Calls body(index, worker) once for every index in [0, count), on at most n_threads threads, the caller's among them,
// and returns when all calls have returned. Indices are handed out in ascending order, one at a time, to whoever is
// free; 0 <= worker < n_threads, and no two calls with equal worker overlap, so per-worker scratch needs no lock.
// n_threads < 1 counts as 1; with one thread (or one index) everything runs in order on the caller's thread.
// The first exception that a call throws is rethrown here after running calls have ended; indices not yet handed out
// are then skipped.
void parallel_for(int n_threads, int64_t count, const std::function<void(int64_t index, int worker)>& body);

}  // namespace cohort::engine

#include "device/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <vector>

namespace cohort::engine {
namespace {

TEST(ParallelFor, calls_every_index_once_at_any_number_of_threads) {
  for (const int n_threads : {-1, 0, 1, 2, 3, 8})
    for (const int64_t count : {int64_t{0}, int64_t{1}, int64_t{2}, int64_t{1000}}) {
      std::vector<int> calls(size_t(count), 0);
      std::atomic<bool> worker_in_range{true};
      parallel_for(n_threads, count, [&](int64_t index, int worker) {
        ++calls[size_t(index)];
        if (worker < 0 || worker >= std::max(n_threads, 1)) worker_in_range = false;
      });
      EXPECT_EQ(std::count(calls.begin(), calls.end(), 1), count);
      EXPECT_TRUE(worker_in_range);
    }
}

TEST(ParallelFor, calls_of_one_worker_never_overlap) {
  std::vector<int64_t> sum(4, 0);  // unguarded on purpose: the thread sanitizer checks the promise
  parallel_for(4, 10000, [&](int64_t index, int worker) { sum[size_t(worker)] += index; });
  EXPECT_EQ(sum[0] + sum[1] + sum[2] + sum[3], 10000 * 9999 / 2);
}

TEST(ParallelFor, one_thread_runs_in_order) {
  std::vector<int64_t> seen;
  parallel_for(1, 5, [&](int64_t index, int) { seen.push_back(index); });
  EXPECT_EQ(seen, (std::vector<int64_t>{0, 1, 2, 3, 4}));
}

TEST(ParallelFor, an_exception_comes_back_and_stops_the_handing_out) {
  for (const int n_threads : {1, 4}) {
    std::atomic<int64_t> calls{0};
    EXPECT_THROW(parallel_for(n_threads, int64_t{1} << 40,
                              [&](int64_t index, int) {
                                ++calls;
                                if (index == 10) throw std::runtime_error("index 10");
                              }),
                 std::runtime_error);
    EXPECT_GE(calls, 11);
  }
}

TEST(ParallelFor, may_be_nested) {
  std::atomic<int> calls{0};
  parallel_for(2, 4, [&](int64_t, int) { parallel_for(2, 4, [&](int64_t, int) { ++calls; }); });
  EXPECT_EQ(calls, 16);
}

}  // namespace
}  // namespace cohort::engine

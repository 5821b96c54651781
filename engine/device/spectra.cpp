#include "device/spectra.h"

#include <string>

#include "cohort/error.h"

namespace cohort::engine {

void check_ranks(const int32_t* rank, int64_t count, int n) {
  for (int64_t i = 0; i < count; ++i)
    if (rank[i] < 1 || rank[i] > n)
      throw Error("rank of matrix " + std::to_string(i) + " is " + std::to_string(rank[i]) + "; allowed: 1 to " +
                  std::to_string(n));
}

}  // namespace cohort::engine

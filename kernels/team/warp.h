// A team that is one warp, for work that is too small for a block: several of them run in a block side by side. The contract
// is in team/serial.h; it has no products. Ended or busy warps of the block do not matter, all lanes of its own have to call.
#pragma once

#include "team/cta.h"

COHORT_BEGIN

struct WarpTeam {
  static constexpr int lanes = 32;
  // Which warp of the grid this is; blocks are of whole warps.
  static COHORT_FORCE_INLINE int number() { return int(blockIdx.x * (blockDim.x / lanes) + threadIdx.x / lanes); }

  static COHORT_FORCE_INLINE int lane() { return int(threadIdx.x) % lanes; }
  static constexpr COHORT_FORCE_INLINE int size() { return lanes; }
  static COHORT_FORCE_INLINE void sync() { __syncwarp(); }

  template <class F>
  COHORT_FORCE_INLINE void for_each(int n, F f) const {
    for (int i = lane(); i < n; i += lanes) f(i);
  }
  // Partials of lane l are f(l), f(l + 32), ...; then a butterfly of shuffles.
  template <class Real, class F>
  COHORT_FORCE_INLINE Real sum(int n, F f) const {
    Real part = Real(0);
    for (int i = lane(); i < n; i += lanes) part += f(i);
    for (int distance = lanes / 2; distance > 0; distance /= 2) part += __shfl_xor_sync(0xffffffffu, part, distance);
    sync();
    return part;
  }
};

COHORT_END

// Jacobi up to n rows and columns, n lanes per matrix: lane j keeps column j of X W and of W in registers and meets the column of
// lane j ^ round by shuffle. No shared memory, no barrier.
#pragma once

#include "cuda/spectra/jacobi.h"

COHORT_BEGIN

template <class Real, int n>
struct LaneColumns {
  Real x[n], w[n];

  // Adds what the lanes of a matrix need to their columns: the lane that is at `place` p >= rank gets a unit vector that is
  // orthogonal to those at the places before, which are unit vectors. It is the unit vector of the row that they represent worst, minus its
  // projection, taken twice. `mine`: does this lane's matrix want one at p?
  __device__ __forceinline__ void complete(int p, int place, bool mine, int length) {
    const bool before = place < p;
    Real worst = -1, dot = 0, y[n];
    int row = 0;
    COHORT_UNROLL
    for (int i = 0; i < n; ++i) {
      const Real rest = 1 - lane_sum<n>(before ? x[i] * x[i] : Real(0));
      if (i < length && rest > worst) {
        worst = rest;
        row = i;
      }
    }
    COHORT_UNROLL
    for (int i = 0; i < n; ++i)
      if (before && i == row) dot = x[i];
    COHORT_UNROLL
    for (int i = 0; i < n; ++i) y[i] = Real(i == row) - lane_sum<n>(before ? dot * x[i] : Real(0));
    dot = 0;
    COHORT_UNROLL
    for (int i = 0; i < n; ++i) dot = ::fma(x[i], y[i], dot);
    Real norm2 = 0;
    COHORT_UNROLL
    for (int i = 0; i < n; ++i) {
      y[i] -= lane_sum<n>(before ? dot * x[i] : Real(0));
      norm2 = ::fma(y[i], y[i], norm2);
    }
    if (!mine || place != p) return;
    const Real norm = math::sqrt(norm2);
    COHORT_UNROLL
    for (int i = 0; i < n; ++i) x[i] = y[i] / norm;
  }
};

inline constexpr int warp_kernel_threads = 128;

template <class Real, int n, bool vectors>
__global__ void __launch_bounds__(warp_kernel_threads, 1) jacobi_warp_kernel(const JacobiArgs<Real> args) {
  // the other column in registers, or shuffled twice where there are too few of them
  constexpr bool keeps_other = sizeof(Real) == 4 || n <= 16 || !vectors;
  const int lane = int(threadIdx.x) % n, length = args.length, k = args.k;
  const int64_t number = (int64_t(blockIdx.x) * warp_kernel_threads + threadIdx.x) / n;
  const bool present = number < args.count;
  const int32_t m = present ? int32_t(number) : 0;
  const unsigned mine = n == 32 ? full_warp : ((1u << n % 32) - 1) << (threadIdx.x % 32 / n * n);

  LaneColumns<Real, n> c;
  unsigned largest = 0;
  COHORT_UNROLL
  for (int i = 0; i < n; ++i) {
    c.x[i] = present && i < length && lane < k ? args.element(m, i, lane) : Real(0);
    if (vectors) c.w[i] = i == lane;
    const unsigned e = magnitude(c.x[i]);
    largest = largest < e ? e : largest;
  }
  COHORT_UNROLL
  for (int distance = 1; distance < n; distance *= 2) {
    const unsigned other = __shfl_xor_sync(full_warp, largest, distance);
    largest = largest < other ? other : largest;
  }
  const bool finite = is_finite<Real>(largest);
  const PowerOfTwo<Real> scale(finite ? largest : 0);
  COHORT_UNROLL
  for (int i = 0; i < n; ++i) c.x[i] = finite ? c.x[i] * scale.down : Real(0);

  const Real tolerance = jacobi_tolerance<Real>(length);
  bool rotated = true;
  COHORT_ROLLED
  for (int sweep = 0; sweep < most_sweeps && __any_sync(full_warp, rotated); ++sweep) {
    rotated = false;
    COHORT_ROLLED
    for (int round = 1; round < n; ++round) {
      Real xx = 0, xy = 0, y[n];
      COHORT_UNROLL
      for (int i = 0; i < n; ++i) {
        const Real other = __shfl_xor_sync(full_warp, c.x[i], round);
        if (keeps_other) y[i] = other;
        xx = ::fma(c.x[i], c.x[i], xx);
        xy = ::fma(c.x[i], other, xy);
      }
      const Real yy = __shfl_xor_sync(full_warp, xx, round);
      const bool first = lane < (lane ^ round);
      const Rotation<Real> g(first ? xx : yy, first ? yy : xx, xy, tolerance);
      const bool rotates = g.s != 0;
      if (!__any_sync(full_warp, rotates)) continue;
      rotated |= rotates;
      const Real s = first ? -g.s : g.s;
      // a column that does not rotate keeps its bits, zeros their sign, whatever the rest of the warp does
      const auto turn = [&](Real& own, Real other) {
        const Real turned = ::fma(s, other, ::fma(-g.k, own, own));
        own = rotates ? turned : own;
      };
      COHORT_UNROLL
      for (int i = 0; i < n; ++i) {
        turn(c.x[i], keeps_other ? y[i] : __shfl_xor_sync(full_warp, c.x[i], round));
        if (vectors) turn(c.w[i], __shfl_xor_sync(full_warp, c.w[i], round));
      }
    }
  }
  const bool converged = (__ballot_sync(full_warp, rotated) & mine) == 0;

  Real norm2 = 0;
  COHORT_UNROLL
  for (int i = 0; i < n; ++i) norm2 = ::fma(c.x[i], c.x[i], norm2);
  const Real norm = lane < k ? math::sqrt(norm2) : Real(-1);  // padding comes last
  int place = 0;
  COHORT_UNROLL
  for (int l = 0; l < n; ++l) {
    const Real other = __shfl_sync(full_warp, norm, l, n);
    place += other > norm || (other == norm && l < lane);
  }
  const Real nan = not_a_number<Real>();
  if (present && lane == 0) args.status[m] = finite ? status_of(converged) : SpectrumStatus::not_finite;
  if (present && lane < k) args.s[ptrdiff_t(m) * k + place] = finite ? norm * scale.up : nan;
  if constexpr (vectors) {
    if (present && lane < k) {  // before W's registers are needed
      Real* const of_w = args.of_w(m) + place;
      COHORT_UNROLL
      for (int i = 0; i < n; ++i)
        if (i < k) of_w[ptrdiff_t(i) * k] = finite ? c.w[i] : nan;
    }
    const bool null = !(norm >= null_column<Real>());
    const int rank = __popc(__ballot_sync(full_warp, !null) & mine);
    COHORT_UNROLL
    for (int i = 0; i < n; ++i) c.x[i] = null ? c.x[i] : c.x[i] / norm;
    COHORT_ROLLED
    for (int p = 0; p < n; ++p) {
      const bool missing = finite && p >= rank && p < k;
      if (__any_sync(full_warp, missing)) c.complete(p, place, missing, length);
    }
    if (present && lane < k) {
      Real* const of_x = args.of_x(m) + place;
      COHORT_UNROLL
      for (int i = 0; i < n; ++i)
        if (i < length) of_x[ptrdiff_t(i) * k] = finite ? c.x[i] : nan;
    }
  }
}

COHORT_END

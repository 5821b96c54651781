// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a pure function
// of (key, counter). Every random number of the project is keyed by (network seed, salt, stream, step, index), never by
// a position in a sweep or launch, so a network draws the same numbers alone, among others and on every backend.
#pragma once

#include "math/elementary.h"

COHORT_BEGIN
namespace rng {

// Named streams. Data streams are further split by Phase, parameters by tensor.
enum Stream : uint32_t {
  stream_weights = 1,
  stream_mask = 2,
  stream_trial = 3,
  stream_noise = 4,
  stream_recurrent_noise = 5,
  stream_shuffle = 6,
  stream_range_finder = 7,
  stream_sampled_label = 8
};
enum Phase : uint32_t { phase_train = 0, phase_evaluate = 1, phase_probe = 2, phase_kernel = 3, phase_validate = 4 };

struct Words {
  uint32_t w[4];
};

COHORT_FORCE_INLINE Words philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t(0xD2511F53u) * c0, b = uint64_t(0xCD9E8D57u) * c2;
    const uint32_t n0 = uint32_t(b >> 32) ^ c1 ^ k0, n2 = uint32_t(a >> 32) ^ c3 ^ k1;
    c1 = uint32_t(b);
    c3 = uint32_t(a);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// (0, 1), 23 bits in float and 32 in double; never 0 or 1 (with a 24th bit the largest number would round to 1).
template <class Real>
COHORT_FORCE_INLINE Real to_uniform(uint32_t w) {
  if constexpr (sizeof(Real) == 4)
    return (Real(int32_t(w >> 9)) + Real(0.5)) * Real(1.1920928955078125e-07);
  else
    return (Real(w) + Real(0.5)) * Real(2.3283064365386963e-10);
}
// Two independent standard normal numbers (Box and Muller) from two words; |z| < 6.7.
template <class Real>
COHORT_FORCE_INLINE void to_normal(uint32_t w0, uint32_t w1, Real* z0, Real* z1) {
  const Real u = (Real(w0 >> 1) + Real(0.5)) * Real(4.6566128730773926e-10);
  const Real radius = math::sqrt(Real(-2) * math::log_positive(math::min(Real(1), u)));
  Real s, c;
  math::sincospi(Real(int32_t(w1)) * Real(4.6566128730773926e-10), &s, &c);
  *z0 = radius * c;
  *z1 = radius * s;
}

// A stream of one network. Element i of step t never depends on how many others are drawn.
struct Key {
  uint32_t k0, k1, stream, step;
  COHORT_FN Key(uint64_t seed, uint32_t salt, uint32_t stream_, uint32_t part, uint64_t step_)
      : k0(uint32_t(seed)),
        k1(uint32_t(seed >> 32) ^ salt * 0x9E3779B9u),
        stream(stream_ | part << 8),
        step(uint32_t(step_)) {}
  COHORT_FORCE_INLINE Words words(uint32_t index, uint32_t sub = 0) const {
    return philox(index, sub, step, stream, k0, k1);
  }
};

// Sequential draws of one element (a trial): word n of element `index`.
class Sequence {
 public:
  COHORT_FN Sequence(const Key& key, uint32_t index) : key_(key), index_(index) {}
  COHORT_TEAM_FN uint32_t word() {
    if ((used_ & 3) == 0) block_ = key_.words(index_, 1 + (used_ >> 2));  // sub 0 belongs to four_normals
    return block_.w[used_++ & 3];
  }
  // Uniform integer in [0, n): multiply-shift, bias below n / 2^32.
  COHORT_TEAM_FN int below(int n) { return int((uint64_t(word()) * uint64_t(n)) >> 32); }
  template <class Real>
  COHORT_TEAM_FN Real uniform() {
    return to_uniform<Real>(word());
  }
  template <class Real>
  COHORT_TEAM_FN Real normal() {
    const uint32_t w0 = word(), w1 = word();
    Real a, b;
    to_normal(w0, w1, &a, &b);
    return a;
  }

 private:
  Key key_;
  uint32_t index_, used_ = 0;
  Words block_{};
};

// Block `block` of a stream as four independent standard normal numbers.
template <class Real>
COHORT_FORCE_INLINE void four_normals(const Key& key, uint32_t block, Real* z0, Real* z1, Real* z2, Real* z3) {
  const Words r = key.words(block);
  Real a, b, c, d;
  to_normal(r.w[0], r.w[1], &a, &b);
  to_normal(r.w[2], r.w[3], &c, &d);
  *z0 = a;
  *z1 = b;
  *z2 = c;
  *z3 = d;
}

// Normal numbers z [4][n] from blocks base, base + next, ...: block i gives z[0][i] to z[3][i]. No sync.
template <class Team, class Real>
COHORT_TEAM_FN void fill_normals(const Team& team, const Key& key, uint32_t base, uint32_t next, int n, Real* z) {
  const Key local = key;
  COHORT_SIMD
  for (int i = team.lane(); i < n; i += team.size())
    four_normals(local, base + uint32_t(i) * next, z + i, z + n + i, z + 2 * n + i, z + 3 * n + i);
}

// A bijection of [0, n) keyed by `key` (cycle-walking Feistel network): the shuffled order of an epoch without storing
// it. With eight rounds the order is uniform to within 2 % from n = 5 on; with four it is out by 30 % at n = 10.
// Of `count` <= block numbers i, each with a step of its own in place of the key's. Those that left [0, n) walk on together.
template <int block>
COHORT_TEAM_FN void permute(int count, uint32_t* i, const uint32_t* step, uint32_t n, const Key& key) {
  int half = 1;
  while ((uint64_t(1) << (2 * half)) < n) ++half;
  const uint32_t low = (1u << half) - 1u, stream = key.stream, k0 = key.k0, k1 = key.k1;
  uint32_t at[block], of[block];
  int who[block];
  for (int j = 0; j < count; ++j) {
    at[j] = i[j];
    of[j] = step[j];
    who[j] = j;
  }
  while (count > 0) {
    for (uint32_t round = 0; round < 8; ++round) {
      COHORT_SIMD
      for (int j = 0; j < count; ++j) {
        const uint32_t left = at[j] >> half, right = at[j] & low;
        at[j] = right << half | (left ^ (philox(right, 1 + round, of[j], stream, k0, k1).w[0] & low));
      }
    }
    int outside = 0;
    for (int j = 0; j < count; ++j) {
      if (at[j] < n) {
        i[who[j]] = at[j];
      } else {
        at[outside] = at[j];
        of[outside] = of[j];
        who[outside++] = who[j];
      }
    }
    count = outside;
  }
}
COHORT_TEAM_FN uint32_t permute(uint32_t i, uint32_t n, const Key& key) {
  permute<1>(1, &i, &key.step, n, key);
  return i;
}

}  // namespace rng
COHORT_END

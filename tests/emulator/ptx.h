// What kernels/cuda/ptx.h calls in the emulated build: asynchronous copies, named barriers, matrices of a warp.
#pragma once

#include "emulator/emulator.h"

namespace emulator {

// ---- asynchronous copies (async_copy.cpp). Bytes land when the thread that issued them waits for their group, as late
// as the hardware may; until then the destination is NaN. A source or a destination that changes in between is an error.
struct AsyncCopy {
  unsigned char* to;
  const unsigned char* from;
  unsigned bytes, group;
  bool valid;
  Site site;
  unsigned char seen[16];  // the source when the copy was issued
};
AsyncCopy& issue_copy(void* shared, const void* global, unsigned bytes, bool valid, const Site& site);
AsyncCopy* next_to_land(unsigned n_pending);
void async_commit();
[[noreturn]] void fail_landing(const AsyncCopy& copy, const char* what);

// Memory is read and written here, in code that the sanitizers watch.
inline void async_copy(void* shared, const void* global, unsigned bytes, bool valid, const Site& site) {
  AsyncCopy& copy = issue_copy(shared, global, bytes, valid, site);
  for (unsigned i = 0; i < bytes; ++i) {
    copy.seen[i] = valid ? copy.from[i] : 0;
    copy.to[i] = 0xff;
  }
}
inline void async_wait(unsigned n_pending) {
  while (const AsyncCopy* const copy = next_to_land(n_pending))
    for (unsigned i = 0; i < copy->bytes; ++i) {
      if (copy->valid && copy->from[i] != copy->seen[i]) fail_landing(*copy, "source");
      if (copy->to[i] != 0xff) fail_landing(*copy, "destination");
      copy->to[i] = copy->seen[i];
    }
}

// ---- named barriers (scheduler.cpp)
void named_barrier(int id, int n_threads, bool wait, const Site& site);

// ---- matrices. All 32 lanes of a warp meet; each lane reads and writes its own row of shared memory itself, so that a
// missing barrier or __syncwarp shows.
void meet_all(void* payload, Combine combine, const char* what, const Site& site);
void check_matrix_row(const void* row, const char* what, const Site& site);

struct Matrices {
  uint16_t row[8];
  uint32_t r[4];
};

// Between rows by lane and fragments by lane: element (i, j) of matrix m is half j % 2 of r[m] in lane 4 i + j / 2.
template <int n, bool transposed, bool load>
EMULATOR_NO_TSAN void move_elements(void** lanes, uint32_t) {
  for (int m = 0; m < n; ++m)
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < 8; ++j) {
        Matrices& in_rows = *static_cast<Matrices*>(lanes[8 * m + (transposed ? j : i)]);
        uint32_t& pair = static_cast<Matrices*>(lanes[4 * i + j / 2])->r[m];
        uint16_t& element = in_rows.row[transposed ? i : j];
        const int shift = 16 * (j % 2);
        if constexpr (load)
          pair = (pair & ~(0xffffu << shift)) | uint32_t(element) << shift;
        else
          element = uint16_t(pair >> shift);
      }
}

template <bool transposed, int n>
void load_matrices(uint32_t (&r)[n], const void* shared_row, const Site& site) {
  Matrices mine{};
  if (lane() < 8 * n) {
    check_matrix_row(shared_row, "ldmatrix", site);
    for (int j = 0; j < 8; ++j) mine.row[j] = static_cast<const uint16_t*>(shared_row)[j];
  }
  meet_all(&mine, move_elements<n, transposed, true>, "ldmatrix", site);
  for (int m = 0; m < n; ++m) r[m] = mine.r[m];
}

template <bool transposed, int n>
void store_matrices(void* shared_row, const uint32_t (&r)[n], const Site& site) {
  Matrices mine{};
  for (int m = 0; m < n; ++m) mine.r[m] = r[m];
  if (lane() < 8 * n) check_matrix_row(shared_row, "stmatrix", site);
  meet_all(&mine, move_elements<n, transposed, false>, "stmatrix", site);
  if (lane() < 8 * n)
    for (int j = 0; j < 8; ++j) static_cast<uint16_t*>(shared_row)[j] = mine.row[j];
}

inline float f16_to_float(uint16_t h) {
  _Float16 x;
  std::memcpy(&x, &h, sizeof x);
  return float(x);
}
inline uint16_t float_to_f16(float x) {
  const _Float16 rounded = _Float16(x);
  uint16_t h;
  std::memcpy(&h, &rounded, sizeof h);
  return h;
}
inline float bf16_to_float(uint16_t h) { return __uint_as_float(uint32_t(h) << 16); }
inline uint16_t float_to_bf16(float x) {
  const uint32_t bits = __float_as_uint(x);
  if (x != x) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
inline uint32_t largest_of_halves(uint32_t top, uint32_t x) {
  uint32_t result = 0;
  for (int shift : {0, 16}) {
    const auto a = uint16_t(top >> shift),
               b = uint16_t(x >> shift & 0x7fff);  // positive: ordered as integers, NaN last
    result |= uint32_t(a > b ? a : b) << shift;
  }
  return result;
}

struct Multiply {
  const uint32_t *a, *b;
  const float* c;
  float d[4];
};

// The sum of n products and c. Tensor cores add all terms at once: aligned to the largest, cut off below its 24 bits and
// some guard bits, and the sum is cut off to a float. Options::mma_guard_bits says how many; without it (-1) every term
// is added in float, in the order of k.
EMULATOR_NO_TSAN inline float sum_of_products(float c, const float* a, const float* b, int n) {
  if (options().mma_guard_bits < 0) {
    for (int k = 0; k < n; ++k) c += a[k] * b[k];
    return c;
  }
  const auto term = [=](int k) EMULATOR_NO_TSAN { return k < n ? double(a[k]) * double(b[k]) : double(c); };
  double largest = 0, sum = 0;
  for (int k = 0; k <= n; ++k) largest = std::fmax(largest, std::fabs(term(k)));
  if (!(largest > 0) || std::isinf(largest)) return float(largest == 0 ? 0.0 : NAN);
  const double unit = std::ldexp(1.0, std::ilogb(largest) - 23 - options().mma_guard_bits);
  for (int k = 0; k <= n; ++k) sum += std::trunc(term(k) / unit) * unit;
  const float rounded = float(sum);
  return std::fabs(double(rounded)) > std::fabs(sum) ? std::nextafter(rounded, 0.0f) : rounded;
}

template <int n, float (*to_float)(uint16_t)>
EMULATOR_NO_TSAN void multiply_all(void** lanes, uint32_t) {
  float a[16][n], b[8][n];
  for (int l = 0; l < 32; ++l) {
    const Multiply& of = *static_cast<Multiply*>(lanes[l]);
    const int row = l / 4, pair = 2 * (l % 4);
    for (int high = 0; high < 2; ++high) {
      const auto half = [=](uint32_t r) EMULATOR_NO_TSAN { return to_float(uint16_t(r >> 16 * high)); };
      for (int k = 0; k < n / 8; ++k) {
        a[row][8 * k + pair + high] = half(of.a[2 * k]);
        a[row + 8][8 * k + pair + high] = half(of.a[2 * k + 1]);
        b[row][8 * k + pair + high] = half(of.b[k]);
      }
    }
  }
  for (int l = 0; l < 32; ++l) {
    Multiply& of = *static_cast<Multiply*>(lanes[l]);
    for (int i = 0; i < 4; ++i) of.d[i] = sum_of_products(of.c[i], a[l / 4 + 8 * (i / 2)], b[2 * (l % 4) + i % 2], n);
  }
}

// k = 8 for each register of b.
template <float (*to_float)(uint16_t), int n>
void multiply_matrices(float (&d)[4], const uint32_t (&a)[2 * n], const uint32_t (&b)[n], const float (&c)[4],
                       const Site& site) {
  Multiply mine{a, b, c, {}};
  meet_all(&mine, multiply_all<8 * n, to_float>, "mma", site);
  for (int i = 0; i < 4; ++i) d[i] = mine.d[i];
}

}  // namespace emulator

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
  const int exponent = h >> 10 & 31, mantissa = h & 1023;
  const float size = exponent == 31  ? (mantissa ? NAN : INFINITY)
                     : exponent == 0 ? std::ldexp(float(mantissa), -24)
                                     : std::ldexp(float(1024 + mantissa), exponent - 25);
  return h >> 15 ? -size : size;
}
inline float bf16_to_float(uint16_t h) { return __uint_as_float(uint32_t(h) << 16); }

struct Multiply {
  const uint32_t *a, *b;
  const float* c;
  float d[4];
};

// Each term is added to the sum in float, in the order of k; tensor cores add in another order and width.
template <float (*to_float)(uint16_t)>
EMULATOR_NO_TSAN void multiply_all(void** lanes, uint32_t) {
  float a[16][16], b[16][8];
  for (int l = 0; l < 32; ++l) {
    const Multiply& of = *static_cast<Multiply*>(lanes[l]);
    const int row = l / 4, pair = 2 * (l % 4);
    for (int high = 0; high < 2; ++high) {
      const auto half = [=](uint32_t r) EMULATOR_NO_TSAN { return to_float(uint16_t(r >> 16 * high)); };
      for (int k = 0; k < 2; ++k) {
        a[row][8 * k + pair + high] = half(of.a[2 * k]);
        a[row + 8][8 * k + pair + high] = half(of.a[2 * k + 1]);
        b[8 * k + pair + high][row] = half(of.b[k]);
      }
    }
  }
  for (int l = 0; l < 32; ++l) {
    Multiply& of = *static_cast<Multiply*>(lanes[l]);
    for (int i = 0; i < 4; ++i) {
      const int row = l / 4 + 8 * (i / 2), column = 2 * (l % 4) + i % 2;
      float sum = of.c[i];
      for (int k = 0; k < 16; ++k) sum += a[row][k] * b[k][column];
      of.d[i] = sum;
    }
  }
}

template <float (*to_float)(uint16_t)>
void multiply_matrices(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const float (&c)[4],
                       const Site& site) {
  Multiply mine{a, b, c, {}};
  meet_all(&mine, multiply_all<to_float>, "mma", site);
  for (int i = 0; i < 4; ++i) d[i] = mine.d[i];
}

}  // namespace emulator

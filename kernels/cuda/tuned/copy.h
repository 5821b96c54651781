// Asynchronous copies from global to shared memory by all lanes of a block; what lies beyond the source becomes 0.
// The caller commits, waits and synchronises.
#pragma once

#include "cuda/ptx.h"
#include "team/cta.h"

COHORT_BEGIN

// Rows of floats to [rows][stride], `cols` of each, a multiple of 4; the source has `have_rows` rows of `have_cols`.
struct CopyShape {
  int rows, cols, stride, have_rows, have_cols;
};

// 16 bytes at a time; from and from_row are multiples of 4 floats, as is have_cols.
COHORT_TEAM_FN void copy_rows(float* to, const CopyShape& s, const float* from, ptrdiff_t from_row) {
  CtaTeam{}.for_each_2d(s.rows, s.cols / 4, [=](int r, int q) {
    const bool valid = r < s.have_rows && 4 * q < s.have_cols;
    const float* const source = valid ? from + r * from_row + 4 * q : from;
    ptx::cp_async_16(to + r * s.stride + 4 * q, source, valid);
  });
}
// 4 bytes at a time, any strides of the source.
COHORT_TEAM_FN void copy_narrow(float* to, const CopyShape& s, const float* from, ptrdiff_t from_row,
                                ptrdiff_t from_col) {
  for (int i = CtaTeam::lane(); i < s.rows * s.cols; i += CtaTeam::size()) {
    // neighbouring lanes to neighbouring addresses
    const int r = from_row == 1 ? i % s.rows : i / s.cols, c = from_row == 1 ? i / s.rows : i % s.cols;
    const bool valid = r < s.have_rows && c < s.have_cols;
    const float* const source = valid ? from + r * from_row + c * from_col : from;
    ptx::cp_async_4(to + r * s.stride + c, source, valid);
  }
}

COHORT_END

// The two weight matrices of a pass, as right operands of products in shared memory: [W0; W1], rows x units. Resident, they
// are loaded once; streamed, slices of rows follow one another through a ring, also from one time step to the next.
#pragma once

#include "cuda/tuned/copy.h"
#include "cuda/tuned/shape.h"
#include "cuda/tuned/tile.h"

COHORT_BEGIN

struct WeightOperand {
  const float* from;  // [rows][ld] in global memory
  int rows;
};

template <bool resident>
class TileWeights {
 public:
  // Starts the loading. Resident weights are there after cp_async_wait<0> and a sync.
  COHORT_TEAM_FN TileWeights(const TileShape& shape, float* memory, int ld, WeightOperand first, WeightOperand second)
      : memory_(memory),
        cols_(shape.cols()),
        ld_(ld),
        first_(first),
        second_(second),
        first_slices_((padded(first) + slice - 1) / slice),
        n_slices_(first_slices_ + (padded(second) + slice - 1) / slice) {
    if constexpr (resident) {
      load(memory, first, 0, padded(first));
      load(memory + padded(first) * cols_, second, 0, padded(second));
      ptx::cp_async_commit();
    } else {
      for (int i = 0; i < ring - 1; ++i) prefetch(i);
    }
  }

  // tile += A0 W0 + A1 W1 for the lane's rows at a0 and a1 (tile.h). Streamed, all lanes synchronise in here.
  COHORT_TEAM_FN void multiply(Tile& tile, const float* a0, int lda0, const float* a1, int lda1, int col) {
    if constexpr (resident) {
      tile.multiply(a0, lda0, memory_ + col, cols_, padded(first_));
      tile.multiply(a1, lda1, memory_ + padded(first_) * cols_ + col, cols_, padded(second_));
    } else {
      for (int i = 0; i < n_slices_; ++i) {
        ptx::cp_async_wait<ring - 2>();
        CtaTeam::sync();
        prefetch(i + ring - 1);
        const bool second = i >= first_slices_;
        const int row = (second ? i - first_slices_ : i) * slice;
        tile.multiply((second ? a1 : a0) + row, second ? lda1 : lda0, slot(turn_) + col, cols_,
                      rows_of_slice(second ? second_ : first_, row));
        turn_ = turn_ + 1 == ring ? 0 : turn_ + 1;
      }
    }
  }

  // Waits for what this thread copied before the last multiply().
  COHORT_TEAM_FN void wait_for_copies() const { ptx::cp_async_wait<resident ? 0 : ring - 2>(); }

 private:
  static constexpr int slice = TileShape::slice_rows, ring = TileShape::n_slices;
  COHORT_TEAM_FN static int padded(const WeightOperand& w) { return (w.rows + 3) / 4 * 4; }
  COHORT_TEAM_FN static int rows_of_slice(const WeightOperand& w, int row) {
    return padded(w) - row < slice ? padded(w) - row : slice;
  }
  COHORT_TEAM_FN float* slot(int i) const { return memory_ + i * slice * cols_; }
  COHORT_TEAM_FN void load(float* to, const WeightOperand& w, int row, int rows) const {
    copy_rows(to, {rows, cols_, cols_, w.rows - row, ld_}, w.from + ptrdiff_t(row) * ld_, ld_);
  }
  // Slice i of the step, counted on into the next one.
  COHORT_TEAM_FN void prefetch(int i) {
    const int s = i % n_slices_;
    const bool second = s >= first_slices_;
    const int row = (second ? s - first_slices_ : s) * slice;
    const WeightOperand w = second ? second_ : first_;
    load(slot(filled_), w, row, rows_of_slice(w, row));
    filled_ = filled_ + 1 == ring ? 0 : filled_ + 1;
    ptx::cp_async_commit();
  }

  float* memory_;
  int cols_, ld_;
  WeightOperand first_, second_;
  int first_slices_, n_slices_;
  int turn_ = 0, filled_ = 0;  // ring slots to use next and to fill next
};

COHORT_END

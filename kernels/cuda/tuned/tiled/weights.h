// The two weight matrices of a pass, as right operands of products in shared memory: [W0; W1], rows x units. Resident, they
// are loaded once; streamed, slices of rows follow one another through a ring, also from one time step to the next.
#pragma once

#include "cuda/tuned/tiled/pass.h"

COHORT_BEGIN

template <bool resident>
class TileWeights {
 public:
  COHORT_TEAM_FN explicit TileWeights(const TilePass& p) : plan_(p.plan), memory_(p.memory.weights), cols_(p.cols) {}

  // Starts the loading, resident weights once a pass, streamed ones in each function that uses them. Resident ones are
  // there after cp_async_wait<0> and a sync.
  COHORT_TEAM_FN void load() {
    if constexpr (resident) {
      load(memory_, 0, 0, padded(0));
      load(memory_ + padded(0) * cols_, 1, 0, padded(1));
      ptx::cp_async_commit();
    } else {
      for (int i = 0; i < ring - 1; ++i) prefetch(i, i);
    }
  }

  // tile += (state) W0 + (side of step t) W1 for the lane's rows and columns. Streamed, all lanes synchronise in here.
  COHORT_TEAM_FN void multiply(Tile& tile, const TilePass& p, int t) {
    if constexpr (resident) {
      tile.multiply(left(p, 0, t), left_stride(p, 0), memory_ + p.place.first_col, cols_, padded(0));
      tile.multiply(left(p, 1, t), left_stride(p, 1), memory_ + padded(0) * cols_ + p.place.first_col, cols_,
                    padded(1));
    } else {
      for (int i = 0; i < slices(0) + slices(1); ++i) {
        ptx::cp_async_wait<ring - 2>();
        CtaTeam::sync();
        prefetch(i + ring - 1, turn_ > 0 ? turn_ - 1 : ring - 1);
        const int operand = i >= slices(0), row = (operand ? i - slices(0) : i) * slice;
        tile.multiply(left(p, operand, t) + row, left_stride(p, operand), slot(turn_) + p.place.first_col, cols_,
                      rows_of_slice(operand, row));
        turn_ = turn_ + 1 == ring ? 0 : turn_ + 1;
      }
    }
  }

  // Waits for what this thread copied before the last multiply().
  COHORT_TEAM_FN void wait_for_copies() const { ptx::cp_async_wait<resident ? 0 : ring - 2>(); }

 private:
  static constexpr int slice = TileShape::slice_rows, ring = TileShape::n_slices;
  COHORT_TEAM_FN int padded(int operand) const { return (plan_->weights[operand].rows + 3) / 4 * 4; }
  COHORT_TEAM_FN int slices(int operand) const { return (padded(operand) + slice - 1) / slice; }
  COHORT_TEAM_FN int rows_of_slice(int operand, int row) const {
    return padded(operand) - row < slice ? padded(operand) - row : slice;
  }
  // The lane's first row of the operand that the weights are multiplied with.
  COHORT_TEAM_FN static const float* left(const TilePass& p, int operand, int t) {
    return (operand ? p.side(t) : p.memory.state) + p.place.first_row * left_stride(p, operand);
  }
  COHORT_TEAM_FN static int left_stride(const TilePass& p, int operand) {
    return operand ? p.plan->side_stride : p.stride();
  }
  COHORT_TEAM_FN float* slot(int i) const { return memory_ + i * slice * cols_; }
  COHORT_TEAM_FN void load(float* to, int operand, int row, int rows) const {
    const TilePlan::Operand w = plan_->weights[operand];
    const int ld = plan_->ld;
    copy_rows(to, {rows, cols_, cols_, w.rows - row, ld}, w.from + ptrdiff_t(row) * ld, ld);
  }
  // Slice i of the step, counted on into the next one, to a slot of the ring.
  COHORT_TEAM_FN void prefetch(int i, int to) {
    const int s = i % (slices(0) + slices(1)), operand = s >= slices(0), row = (operand ? s - slices(0) : s) * slice;
    load(slot(to), operand, row, rows_of_slice(operand, row));
    ptx::cp_async_commit();
  }

  const TilePlan* plan_;
  float* memory_;
  int cols_;
  int turn_ = 0;  // slot of the ring to use next
};

COHORT_END

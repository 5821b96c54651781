// A pass of one layer over one panel of batch rows: what it works on, and the lane's place in it.
#pragma once

#include "core/recurrent.h"
#include "cuda/tuned/copy.h"
#include "cuda/tuned/tiled/shape.h"
#include "cuda/tuned/tiled/tile.h"

COHORT_BEGIN

struct TileTeam : CtaTeam {
  TileShape shape;
  COHORT_TEAM_FN explicit TileTeam(const TileShape& s) : shape(s) {}
};

// Lies in shared memory: registers are for the tile. Pointers are those of the layer, at time step 0 and the panel's first
// row; null where the pass has no use for one.
struct TilePlan {
  struct Product {  // out += a^T b: gradients of n x n weights
    const float *a, *b;
    float* out;
  };
  struct Operand {  // [rows][ld]
    const float* from;
    int rows;
  };
  const float* x;      // [steps][rows][n_in]
  const float* e;      // [n_out][steps][rows]
  const float* below;  // h_1 of the layer below
  const float* above;  // delta_0 of the layer above
  float* h;            // slot 0: h_{-1}
  float* delta;
  float* y;               // [n_out][steps][rows]
  const float *c, *d;     // biases of the layer and of the readout
  float *ds_t, *dc, *dv;  // gradients: of input weights (layer 0), of the layer's bias, of the readout
  Operand weights[2];     // of the products of a step: of the state, and of the input, the error or the delta above
  Product product[2];     // of recurrent weights, and of those from the layer below
  ptrdiff_t slot, n_positions;                     // floats of a time step of states, and of an output
  int n_hidden, n_in, n_out, steps, rows, n_rows;  // rows: of the batch; n_rows: of the panel
  int row_warps, ld, side_stride;
  int first_logits;  // step
  int first, last;   // is it the first layer, the last one?
  int noisy, bias;
  ActivationId activation;
};

struct TilePass {
  const TilePlan* plan;
  LanePlace place;
  TileMemory memory;
  int cols;

  // The pass whose plan is in shared memory.
  COHORT_TEAM_FN static TilePass current(const TileTeam& team, const Signature& g) {
    GPU_DYN_SMEM(base);
    gpu::Smem smem(base);
    return {shared_plan(), LanePlace(team.shape.col_warps), TileMemory(smem, team.shape, g), team.shape.cols()};
  }
  // The same, the lane's place computed again: where registers are short, it need not be kept until here.
  COHORT_TEAM_FN TilePass anew() const {
    return {plan, LanePlace(cols / TileShape::tile, ptx::thread_index()), memory, cols};
  }
  COHORT_TEAM_FN static TilePlan* shared_plan() {
    GPU_SHARED(TilePlan, plan, 1);
    return plan;
  }
  // What all passes have in common, into *plan by one lane.
  COHORT_TEAM_FN static void fill(const TileTeam& team, const Signature& g, int l, ActivationId activation,
                                  Extent extent, int panel, const float* x, float* h, TilePlan* plan) {
    const int ld = CtaTeam::pad<float>(g.n_hidden), first_row = panel * team.shape.rows(),
              left = extent.rows - first_row;
    const ptrdiff_t slot = ptrdiff_t(extent.rows) * ld;
    *plan = {};
    plan->x = x + ptrdiff_t(first_row) * g.n_in;
    plan->h = h + l * slot * (extent.steps + 1) + ptrdiff_t(first_row) * ld;
    plan->below = l > 0 ? plan->h - slot * extent.steps : nullptr;
    plan->slot = slot;
    plan->n_positions = ptrdiff_t(extent.steps) * extent.rows;
    plan->n_hidden = g.n_hidden;
    plan->n_in = g.n_in;
    plan->n_out = g.n_out;
    plan->steps = extent.steps;
    plan->rows = extent.rows;
    plan->n_rows = left < team.shape.rows() ? left : team.shape.rows();
    plan->row_warps = team.shape.row_warps;
    plan->ld = ld;
    plan->first_logits = extent.first;
    plan->activation = activation;
    plan->first = l == 0;
    plan->last = l == g.n_layers - 1;
    plan->bias = g.bias;
  }

  COHORT_TEAM_FN int stride() const { return tile_stride(cols); }
  COHORT_TEAM_FN int tile_rows() const { return TileShape::tile * plan->row_warps; }
  COHORT_TEAM_FN float* side(int t) const { return memory.side + (t & 1) * tile_rows() * plan->side_stride; }
  COHORT_TEAM_FN float* input(int t) const { return memory.input + (t & 1) * tile_rows() * tile_stride(plan->n_in); }

  // f(r, half, offset in a tile of states, offset in the panel's states, whether there are such states) for each quad.
  template <class F>
  COHORT_FORCE_INLINE void for_each_quad(F f) const {
    const int ld = plan->ld, in_tile = place.first_row * stride() + place.first_col,
              in_states = place.first_row * ld + place.first_col;
    const int rows_left = plan->n_rows - place.first_row, cols_left = ld - place.first_col;
    COHORT_UNROLL
    for (int r = 0; r < 4; ++r) {
      COHORT_UNROLL
      for (int half = 0; half < 2; ++half)
        f(r, half, in_tile + 8 * r * stride() + 16 * half, in_states + 8 * r * ld + 16 * half,
          8 * r < rows_left && 16 * half < cols_left);
    }
  }

  COHORT_TEAM_FN void clear(float* values, int n) const {
    CtaTeam{}.for_each(n, [=](int i) { values[i] = 0.0f; });
  }
  // The panel's rows at step t to a tile: of states, of inputs, of errors.
  COHORT_TEAM_FN void copy_states(float* to, const float* states, int t) const {
    copy_rows(to, {tile_rows(), cols, stride(), plan->n_rows, plan->ld}, states + t * plan->slot, plan->ld);
  }
  COHORT_TEAM_FN void copy_inputs(float* to, int t) const {
    const int n = plan->n_in;
    copy_narrow(to, {tile_rows(), (n + 3) / 4 * 4, tile_stride(n), plan->n_rows, n},
                plan->x + ptrdiff_t(t) * plan->rows * n, n, 1);
  }
  COHORT_TEAM_FN void copy_errors(float* to, int t) const {
    const int n = plan->n_out;
    copy_narrow(to, {tile_rows(), (n + 3) / 4 * 4, tile_stride(n), plan->n_rows, n},
                plan->e + ptrdiff_t(t) * plan->rows, 1, plan->n_positions);
  }
};

COHORT_END

// How a block of the tiled program covers a network, and what it keeps in shared memory.
//
// A warp owns a tile of 32 batch rows x 32 units; a block has row_warps x col_warps of them. Batches that are larger are
// treated a panel of 32 row_warps rows at a time, one after another. Weights stay in shared memory over all time steps
// where they fit (resident), and are streamed from L2 a slice of rows at a time where they do not.
#pragma once

#include "cuda/gpu.h"
#include "team/cta.h"

COHORT_BEGIN

// Leading dimension of a tile whose 8 rows at a distance of one lie in different banks: an odd multiple of 4.
COHORT_FN constexpr int tile_stride(int cols) {
  const int quads = (cols + 3) / 4;
  return 4 * (quads % 2 ? quads : quads + 1);
}

struct TileShape {
  static constexpr int tile = 32;          // rows and units of a warp
  static constexpr int max_threads = 512;  // leaves a thread 128 registers
  static constexpr int max_hidden = 256;   // beyond, cuBLAS is better
  static constexpr int max_inputs = 32;    // their gradients are summed in registers, one by one
  static constexpr int max_outputs = 32;
  static constexpr int n_slices = 3;  // of streamed weights in flight
  static constexpr int slice_rows = 16;
  static constexpr size_t static_bytes = 1024;  // of shared memory besides TileMemory, at most
  static constexpr int n_stages = 4;            // of operands of weight gradients in flight

  int row_warps = 1, col_warps = 1;
  int resident = 1;

  COHORT_FN int rows() const { return tile * row_warps; }
  COHORT_FN int cols() const { return tile * col_warps; }
  COHORT_FN int threads() const { return 32 * row_warps * col_warps; }
};

// Arrays of floats in shared memory; every phase uses those that it needs.
struct TileMemory {
  float* weights;  // resident: [rows of both operands][cols]; else n_slices x [slice_rows][cols]
  float* state;    // [rows][tile_stride(cols)]: h_t, or delta_t
  float* side;     // 2 x [rows][side_stride]: inputs of two steps (forward); errors, or deltas from above (backward)
  float* input;    // 2 x [rows][tile_stride(n_in)]: x of two steps of the backward pass
  float* slope;    // [rows][tile_stride(cols)]: h_t of the backward pass; or n_stages operands of weight gradients
  float* sums;     // [row_warps][n_in + 1 + n_out][cols]: gradients of narrow weights; or V, padded (forward)
  int side_stride;

  COHORT_FN TileMemory(gpu::Smem& smem, const TileShape& s, const Signature& g) {
    const size_t rows = size_t(s.rows()), cols = size_t(s.cols()), n = size_t((g.n_hidden + 3) / 4 * 4),
                 narrow = size_t(((g.n_in > g.n_out ? g.n_in : g.n_out) + 3) / 4 * 4);
    const bool deep = g.n_layers > 1;
    side_stride = tile_stride(deep ? s.cols() : int(narrow));
    weights = smem.take<float>(s.resident ? (n + (deep && n > narrow ? n : narrow)) * cols
                                          : size_t(s.n_slices) * size_t(s.slice_rows) * cols);
    state = smem.take<float>(rows * size_t(tile_stride(s.cols())));
    side = smem.take<float>(2 * rows * size_t(side_stride));
    input = smem.take<float>(2 * rows * size_t(tile_stride(g.n_in)));
    slope = smem.take<float>(rows * size_t(tile_stride(s.cols())));
    const size_t sums_rows = size_t(s.row_warps * (g.n_in + 1 + g.n_out)), readout_rows = size_t((g.n_out + 3) / 4 * 4);
    sums = smem.take<float>((sums_rows > readout_rows ? sums_rows : readout_rows) * cols);
  }
  static size_t bytes(const TileShape& s, const Signature& g) {
    gpu::Smem smem(nullptr);
    const TileMemory memory(smem, s, g);
    return smem.bytes();
  }
};

// The shape for a signature on a device with so much shared memory for a block. False, with the reason, where there is none.
inline bool choose_tile_shape(const Signature& g, size_t smem_bytes, TileShape* shape, const char** reason) {
  const auto no = [&](const char* why) {
    *reason = why;
    return false;
  };
  if (g.n_hidden > TileShape::max_hidden) return no("more than 256 hidden units");
  if (g.n_in > TileShape::max_inputs) return no("more than 32 inputs");
  if (g.n_out > TileShape::max_outputs) return no("more than 32 outputs");
  const auto tiles = [](int n) { return (n + TileShape::tile - 1) / TileShape::tile; };
  shape->col_warps = tiles(g.n_hidden);
  const int most = shape->col_warps <= 4 ? 8 / shape->col_warps : TileShape::max_threads / 32 / shape->col_warps;
  const int panels = (tiles(g.batch) + most - 1) / most;
  for (shape->row_warps = (tiles(g.batch) + panels - 1) / panels; shape->row_warps > 0; --shape->row_warps)
    for (shape->resident = 1; shape->resident >= 0; --shape->resident)
      if (TileMemory::bytes(*shape, g) + TileShape::static_bytes <= smem_bytes) return true;
  return no("too little shared memory");
}

COHORT_END

// The sizes that the tensor-core programs are compiled for.
#pragma once

#include "cohort/kernels.h"
#include "team/target.h"

COHORT_BEGIN

struct MmaSize {
  int units;                                    // up to so many hidden units
  const Program<float>& (*program)(Precision);  // fp16 or fp32x3
  const char* (*refuses)(const Signature&);     // as in cuda/programs.h
};
extern const MmaSize mma_16, mma_32, mma_64, mma_112, mma_128;  // units_N.cu

COHORT_END

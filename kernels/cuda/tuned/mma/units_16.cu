#include "cuda/tuned/mma/design.h"

COHORT_BEGIN

const MmaSize mma_16 = mma_size<16>();

COHORT_END

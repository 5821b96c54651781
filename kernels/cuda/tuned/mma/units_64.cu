#include "cuda/tuned/mma/design.h"

COHORT_BEGIN

const MmaSize mma_64 = mma_size<64>();

COHORT_END

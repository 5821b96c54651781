#include "cuda/tuned/mma/design.h"

COHORT_BEGIN

const MmaSize mma_128 = mma_size<128>();

COHORT_END

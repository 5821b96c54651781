#include "cuda/tuned/mma/design.h"

COHORT_BEGIN

const MmaSize mma_32 = mma_size<32>();

COHORT_END

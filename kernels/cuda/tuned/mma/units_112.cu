#include "cuda/tuned/mma/design.h"

COHORT_BEGIN

const MmaSize mma_112 = mma_size<112>();

COHORT_END

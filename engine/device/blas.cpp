#include "device/blas.h"

#include <cblas.h>

namespace cohort::engine {

void single_threaded_blas() { openblas_set_num_threads(1); }

}  // namespace cohort::engine

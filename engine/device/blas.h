// OpenBLAS as the engine uses it: inside workers that already share the cores among them.
#pragma once

namespace cohort::engine {

// From here on OpenBLAS works on the calling thread only, in the whole process, so that its results do not depend on
// how many cores there are and workers do not compete. Cheap; call it before any BLAS or LAPACK call that may be the
// first.
void single_threaded_blas();

}  // namespace cohort::engine

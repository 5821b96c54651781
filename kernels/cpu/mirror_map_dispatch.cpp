// The mirror maps on the best instruction set of this machine.
#include "cohort/error.h"
#include "cpu/mirror_map.h"
#include "cpu/rows.h"

namespace cohort {

#define COHORT_DECLARE(target, isa, runs) \
  inline namespace target##_double {      \
    ApplyMap mirror_map_row();            \
  }
COHORT_ROWS(COHORT_DECLARE)
#undef COHORT_DECLARE

namespace {

ApplyMap row() {
#define COHORT_TRY(target, name, runs) \
  if (runs) return target##_double::mirror_map_row();
  COHORT_ROWS(COHORT_TRY)
#undef COHORT_TRY
  throw Error("this processor runs none of the instruction sets that the kernels are built for");
}

void apply(const MirrorMap& map, MapOf which, int64_t n, const double* in, const double* w_ref, double* out) {
  static const ApplyMap best = row();
  best(map, which, n, in, w_ref, out);
}

}  // namespace

void to_dual(const MirrorMap& map, int64_t n, const double* w, double* y) { apply(map, MapOf::dual, n, w, nullptr, y); }
void to_primal(const MirrorMap& map, int64_t n, const double* y, const double* w_ref, double* w) {
  apply(map, MapOf::primal, n, y, w_ref, w);
}
void curvature(const MirrorMap& map, int64_t n, const double* w, double* c) {
  apply(map, MapOf::curvature, n, w, nullptr, c);
}

}  // namespace cohort

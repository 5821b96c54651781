// The mirror maps for one instruction set (cohort/mirror_map.h). Compiled once per instruction set, for double.
#include "cpu/mirror_map.h"

#include "program/dispatch.h"

COHORT_BEGIN

namespace {

void apply(const MirrorMap& m, MapOf which, int64_t n, const double* in, const double* w_ref, double* out) {
  const geometry::Params q{m.p, m.beta};
  with_geometry(m.geometry, q, [&](auto map) {
    switch (which) {
      case MapOf::dual:
        COHORT_SIMD
        for (int64_t i = 0; i < n; ++i) out[i] = map.to_dual(in[i], q);
        break;
      case MapOf::primal:
        COHORT_SIMD
        for (int64_t i = 0; i < n; ++i) out[i] = map.to_primal(in[i], w_ref[i], q);
        break;
      case MapOf::curvature:
        COHORT_SIMD
        for (int64_t i = 0; i < n; ++i) out[i] = map.curvature(in[i], q);
        break;
    }
  });
}

}  // namespace

ApplyMap mirror_map_row() { return apply; }

COHORT_END

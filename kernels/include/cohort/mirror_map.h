// The mirror maps of the registered geometries (kernels/geometry) on arrays of weights, in double, on the calling thread: for
// analyses and statistics. Formulas and what they say at w = 0: geometry/geometry.h. Arrays [n]; output may be the input.
#pragma once

#include "cohort/kernels.h"

namespace cohort {

struct MirrorMap {
  GeometryId geometry = GeometryId::euclidean;
  double p = 2.0;     // p_norm, p > 1
  double beta = 1.0;  // hypentropy, beta > 0
};

// y = phi'(w).
void to_dual(const MirrorMap& map, int64_t n, const double* w, double* y);

// The w with phi'(w) = y on the orthant of w_ref [n], whose sign counts only where the map is not injective.
void to_primal(const MirrorMap& map, int64_t n, const double* y, const double* w_ref, double* w);

// c = phi''(w).
void curvature(const MirrorMap& map, int64_t n, const double* w, double* c);

}  // namespace cohort

// A row of the mirror maps: one function per instruction set.
#pragma once

#include "cohort/mirror_map.h"

namespace cohort {

enum class MapOf { dual, primal, curvature };
// w_ref is read by `primal` only.
using ApplyMap = void (*)(const MirrorMap& map, MapOf which, int64_t n, const double* in, const double* w_ref,
                          double* out);

}  // namespace cohort

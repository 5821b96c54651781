// A geometry is a mirror map phi, separable over weights; learning moves grad phi: grad phi(w+) = grad phi(w) - lr d.
// One struct in geometry/<name>.h with static functions of one weight:
//
//   step(w, d, lr, p)        the update in primal space; d = 0 leaves w as it is
//   decay(w)                 what one unit of weight decay adds to the gradient
//   to_dual(w, p)            grad phi(w)
//   to_primal(y, w_ref, p)   its inverse on the orthant of w_ref (the sign of w_ref before the step)
//   potential(w, p)          phi(w)
//   curvature(w, p)          phi''(w), the derivative of to_dual; at w = 0 its limit, 0 and infinity included
//   zeros_stay               whether w = 0 never moves
// Sources: Pogodin et al., ICLR 2024 (potentials); Cornford et al. 2024 (exponentiated gradient and its decay).
#pragma once

#include "math/elementary.h"

COHORT_BEGIN
namespace geometry {

struct Params {
  double p;     // p_norm
  double beta;  // hypentropy
};

}  // namespace geometry
COHORT_END

// What the generic programs do to weights, as one kernel: update_tensor and project_tensor by a block per network.
// `directions` [n_nets][n] hold the gradient, which Adam changes in place.
#pragma once

#include "cohort/update.h"

namespace cohort::testing {

template <class Real>
void run_update_tensor(const MirrorUpdateArgs<Real>& a, Real* directions);
template <class Real>
void run_project_tensor(const SignProjectArgs<Real>& a);

}  // namespace cohort::testing

// A layer of weights of any sign: z = W a + b.
#pragma once

#include "cohort/kernels.h"
#include "team/target.h"

COHORT_BEGIN
namespace cell {

struct dense {
  static constexpr const char* doc = "z = W a + b";
  static constexpr ParameterisationId parameterisation = ParameterisationId::dense;
};

}  // namespace cell
COHORT_END

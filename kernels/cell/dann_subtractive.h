// Dale's ANN without its division (Cornford et al., ICLR 2021).
#pragma once

#include "cohort/kernels.h"
#include "team/target.h"

COHORT_BEGIN
namespace cell {

struct dann_subtractive {
  static constexpr const char* doc = "subtractive inhibition only: z = (W_ex - W_ei W_ix) a + b (Cornford et al. 2021)";
  static constexpr ParameterisationId parameterisation = ParameterisationId::dann;
};

}  // namespace cell
COHORT_END

// Dale's ANN (Cornford et al., ICLR 2021): subtractive and divisive feedforward inhibition.
#pragma once

#include "cohort/kernels.h"
#include "team/target.h"

COHORT_BEGIN
namespace cell {

struct dann {
  static constexpr const char* doc =
      "subtractive and divisive inhibition: z = g (W_ex - W_ei W_ix) a / gamma + b (DANN; Cornford et al. 2021)";
  static constexpr ParameterisationId parameterisation = ParameterisationId::dann;
};

}  // namespace cell
COHORT_END

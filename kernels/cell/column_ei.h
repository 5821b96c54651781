// Dale's law by columns: z = (M s) a + b with magnitudes M and the signs s of the presynaptic units; the data, which are all excitatory, have positive weights only.
#pragma once

#include "cohort/kernels.h"
#include "team/target.h"

COHORT_BEGIN
namespace cell {

struct column_ei {
  static constexpr const char* doc = "magnitudes times the sign of the presynaptic unit (ColEI)";
  static constexpr ParameterisationId parameterisation = ParameterisationId::column_ei;
};

}  // namespace cell
COHORT_END

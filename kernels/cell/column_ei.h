// Dale's law by columns (Li et al., NeurIPS 2023; Cornford et al., ICLR 2021): a dense layer of magnitudes times the signs of the
// presynaptic units; the data, which are all excitatory, have positive weights only.
#pragma once

#include "cell/dense.h"

COHORT_BEGIN
namespace cell {

struct column_ei : dense {
  static constexpr const char* doc = "magnitudes times the sign of the presynaptic unit (ColEI)";
  static constexpr ParameterisationId parameterisation = ParameterisationId::column_ei;
};

}  // namespace cell
COHORT_END

// Batch normalisation (Ioffe, Szegedy 2015), always with the statistics of the batch at hand, at test time too.
#pragma once

#include "cohort/kernels.h"
#include "team/target.h"

COHORT_BEGIN
namespace cell {

struct batch_norm {
  static constexpr const char* doc =
      "pre-activations normalised over the batch, times a gain; batch statistics at test time too";
  static constexpr ParameterisationId parameterisation = ParameterisationId::dense;
};

}  // namespace cell
COHORT_END

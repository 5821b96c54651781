// Layer normalisation (Ba, Kiros, Hinton 2016): every sample's pre-activations are normalised over the layer's units.
#pragma once

#include "cohort/kernels.h"
#include "team/target.h"

COHORT_BEGIN
namespace cell {

struct layer_norm {
  static constexpr const char* doc = "pre-activations normalised over the units of a layer, times a gain";
  static constexpr ParameterisationId parameterisation = ParameterisationId::dense;
};

}  // namespace cell
COHORT_END

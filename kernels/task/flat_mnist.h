// Flattened MNIST: all pixels of an image at once, for feedforward networks.
// Cornford et al., ICLR 2021 (Learning to live with Dale's principle: ANNs with separate excitatory and inhibitory
// units).
#pragma once

#include "task/image.h"

COHORT_BEGIN

struct flat_mnist : ImageTask<1> {
  static constexpr const char* doc = "MNIST, KMNIST or Fashion-MNIST in one step of 784 pixels (Cornford et al. 2021)";
};

COHORT_END

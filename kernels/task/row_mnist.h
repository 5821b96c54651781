// Row-sequential MNIST: an image row by row, classified at the last row.
// Le, Jaitly, Hinton (A simple way to initialize recurrent networks, 2015) showed it pixel by pixel; rows as in Pogodin
// et al., Liu et al. (both ICLR 2024) and Li et al. (NeurIPS 2023), the first of whom standardise the pixels.
#pragma once

#include "task/image.h"

COHORT_BEGIN

struct row_mnist : ImageTask<28> {
  static constexpr const char* doc =
      "MNIST, KMNIST or Fashion-MNIST row by row: 28 steps of 28 pixels (Li et al. 2023)";
};

COHORT_END

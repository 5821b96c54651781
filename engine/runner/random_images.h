// Images to measure training with where no data set is: every byte and label random, the same on every machine.
#pragma once

#include "data/idx.h"

namespace cohort::engine {

inline constexpr int32_t n_random_images = 4096;

// 28 x 28 pixels, labels 0 to 9, all in the training split. From the 32-bit Mersenne twister (std::mt19937) seeded with 0:
// 784 n / 4 words, the bytes of each from the lowest on, are the pixels; then word w of each image gives floor(10 w / 2^32).
ImageSet random_images();

}  // namespace cohort::engine

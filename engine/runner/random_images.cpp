#include "runner/random_images.h"

#include <random>

namespace cohort::engine {

ImageSet random_images() {
  ImageSet set;
  set.rows = set.cols = 28;
  set.count[int(Split::train)] = n_random_images;
  set.first[int(Split::validation)] = set.first[int(Split::test)] = n_random_images;
  set.pixels.resize(size_t(n_random_images) * size_t(set.rows) * size_t(set.cols));
  set.labels.resize(size_t(n_random_images));
  std::mt19937 random(0);
  for (size_t i = 0; i < set.pixels.size(); i += 4) {
    const uint32_t word = uint32_t(random());
    for (size_t k = 0; k < 4; ++k) set.pixels[i + k] = uint8_t(word >> (8 * k));
  }
  for (uint8_t& label : set.labels) label = uint8_t((uint64_t(random()) * 10) >> 32);
  return set;
}

}  // namespace cohort::engine

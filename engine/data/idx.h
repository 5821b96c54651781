// Labelled image sets in the IDX format of MNIST (LeCun, Cortes, Burges): big-endian magic number 0x00000803 (images:
// count, rows, columns) or 0x00000801 (labels: count), then unsigned bytes. Files are untrusted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cohort/kernels.h"

namespace cohort::engine {

// Images of 28 x 28 pixels with labels 0 to 9: training images, then validation images, then test images.
struct ImageSet {
  std::vector<uint8_t> pixels;           // [images][rows * cols]
  std::vector<uint8_t> labels;           // [images]
  int32_t rows = 0, cols = 0;            // 28, 28
  int32_t first[3] = {}, count[3] = {};  // indexed by Split: images [first, first + count)

  // Points into this set, which must outlive it unmoved and unchanged.
  Dataset view() const;
};

inline constexpr int32_t max_images = 300'000;     // of one file: 235 MB
inline constexpr int32_t default_validation = -1;  // a twelfth of the training images, at least one: 5,000 of 60,000

// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each plain
// or, where there is no plain one, with .gz, from a directory. The t10k files are the test split, in their order. The
// training files are put in a random order that depends on nothing but their number and so is the same for everyone;
// its last `validation` images are the validation split (0 = none). The order: Fisher and Yates's shuffle from the last
// image n - 1 down to 1, which exchanges image i with image floor(w (i + 1) / 2^32), w the next word of the 32-bit
// Mersenne twister (std::mt19937) seeded with 0.
// IoError: a file that is missing, unreadable, truncated, too long, damaged, of another kind, of other than 28 x 28
// pixels, empty or of more than max_images, with a label above 9, or not of its partner's count. Error: `validation`
// leaves no training image. Memory is bounded by the images that the files can really hold, at most 2 max_images.
ImageSet load_images(const std::string& directory, int32_t validation = default_validation);

// The same with another training split: `n` images of `of` (train or test), chosen by `seed` alone: the first n of Fisher and
// Yates's shuffle from the front, which exchanges image i with image i + floor(w (count - i) / 2^32), w the next word of
// std::mt19937 seeded with it. Training images that are not
// among them are dropped; test images that are, are test images no more. Error: `n` is below 1, or more than there are, or all
// test images.
ImageSet with_subset(const ImageSet& set, Split of, int32_t n, uint64_t seed);

// The directory of the data files: `option` (the value of --data) unless it is empty, else the environment's
// COHORT_DATA. Error if neither is there.
std::string data_directory(const std::string& option);

}  // namespace cohort::engine

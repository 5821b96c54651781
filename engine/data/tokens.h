// Token streams for language modelling: texts of words, and one embedding vector per word of the vocabulary. Files are
// untrusted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cohort/kernels.h"

namespace cohort::engine {

// The texts of training, validation and test one after another, each at a multiple of `steps`: window i of the task
// `language_model` is tokens [i * steps, (i + 1) * steps). A text of n words has (n - 1) / steps windows, the last of which
// has a word after it; zeros fill up the place before the next text.
struct TokenSet {
  std::vector<int32_t> tokens;    // word numbers
  std::vector<float> embeddings;  // [vocabulary][dimension]
  int32_t vocabulary = 0, dimension = 0, steps = 0;
  int32_t first[3] = {}, count[3] = {};  // indexed by Split: windows [first, first + count)

  // Points into this set, which must outlive it unmoved and unchanged.
  Dataset view() const;
};

inline constexpr uint64_t max_token_file = uint64_t(1) << 31;   // bytes
inline constexpr size_t max_embedding_line = size_t(64) << 10;  // bytes
inline constexpr size_t max_word = 1024;                        // bytes
inline constexpr int32_t max_vocabulary = 1'000'000;            // words

// Reads embeddings.txt, train.txt, valid.txt and test.txt from a directory.
//
// embeddings.txt, as GloVe and word2vec write it: a word and its numbers on each line, which are separated by spaces or
// tabs. A first line of two whole numbers is 'count dimension' and must be right. Words are numbered in the order of their
// lines; empty lines do not count. The texts: words separated by spaces, tabs or line ends, which mean nothing else. A word
// without a line in embeddings.txt is the word <unk>, where that has one. Words are compared byte by byte; a byte order mark
// at the start of a file is skipped.
//
// IoError, "FILE:LINE:COLUMN: ..." where it is about a place (columns in bytes): a file that is missing, unreadable, not a
// regular file, of more than max_token_file bytes; a line of embeddings.txt that is longer than max_embedding_line, has
// another number of columns than the first, something that is not a finite number of single precision, or a word that was
// there before; more than max_vocabulary words, or none; a word of more than max_word bytes, or that is not in the
// vocabulary; a text of no more than `steps` words; 2^31 windows. Memory is bounded by the sizes of the files.
TokenSet load_tokens(const std::string& directory, int32_t steps);

}  // namespace cohort::engine

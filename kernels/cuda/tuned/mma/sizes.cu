// Which tensor-core program: that of the smallest size with room for the network.
#include "cuda/tuned/mma/sizes.h"

#include "cuda/programs.h"

COHORT_BEGIN

namespace {

const MmaSize* size_for(int n_hidden) {
  for (const MmaSize* const size : {&mma_16, &mma_32, &mma_64, &mma_112, &mma_128})
    if (n_hidden <= size->units) return size;
  return nullptr;
}

}  // namespace

const char* mma_refuses(const Signature& g) {
  const MmaSize* const size = size_for(g.n_hidden);
  return size ? size->refuses(g) : "more than 128 hidden units";
}
const Program<float>& mma_program(const Signature& g) {
  const MmaSize* const size = size_for(g.n_hidden);
  return (size ? size : &mma_128)->program(g.precision);
}

COHORT_END

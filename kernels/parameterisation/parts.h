// What a parameterisation works on: the parts of one weight tensor, or of its gradient. A parameterisation is a struct in
// parameterisation/<name>.h with
//   assemble(team, info, parts, out)            out(i, j, w) for every effective weight w of the rows x cols tensor
//   pull_back(team, info, parts, dw, grad)      fills grad from dw(i, j), the gradient of the effective weights
// Both leave the final sync to the caller.
#pragma once

#include "math/elementary.h"

COHORT_BEGIN
namespace parameterisation {

template <class Real>
struct Parts {
  Real* main;  // [rows][cols]
  Real* ei;    // [rows][n_inhibitory], dann only
  Real* ix;    // [n_inhibitory][cols], dann only
};

struct Info {
  int rows, cols, n_inhibitory;
  int n_excitatory;  // presynaptic columns from here on are inhibitory (column_ei); >= cols: none
};

}  // namespace parameterisation
COHORT_END

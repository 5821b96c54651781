// Which method finds singular values of matrices of a shape, by what `bench_spectra --methods` measured. A method that does not
// take a shape passes it on to the next line that matches.
#pragma once

#include "cohort/spectra.h"
#include "team/target.h"

COHORT_BEGIN

struct ValuesChoice {
  int most;  // of max(rows, cols)
  SvdMethod method;
};

// Nothing has been measured on a card yet: the order is that of the models in the files of the methods.
inline constexpr ValuesChoice values_table[] = {
    {256, SvdMethod::bidiagonal}, {1024, SvdMethod::gram}, {1024, SvdMethod::jacobi}};

COHORT_END

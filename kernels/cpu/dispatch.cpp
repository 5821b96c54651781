// The CPU's rows, best instruction set first.
#include <string_view>

#include "cohort/kernels.h"
#include "cpu/rows.h"

namespace cohort {

#define COHORT_DECLARE(target, isa, runs)     \
  inline namespace target##_float {           \
    const Program<float>& recurrent_row();    \
    const Program<float>& feedforward_row();  \
    const Program<float>& rounding_row();     \
  }                                           \
  inline namespace target##_double {          \
    const Program<double>& recurrent_row();   \
    const Program<double>& feedforward_row(); \
  }
COHORT_ROWS(COHORT_DECLARE)
#undef COHORT_DECLARE

namespace {

template <class Real>
const Program<Real>* find(CoreId core, std::string_view wanted) {
#define COHORT_TRY(target, name, runs)                                                                            \
  if ((wanted.empty() || wanted == name) && (runs)) {                                                             \
    if constexpr (sizeof(Real) == sizeof(float))                                                                  \
      return core == CoreId::recurrent ? &target##_float::recurrent_row() : &target##_float::feedforward_row();   \
    else                                                                                                          \
      return core == CoreId::recurrent ? &target##_double::recurrent_row() : &target##_double::feedforward_row(); \
  }
  COHORT_ROWS(COHORT_TRY)
#undef COHORT_TRY
  return nullptr;
}

}  // namespace

const Program<float>* cpu_rounding_program(CoreId core, const char* isa) {
  const Program<float>* const exact = find<float>(core, isa);
#define COHORT_TRY(target, name, runs) \
  if (exact == &target##_float::recurrent_row()) return &target##_float::rounding_row();
  if (exact) {
    COHORT_ROWS(COHORT_TRY)
  }
#undef COHORT_TRY
  return nullptr;
}

template <>
const Program<float>* cpu_program<float>(CoreId core, const char* isa) {
  return find<float>(core, isa);
}
template <>
const Program<double>* cpu_program<double>(CoreId core, const char* isa) {
  return find<double>(core, isa);
}

}  // namespace cohort

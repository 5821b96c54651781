// The CPU's rows, best instruction set first.
#include <string_view>

#include "cohort/kernels.h"
#include "cpu/rows.h"

namespace cohort {

#define COHORT_DECLARE(target, isa, runs)     \
  inline namespace target##_float {           \
    const Program<float>& recurrent_row();    \
    const Program<float>& feedforward_row();  \
    void make_shallow(Program<float>&);       \
    void make_rounding(Program<float>&);      \
  }                                           \
  inline namespace target##_double {          \
    const Program<double>& recurrent_row();   \
    const Program<double>& feedforward_row(); \
    void make_shallow(Program<double>&);      \
  }
COHORT_ROWS(COHORT_DECLARE)
#undef COHORT_DECLARE

namespace {

// A row with operations of its own in place of another's. Made here and when it is asked for: what its target made before main
// would take down processors without its instructions.
template <auto& base, auto& change>
const auto& derived() {
  static const auto row = [] {
    auto program = base();
    change(program);
    return program;
  }();
  return row;
}

enum class Row { recurrent, feedforward, shallow };
Row row_of(CoreId core) { return core == CoreId::recurrent ? Row::recurrent : Row::feedforward; }

template <class Real>
const Program<Real>* find(Row row, std::string_view wanted) {
#define COHORT_OF(rows)                                       \
  return row == Row::recurrent     ? &rows::recurrent_row()   \
         : row == Row::feedforward ? &rows::feedforward_row() \
                                   : &derived<rows::feedforward_row, rows::make_shallow>();
#define COHORT_TRY(target, name, runs)                \
  if ((wanted.empty() || wanted == name) && (runs)) { \
    if constexpr (sizeof(Real) == sizeof(float))      \
      COHORT_OF(target##_float)                       \
    else                                              \
      COHORT_OF(target##_double)                      \
  }
  COHORT_ROWS(COHORT_TRY)
#undef COHORT_TRY
#undef COHORT_OF
  return nullptr;
}

template <class Real>
const Program<Real>* find(const Signature& signature, std::string_view wanted) {
  return find<Real>(is_shallow(signature) ? Row::shallow : row_of(signature.core), wanted);
}

}  // namespace

const Program<float>* cpu_rounding_program(CoreId core, const char* isa) {
  const Program<float>* const exact = find<float>(row_of(core), isa);
#define COHORT_TRY(target, name, runs)           \
  if (exact == &target##_float::recurrent_row()) \
    return &derived<target##_float::recurrent_row, target##_float::make_rounding>();
  if (exact) {
    COHORT_ROWS(COHORT_TRY)
  }
#undef COHORT_TRY
  return nullptr;
}

template <>
const Program<float>* cpu_program<float>(CoreId core, const char* isa) {
  return find<float>(row_of(core), isa);
}
template <>
const Program<double>* cpu_program<double>(CoreId core, const char* isa) {
  return find<double>(row_of(core), isa);
}
template <>
const Program<float>* cpu_program<float>(const Signature& signature, const char* isa) {
  return find<float>(signature, isa);
}
template <>
const Program<double>* cpu_program<double>(const Signature& signature, const char* isa) {
  return find<double>(signature, isa);
}

}  // namespace cohort

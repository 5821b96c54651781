// The CPU's update programs, best instruction set first. Arguments are checked here, once for all instruction sets.
#include <string_view>

#include "cohort/update.h"
#include "cpu/rows.h"
#include "program/update_arguments.h"

namespace cohort {

#define COHORT_DECLARE(target, isa, runs)      \
  inline namespace target##_float {            \
    const UpdateProgram<float>& update_row();  \
  }                                            \
  inline namespace target##_double {           \
    const UpdateProgram<double>& update_row(); \
  }
COHORT_ROWS(COHORT_DECLARE)
#undef COHORT_DECLARE

namespace {

template <class Real, const UpdateProgram<Real>& (*row)()>
const UpdateProgram<Real>* checked() {
  static const UpdateProgram<Real> program = {
      .backend = row().backend,
      .isa = row().isa,
      .mirror_update =
          [](const MirrorUpdateArgs<Real>& a, const Launch& l) {
            if (check_update(a, l)) row().mirror_update(a, l);
          },
      .sign_project =
          [](const SignProjectArgs<Real>& a, const Launch& l) {
            if (check_update(a, l)) row().sign_project(a, l);
          },
  };
  return &program;
}

template <class Real>
const UpdateProgram<Real>* find(std::string_view wanted) {
#define COHORT_TRY(target, name, runs)                       \
  if ((wanted.empty() || wanted == name) && (runs)) {        \
    if constexpr (sizeof(Real) == sizeof(float))             \
      return checked<float, target##_float::update_row>();   \
    else                                                     \
      return checked<double, target##_double::update_row>(); \
  }
  COHORT_ROWS(COHORT_TRY)
#undef COHORT_TRY
  return nullptr;
}

}  // namespace

template <>
const UpdateProgram<float>* cpu_update<float>(const char* isa) {
  return find<float>(isa);
}
template <>
const UpdateProgram<double>* cpu_update<double>(const char* isa) {
  return find<double>(isa);
}

}  // namespace cohort

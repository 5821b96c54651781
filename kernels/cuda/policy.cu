// The launch policy: which program trains networks of which shape, in which precision, on which device.
#include <string_view>
#include <vector>

#include "cuda/gpu.h"
#include "cuda/programs.h"

COHORT_BEGIN

namespace {

template <class Real>
struct Row {
  const Program<Real>& (*program)();
  const char* (*refuses)(
      const Signature&);  // why not networks of this signature on the current device; nullptr: it does
};

const char* nothing_refused(const Signature&) { return nullptr; }

// The programs of a precision in order of preference; the last takes everything.
template <class Real>
std::vector<Row<Real>> programs() {
  if constexpr (sizeof(Real) == sizeof(float))
    return {{tiled_program, tiled_refuses}, {cublas_program, cublas_refuses}, {generic_program, nothing_refused}};
  else
    return {{generic_program, nothing_refused}};
}

template <class Real>
Choice<Real> first_that_takes(const Signature& signature) {
  Choice<Real> choice{};
  for (const Row<Real>& row : programs<Real>()) {
    choice.program = &row.program();
    const char* const why = row.refuses(signature);
    if (!why) break;
    choice.refused += (choice.refused.empty() ? "" : "; ") + std::string(choice.program->name) + ": " + why;
  }
  return choice;
}

template <class Real>
const Program<Real>* find(std::string_view name) {
  for (const Row<Real>& row : programs<Real>())
    if (row.program().name == name) return &row.program();
  return nullptr;
}

}  // namespace

COHORT_END

namespace cohort {

template <>
const Program<COHORT_REAL>* cuda_program<COHORT_REAL>(CoreId core, const char* name) {
  return core == CoreId::recurrent ? COHORT_TARGET::find<COHORT_REAL>(name) : nullptr;
}
template <>
Choice<COHORT_REAL> choose_cuda_program<COHORT_REAL>(const Signature& signature) {
  return COHORT_TARGET::first_that_takes<COHORT_REAL>(signature);
}

}  // namespace cohort

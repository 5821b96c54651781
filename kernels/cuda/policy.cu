// The launch policy: which program trains networks of which shape, in which precision, on which device.
#include <string_view>
#include <vector>

#include "cuda/gpu.h"
#include "cuda/programs.h"

COHORT_BEGIN

namespace {

template <class Real>
struct Row {
  const Program<Real>& (*program)(const Signature&);
  const char* (*refuses)(const Signature&);  // why not on the current device; nullptr: it does
  bool half = false;                         // for precisions below fp32 only
};

const char* nothing_refused(const Signature&) { return nullptr; }

// The programs of a core and precision in order of preference; the last takes everything.
template <class Real>
std::vector<Row<Real>> programs(CoreId core) {
  if (core == CoreId::feedforward)
    return {{[](const Signature&) -> const Program<Real>& { return shallow_program(); }, shallow_refuses},
            {[](const Signature&) -> const Program<Real>& { return feedforward_program(); }, nothing_refused}};
  const Row<Real> any = {[](const Signature&) -> const Program<Real>& { return generic_program(); }, nothing_refused};
  if constexpr (sizeof(Real) == sizeof(float))
    return {{mma_program, mma_refuses, true},
            {[](const Signature&) -> const Program<float>& { return tiled_program(); }, tiled_refuses},
            {[](const Signature&) -> const Program<float>& { return cublas_program(); }, cublas_refuses},
            any};
  else
    return {any};
}

template <class Real>
Choice<Real> first_that_takes(const Signature& signature) {
  Choice<Real> choice{};
  for (const Row<Real>& row : programs<Real>(signature.core)) {
    if (row.half && signature.precision == Precision::fp32) continue;
    choice.program = &row.program(signature);
    const char* const why = row.refuses(signature);
    if (!why) break;
    choice.refused += (choice.refused.empty() ? "" : "; ") + std::string(choice.program->name) + ": " + why;
  }
  return choice;
}

template <class Real>
const Program<Real>* find(CoreId core, std::string_view name) {
  for (const Row<Real>& row : programs<Real>(core))
    if (!row.half && row.program({}).name == name) return &row.program({});
  return nullptr;
}

}  // namespace

COHORT_END

namespace cohort {

template <>
const Program<COHORT_REAL>* cuda_program<COHORT_REAL>(CoreId core, const char* name) {
  return COHORT_TARGET::find<COHORT_REAL>(core, name);
}
template <>
Choice<COHORT_REAL> choose_cuda_program<COHORT_REAL>(const Signature& signature) {
  return COHORT_TARGET::first_that_takes<COHORT_REAL>(signature);
}

}  // namespace cohort

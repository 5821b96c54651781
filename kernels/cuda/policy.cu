// The launch policy: which program trains networks of which shape, in which precision, on which device.
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

// The programs in order of preference; the last takes everything.
template <class Real>
Choice<Real> first_that_takes(const Signature& signature) {
  Choice<Real> choice{};
  const auto take = [&](const Row<Real>& row) {
    const char* const why = row.refuses(signature);
    if (why)
      choice.refused += (choice.refused.empty() ? "" : "; ") + std::string(row.program().name) + ": " + why;
    else
      choice.program = &row.program();
    return !why;
  };
  if constexpr (sizeof(Real) == sizeof(float))
    for (const Row<Real>& row : {Row<Real>{tiled_program, tiled_refuses}})
      if (take(row)) return choice;
  take({generic_program, nothing_refused});
  return choice;
}

}  // namespace

COHORT_END

namespace cohort {

template <>
const Program<COHORT_REAL>* cuda_program<COHORT_REAL>(CoreId core) {
  return core == CoreId::recurrent ? &COHORT_TARGET::generic_program() : nullptr;
}
template <>
Choice<COHORT_REAL> choose_cuda_program<COHORT_REAL>(const Signature& signature) {
  return COHORT_TARGET::first_that_takes<COHORT_REAL>(signature);
}

}  // namespace cohort

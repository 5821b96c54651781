// The CPU's programs of cohort/normality.h, best instruction set first. Arguments are checked here, once for all of these.
#include <string_view>

#include "cpu/rows.h"
#include "program/normality_arguments.h"

namespace cohort {

#define COHORT_DECLARE(target, isa, runs)    \
  inline namespace target##_float {          \
    const NormalityProgram& normality_row(); \
  }
COHORT_ROWS(COHORT_DECLARE)
#undef COHORT_DECLARE

namespace {

template <const NormalityProgram& (*row)()>
const NormalityProgram* checked() {
  static const NormalityProgram program = {
      .backend = row().backend,
      .isa = row().isa,
      .dual_change_workspace = row().dual_change_workspace,
      .dual_change =
          [](const DualChangeArgs& a, const Launch& l) {
            if (check_normality(a, l, row().dual_change_workspace(a, 1))) row().dual_change(a, l);
          },
      .log_weights_workspace = row().log_weights_workspace,
      .log_weights =
          [](const LogWeightsArgs& a, const Launch& l) {
            if (check_normality(a, l, row().log_weights_workspace(a, 1))) row().log_weights(a, l);
          },
  };
  return &program;
}

}  // namespace

const NormalityProgram* cpu_normality(const char* isa) {
  const std::string_view wanted = isa;
#define COHORT_TRY(target, name, runs) \
  if ((wanted.empty() || wanted == name) && (runs)) return checked<target##_float::normality_row>();
  COHORT_ROWS(COHORT_TRY)
#undef COHORT_TRY
  return nullptr;
}

}  // namespace cohort

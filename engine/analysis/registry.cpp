// The table of analyses, in the order of analysis/registry.cmake.
#include <concepts>
#include <cstring>

#include "analysis/analysis.h"
#include "analysis_registry.h"

namespace cohort::engine {
namespace {

template <class T>
concept AnalysisDefinition = requires(const Observation& seen, std::span<double> out) {
  { T::doc } -> std::convertible_to<const char*>;
  { T::need } -> std::convertible_to<Need>;
  { T::comparison } -> std::convertible_to<bool>;
  {std::span<const Field>(T::fields)};
  { T::measure(seen, out) } -> std::same_as<void>;
};

template <class T>
constexpr bool keeps_spectrum() {
  if constexpr (requires { T::keeps_spectrum; })
    return T::keeps_spectrum;
  else
    return false;
}

template <AnalysisDefinition T>
constexpr Analysis entry(const char* name) {
  return {name, T::doc, T::need, T::comparison, keeps_spectrum<T>(), T::fields, &T::measure};
}

#define COHORT_ENTRY(word) entry<analysis::word>(#word),
constexpr Analysis table[] = {COHORT_FOR_EACH_ANALYSIS(COHORT_ENTRY)};
#undef COHORT_ENTRY

}  // namespace

std::span<const Analysis> analyses() { return table; }

const Analysis* find_analysis(const char* name) {
  for (const Analysis& analysis : table)
    if (std::strcmp(analysis.name, name) == 0) return &analysis;
  return nullptr;
}

}  // namespace cohort::engine

// The interface of an analysis. One analysis is one file, engine/analysis/<name>.h, and one word in analysis/registry.cmake:
//
//   struct svd_entropy {
//     static constexpr const char* doc = "...";
//     static constexpr Need need = Need::singular_values;
//     static constexpr bool comparison = false;      // true: compares with the start, so only a final value exists
//     static constexpr Field fields[] = {{"", "normalised entropy of the singular values, in [0, 1]"}};
//     static void measure(const Observation& seen, std::span<double> out);   // out belongs to fields in order; NaN = no value
//   };
//
// With `static constexpr bool keeps_spectrum = true` the singular values or eigenvalues that it needs are kept as they are, too.
// Columns are NAME[.FIELD][.CANDIDATE][.TENSOR].initial|final; an empty field name gives the plain column.
#pragma once

#include <span>

#include "cohort/kernels.h"
#include "cohort/normality.h"
#include "cohort/spectra.h"

namespace cohort::engine {

enum class Need { weights, log_weights, dual_change, singular_values, eigenvalues, hidden, representation, tangent };

struct Field {
  const char* name;
  const char* doc;
  bool per_candidate = false;  // one value for each candidate potential, then one for the network's own
  bool of_candidates = false;  // a number of a candidate
};

// A row-major matrix somewhere else.
struct MatrixView {
  const float* data = nullptr;
  int rows = 0, cols = 0;
  float operator()(int r, int c) const { return data[size_t(r) * size_t(cols) + size_t(c)]; }
  std::span<const float> all() const { return {data, size_t(rows) * size_t(cols)}; }
};

// One network at one moment, next to its start. Only what the analysis needs is filled in.
struct Observation {
  MatrixView weights, weights_start;           // effective weights of one tensor                       (Need::weights)
  const SpectrumMeasures* spectrum = nullptr;  // of those weights                       (Need::singular_values)
  const EigenvalueMeasures* eigenvalues = nullptr;  // of those weights; square tensors only  (Need::eigenvalues)
  const Normality* log_weights = nullptr;  // of those weights                                    (Need::log_weights)
  std::span<const DualChange>
      dual_changes{};                // under each candidate potential, then maybe others   (Need::dual_change)
  size_t n_candidates = 0, own = 0;  // of dual_changes: candidates, and which is the network's own
  MatrixView hidden, hidden_start;   // [probe trials][n_hidden] at the decision, last layer  (Need::hidden)
  GramSums gram{}, gram_centred{};   // of hidden (x) and hidden_start (y)                    (Need::representation)
  TangentSums tangent{};             // tangent kernels of one tensor                         (Need::tangent)
  bool at_start = false;             // the moment is the start itself
};

// A registered analysis.
struct Analysis {
  const char* name;
  const char* doc;
  Need need;
  bool comparison;
  bool keeps_spectrum;
  std::span<const Field> fields;
  void (*measure)(const Observation&, std::span<double>);
};
std::span<const Analysis> analyses();
const Analysis* find_analysis(const char* name);  // nullptr if unknown

}  // namespace cohort::engine

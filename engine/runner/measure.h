// The analyses of a unit: which columns there are, and their values at a moment of training.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "runner/networks.h"

namespace cohort::engine {

class Measures {
 public:
  Measures(const AnalysisSettings& settings, const Signature& signature);

  // One measured number: NAME[.FIELD][.TENSOR], where the plain name is the first layer's recurrent weights.
  struct Measure {
    std::string name, doc;
    bool comparison;  // has no value at the start
  };
  const std::vector<Measure>& list() const { return list_; }

  // Singular values of the chosen tensors, kept where the analysis of that name was asked for.
  struct Spectrum {
    std::string tensor;
    int length = 0;
    std::vector<double> start, now;  // [n_nets][length]
  };
  struct Values {
    std::vector<double> start, now;  // [measures][n_nets]; NaN = no value
    std::vector<Spectrum> spectra;
  };
  // All networks, now and at their starts (regenerated, never stored).
  Values measure(Device& device, const Networks& networks) const;

 private:
  struct Item {
    const Analysis* analysis;
    int tensor;    // -1: not about one tensor
    size_t first;  // index of its first field in list_
  };
  void measure_slice(Device& device, const Networks& networks, int first, int count, Values& out) const;
  bool needs(Need need) const;

  AnalysisSettings settings_;
  Signature signature_;
  std::vector<int> tensors_;
  std::vector<Item> items_;
  std::vector<Measure> list_;
};

// "recurrent", "recurrent_2" (second layer), "input", "readout".
std::string tensor_name(const Signature& signature, int tensor);

}  // namespace cohort::engine

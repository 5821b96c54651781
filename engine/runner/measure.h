// The analyses of a unit: which columns there are, and their values at a moment of training.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "runner/networks.h"

namespace cohort::engine {

class Measures {
 public:
  Measures(const AnalysisSettings& settings, const Signature& signature);

  // One measured number: NAME[.FIELD][.CANDIDATE][.TENSOR], where the plain name is the main tensor's.
  struct Measure {
    std::string name, doc;
    bool comparison;  // has no value at the start
  };
  const std::vector<Measure>& list() const { return list_; }

  // Singular values or eigenvalues of one tensor, kept where an analysis keeps them.
  struct Spectrum {
    std::string name, doc;          // "singular_values.recurrent"
    std::vector<std::string> dims;  // names of the dimensions after the network
    std::vector<int64_t> shape;     // their sizes
    std::vector<float> start, now;  // [n_nets][shape...]
  };
  struct Values {
    std::vector<double> start, now;  // [measures][n_nets]; NaN = no value
    std::vector<Spectrum> spectra;
  };

  // Spectra of one tensor of some networks, on their way.
  struct Part {
    int tensor = 0, when = 0, first = 0, count = 0;
    DeviceArray<float> weights;               // what they are taken of, until
    std::unique_ptr<PendingSpectra> spectra;  // these are there
  };
  // All is measured but for the spectra; the device may train on meanwhile.
  struct Pending {
    Values values;
    bool with_start = false;
    std::vector<Part> parts;
  };
  // All networks as they are now and, with_start, at their starts (regenerated, never stored).
  Pending begin(Device& device, const Networks& networks, bool with_start) const;
  Values finish(Pending pending) const;

 private:
  struct Item {
    const Analysis* analysis;
    int tensor;           // -1: not about one tensor
    size_t first, count;  // its values in list_
  };
  void measure_slice(Device& device, const Networks& networks, int first, int count, Pending& out) const;
  void record(const Item& item, const Observation& seen, std::vector<double>& to, size_t n_nets, size_t net) const;
  bool needs(Need need) const;

  AnalysisSettings settings_;
  Signature signature_;
  std::vector<int> tensors_;
  std::vector<Item> items_;
  std::vector<Measure> list_;
};

// The tensor whose measures have the plain names: the recurrent weights of the first layer, of a feedforward network its
// first weights.
int main_tensor(const Signature& signature);

// Weight tensors that the analyses are about: without settings, those of the main tensor's role.
std::vector<int> analysed_tensors(const AnalysisSettings& settings, const Signature& signature);

// "recurrent", "recurrent_2" (second layer), "input", "readout".
std::string tensor_name(const Signature& signature, int tensor);

}  // namespace cohort::engine

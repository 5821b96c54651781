// What the runner hands to the shard writer: everything that was learned about the networks of one unit, or of several that
// were trained together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cohort::engine {

struct UnitResult {
  std::vector<int64_t> net;          // position of each network in the sweep; every array below is in this order
  std::vector<int64_t> diverged_at;  // -1, or the step at which the network diverged
  // -1, or the step from which on the network trained in bf16x3, because its numbers had left the range of fp16
  std::vector<int64_t> overflowed_at;

  // One number a network: "final.loss", "svd_entropy.initial", ... NaN = no value (an empty cell when exported).
  struct Column {
    std::string name, doc;
    std::vector<double> value;  // [n_nets]
  };
  std::vector<Column> columns;

  // One number a network and recorded step: training loss, analyses and evaluations on a schedule.
  struct Series {
    std::string name, doc;
    std::vector<int64_t> step;  // [n_steps], increasing
    std::vector<double> value;  // [n_nets][n_steps]
  };
  std::vector<Series> series;

  // One array a network: weights ("weights.recurrent.final"), singular values ("singular_values.recurrent.final").
  struct Array {
    std::string name, doc;
    std::vector<std::string> dims;  // names of the dimensions after the network
    std::vector<int64_t> shape;     // their sizes
    std::vector<float> value;       // [n_nets][shape...]
  };
  std::vector<Array> arrays;
};

// Networks [first, first + count) of a result.
UnitResult rows(const UnitResult& result, size_t first, size_t count);

// Puts what a later run says of some of the networks in the place of what `result` says. Series have the steps of both, with no
// value (NaN) where a network's own run recorded none. Columns, series and arrays of the two have the same names.
void replace_rows(UnitResult& result, const UnitResult& later);

}  // namespace cohort::engine

// An experiment: one TOML file, checked as a whole, from which every network of the sweep can be resolved on its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cohort/kernels.h"
#include "cohort/normality.h"
#include "config/position.h"
#include "config/value.h"

namespace cohort::engine {

enum class AnalysisSchedule { ends, log };  // at start and end; or also at steps 1, 2, 4, 8, ...
enum class KeptWeights { none, final, all };

inline constexpr int32_t default_trials = 0, all_trials = -1;  // of EvalSettings
inline constexpr int32_t usual_trials = 1024;                  // by default, of tasks that draw trials
struct EvalSettings {
  int32_t trials = default_trials;  // data/splits.h: what they come to
  int64_t every = 0;                // training steps between evaluations; 0 = only at the end
  Split split = Split::test;
  std::vector<Split> also;  // further splits that are evaluated at the same moments
  int32_t mean_of = 0;      // evaluations at the end whose mean is recorded; 0 = off
};
struct DataSettings {
  int32_t validation = -1;         // images that are taken from the training set; -1: data/idx.h, default_validation
  int32_t subset = 0;              // training images instead of all: so many, drawn from `subset_of`; 0 = off
  Split subset_of = Split::train;  // train or test
  uint64_t subset_seed = 0;
};
// Networks that start from the final parameters of another run's.
struct SourceSettings {
  std::string run;    // its directory; empty: starts are drawn
  std::string where;  // "KEY=VALUE,KEY=VALUE", of keys that it sweeps; * is any value
  int64_t seed = -1;  // of its networks; -1: each network's own
};
// Training is done again, from the start and for longer, until a network has learned its training trials.
struct UntilSettings {
  double loss = 0;         // below this; 0 = off
  double accuracy = 0;     // at least this; 0 = off
  int32_t extensions = 4;  // times at most; extension k takes (k + 1) train.steps
  bool on() const { return loss > 0 || accuracy > 0; }
};
struct AnalysisSettings {
  std::vector<std::string> names;  // all registered
  int32_t probe_trials = 320;
  int32_t kernel_trials = 32;
  AnalysisSchedule at = AnalysisSchedule::ends;
  int64_t every = 0;                  // additionally every so many training steps; 0 = off
  std::vector<Potential> candidates;  // of dual_change
  std::vector<Role> tensors;  // input, recurrent, readout: of every layer; empty: the main ones (runner/measure.h)
  int64_t max_kernel_rows = 2048;
};
struct OutputSettings {
  KeptWeights weights = KeptWeights::none;
  bool parameters = false;     // those that SourceSettings of another run ask for
  int64_t history_every = 10;  // training steps between recorded losses; 0 = no history
};
// What all networks of an experiment share.
struct RunSettings {
  DataSettings data;
  SourceSettings source;
  UntilSettings until;
  EvalSettings eval;
  AnalysisSettings analysis;
  OutputSettings output;
};

// One network of the sweep, complete.
struct ResolvedNetwork {
  NetSpec spec;
  Signature signature;
  std::vector<std::pair<std::string, Value>> swept;  // in the order of Experiment::swept_keys()
};

// One dimension of the sweep; the keys of a zipped axis, or of cases, vary together.
struct AxisInfo {
  std::vector<std::string> keys;
  int64_t size = 0;
};

// Immutable once read; network() may be called from several threads at once.
class Experiment {
 public:
  // Reads a file. Every override is "key=value" (the text after --set) and acts as if the file said so; on a swept key
  // it replaces the axis. Every network is valid afterwards. Throws ConfigError; IoError if the file cannot be read.
  static Experiment load(const std::string& path, const std::vector<std::string>& overrides = {});
  // The same from text; `source` stands for the file in messages.
  static Experiment parse(std::string_view text, const std::string& source = "config",
                          const std::vector<std::string>& overrides = {});

  const std::string& name() const;
  const RunSettings& settings() const;
  const std::string& text() const;  // the file as given

  // Axes in the order of the file; the last varies fastest. No axes: one network.
  const std::vector<AxisInfo>& axes() const;
  const std::vector<std::string>& swept_keys() const;  // of all axes
  int64_t size() const;

  // Network i, 0 <= i < size(). Costs about a microsecond and nothing is kept.
  ResolvedNetwork network(int64_t i) const;
  // Value j of key number `key` of an axis, as network() reports it.
  Value axis_value(size_t axis, size_t key, int64_t j) const;

  // Everything that determines the results as one line of JSON, keys sorted and defaults included: equal texts mean
  // equal results. Not the text of the file: order, comments and spelling of numbers do not count.
  std::string canonical() const;

 private:
  struct Body;
  explicit Experiment(std::shared_ptr<const Body> body) : body_(std::move(body)) {}
  std::shared_ptr<const Body> body_;
};

// What differs between two canonical texts, one "key: old -> new" each, by key; empty if they mean the same.
// Throws Error if one of them is not such a text.
std::vector<std::string> differences(const std::string& before, const std::string& after);

}  // namespace cohort::engine

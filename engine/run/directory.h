// The directory of a run: sweep.toml (as given), manifest.json, units/NNNNNN.h5, log.jsonl, lock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/experiment.h"
#include "run/manifest.h"
#include "run/shard.h"

namespace cohort::engine {

class Device;

// What decides the bits of a result besides the configuration.
using MadeBy = std::vector<std::pair<std::string, std::string>>;
MadeBy made_by(const Device& device);  // backend, isa, device

// Nothing inside the directory may be a symbolic link; names are made from ids only. One thread at a time calls
// non-const members.
class RunDirectory {
 public:
  // To write in: a new directory (its parents are made, too), an empty one, or one that holds this very experiment,
  // which is then continued. The directory is locked against other processes until the object is gone. Throws Error,
  // with nothing written: the directory holds something else ("--out DIR holds another sweep: rule.lr: 0.1 -> 0.2"), or
  // has units that another backend or instruction set made (other bits), unless `mixed`. IoError: it cannot be written,
  // is locked, or is damaged.
  static RunDirectory open(const std::string& path, const Experiment& experiment, const MadeBy& made_by,
                           bool mixed = false);

  // To read what is there by now; another process may be writing. Error if it is no run directory.
  static RunDirectory read(const std::string& path);

  RunDirectory(RunDirectory&&) noexcept;
  RunDirectory& operator=(RunDirectory&&) noexcept;
  ~RunDirectory();

  const std::string& path() const;
  const Manifest& manifest() const;

  int64_t n_units() const;
  bool done(int64_t unit) const;
  std::vector<int64_t> pending() const;  // units that are not done, ascending
  std::vector<int64_t> networks(int64_t unit) const;
  // Units that were done, but whose shard was missing or damaged when the directory was opened; they are pending again.
  const std::vector<int64_t>& lost() const;

  // Stores the results of a unit for good: first the shard, then its hash in the manifest. A unit may be finished
  // again.
  void finish_unit(int64_t unit, const UnitResult& result);

  // The results of a unit that is done, verified against the manifest.
  Shard read_unit(int64_t unit) const;

  // Appends a line to log.jsonl: {"time": now, "event": event, ...fields}. `fields` are the members of a JSON object
  // without its braces: R"("unit": 3, "seconds": 1.5)", or empty.
  void log(const std::string& event, const std::string& fields = "");

 private:
  struct Body;
  explicit RunDirectory(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace cohort::engine

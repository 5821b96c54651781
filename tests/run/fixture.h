// What the tests of the run directory share: a temporary directory, a small experiment and results that can be checked.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "config/experiment.h"
#include "run/directory.h"

namespace cohort::engine {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "cohort-run-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}
inline void spill(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

// Two sizes x three geometries (with their rates) x four seeds: 24 networks, two signatures, two units.
inline std::string small_toml(const std::string& lr = "0.003") {
  return "name = \"small\"\n[task]\nname = \"perceptual_decision\"\n[train]\nsteps = 10\n[sweep]\n\"network.n_hidden\" "
         "= [8, 16]\n"
         "seed = {range = [5, 9]}\n[[sweep.zip]]\n\"rule.geometry\" = [\"euclidean\", \"neg_entropy\", "
         "\"p_norm\"]\n\"rule.lr\" = [" +
         lr + ", 0.1, 0.003]\n";
}
inline Experiment small(const std::string& lr = "0.003") { return Experiment::parse(small_toml(lr)); }

inline const MadeBy kCpu = {{"backend", "cpu"}, {"isa", "x86-64-v3"}, {"device", "cpu"}};

// Numbers that follow from the network alone; network 3 diverged at step 7, networks 2 and 3 overflowed at 5 and 6.
inline UnitResult made_up(const std::vector<int64_t>& networks) {
  UnitResult r;
  r.net = networks;
  UnitResult::Column loss{"final.loss", "mean loss", {}}, accuracy{"final.accuracy", "fraction right", {}},
      entropy{"svd_entropy.initial", "entropy", {}}, change{"weight_change.final", "weight change", {}};
  UnitResult::Series history{"loss", "training loss", {0, 5, 9}, {}}, eval{"eval.loss", "evaluation loss", {5, 10}, {}};
  UnitResult::Array weights{"weights.recurrent.final", "weights", {"to", "from"}, {2, 3}, {}},
      input{"weights.input.final", "weights", {"to", "from"}, {2, 1}, {}};
  for (const int64_t net : networks) {
    const bool diverged = net == 3;
    r.diverged_at.push_back(diverged ? 7 : -1);
    r.overflowed_at.push_back(net == 2 || net == 3 ? net + 3 : -1);
    loss.value.push_back(diverged ? kNan : 1.0 / double(net + 1));
    accuracy.value.push_back(net == 4 ? kNan : 0.5 + double(net) / 100);
    entropy.value.push_back(double(net) + 0.1);
    change.value.push_back(double(net % 4));
    for (const int64_t step : history.step)
      history.value.push_back(diverged && step > 7 ? kNan : double(net * 100 + step));
    for (const int64_t step : eval.step) eval.value.push_back(double(net) - double(step) / 8);
    for (int i = 0; i < 6; ++i) weights.value.push_back(float(net) + float(i) / 8);
    for (int i = 0; i < 2; ++i) input.value.push_back(float(-net) - float(i));
  }
  r.columns = {loss, accuracy, entropy, change};
  r.series = {history, eval};
  r.arrays = {weights, input};
  return r;
}

inline void finish_all(RunDirectory& run) {
  for (const int64_t unit : run.pending()) run.finish_unit(unit, made_up(run.networks(unit)));
}

// The message of the exception that `body` throws, or "" if it throws none of this type.
template <class Exception, class Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Exception& e) {
    return e.what();
  }
  return "";
}

}  // namespace cohort::engine

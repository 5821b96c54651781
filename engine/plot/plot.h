// `cohort plot`: one figure from one run directory, and the numbers behind it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "run/table.h"

namespace cohort::engine {

class RunDirectory;

struct PlotKind {
  std::string_view name, doc;
};
std::span<const PlotKind> plot_kinds();

// What is left empty is chosen from the run.
struct PlotOptions {
  std::string kind = "sweep";
  // sweep: columns; bars, heatmap: a column; curves: a series; scatter: the column of y.
  std::vector<std::string> measures = {};
  std::vector<std::string> by = {};      // keys that tell arms apart; empty: all swept keys but the seed
  std::vector<std::string> where = {};   // KEY=VALUE
  std::vector<std::string> select = {};  // keys of which each arm shows its best setting
  std::string score = {};                // column that says which setting is best
  bool minimise = false;                 // the smallest score is the best
  bool error = false;                    // 1 - accuracy
  bool log = false;                      // sweep, curves, histogram: a logarithmic y axis
  std::string band = "sd";               // sweep, curves: "sd", or "quantiles": median and 5-95 %
  bool overlay = false;                  // sweep: all measures in one panel, in colours
  std::string x = {}, y = {};            // scatter: column of x; heatmap: keys
  std::string test = "welch";            // bars: whose p values are drawn: "welch" or "mann_whitney"
  std::string tensor = {};               // eigenvalues, histogram
  std::vector<int64_t> nets = {};        // eigenvalues, histogram: a panel for each of these networks
  int bins = 0;                          // histogram; 0: 40
};

struct Plot {
  std::string svg;
  std::string text;  // tables of the numbers behind the figure, for people; may be empty
  std::string json;  // the same for programs, one object
};

// Throws Error where an option is wrong or does not belong to the kind, and where the run does not hold what is asked for; IoError.
Plot plot_run(const RunDirectory& run, const PlotOptions& options);

// The kinds that need nothing but a table: sweep, bars, scatter, heatmap. Throws Error for another kind.
Plot plot_table(const Table& table, const PlotOptions& options, const std::string& title);

}  // namespace cohort::engine

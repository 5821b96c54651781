// Figures of a whole sweep, drawn from its table or its histories.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "run/table.h"

namespace cohort::engine {

// What is left empty is chosen from the table.
struct SweepFigureOptions {
  std::string title = {};
  std::vector<std::string> measures = {};  // columns, one row of panels each
  std::string x = {};                      // swept keys
  std::string colour = {};
  std::string panels = {};                 // one column of panels per value of this key
  std::vector<std::string> excluded = {};  // keys that are not shown, although they may vary
  bool quantiles = false;                  // median and 5-95 % band instead of mean and sd
  bool overlay = false;                    // measures share a row of panels and have the colours
  bool log = false;                        // logarithmic y axes
  std::vector<std::string> notes = {};     // further lines below
};

// An SVG document: rows of panels are measures, columns of panels the values of one swept key (task.name if it is
// swept), the x axis is the swept number with most values, colours are the values of another key (or the measures). Points are means over
// the networks that agree in all of these, bars their standard deviation, faint dots the single networks. Networks
// without a value (diverged ones) are left out and counted below the figure, and so are keys that found no place.
//
// Swept keys are all columns but net, seed, status, final.* and *.initial|final; a key that follows from the others
// (keys that vary together) is not shown. A table without networks or without any value gives a figure that says so.
// Throws Error if the options name a column that is not there.
std::string sweep_figure(const Table& table, const SweepFigureOptions& options = {});

// The training histories of networks that belong together.
struct HistoryGroup {
  std::string label = {};                        // legend; groups of equal label share a colour
  std::vector<std::vector<double>> curves = {};  // [n_nets][n_steps]; NaN = no value
  std::string column = {}, row = {};             // groups of equal column and row share a panel
};

struct HistoryFigureOptions {
  std::string title = {};
  std::string quantity = "training loss";
  std::string legend_title = {};
  bool ordered = false;    // labels are values in increasing order
  bool means = false;      // always means and standard deviations, on a linear axis unless `log`
  bool quantiles = false;  // of `means`: medians and 5-95 % bands instead
  bool log = false;
  std::vector<std::string> notes = {};
};

// An SVG document: mean and standard deviation of every group against the training step; where the means are positive
// and span more than a factor of 20, median and quartiles on a logarithmic axis (unless `means`). Throws Error if a curve is not as long
// as `step`.
std::string history_figure(const std::vector<int64_t>& step, const std::vector<HistoryGroup>& groups,
                           const HistoryFigureOptions& options = {});

// The same for a whole sweep: curves[r] [n_steps] belongs to row r of the table; empty = not recorded. Columns of
// panels as in sweep_figure, rows of panels are what it colours, and colours are the values of its x axis.
std::string sweep_history_figure(const Table& table, const std::vector<int64_t>& step,
                                 const std::vector<std::vector<double>>& curves,
                                 const HistoryFigureOptions& options = {});

}  // namespace cohort::engine

// Bars of several samples, and which of them differ.
#pragma once

#include <string>
#include <vector>

#include "plot/figure.h"

namespace cohort::engine {

struct BarsFigure {
  std::string title = {};
  std::string legend_title = {};                 // stands below the bars
  std::string quantity = {}, remark = {};        // label of y
  std::vector<std::string> label = {};           // [n_arms]
  std::vector<std::vector<double>> values = {};  // [n_arms][n_nets]; what is not finite is left out
  bool ordered = false;                          // arms are values in increasing order
  struct Bracket {
    size_t a = 0, b = 0;  // arms
    std::string text = {};
  };
  std::vector<Bracket> brackets = {};
  std::vector<std::string> notes = {};
};

// An SVG document: means from zero, standard deviations, the single values beside them, and the brackets above, the shortest
// lowest. An arm without a finite value has no bar but "no value". Throws Error where the arrays disagree.
std::string bars_figure(const BarsFigure& figure);

}  // namespace cohort::engine

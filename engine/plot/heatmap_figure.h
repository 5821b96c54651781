// A number over two keys.
#pragma once

#include <string>
#include <vector>

#include "plot/figure.h"

namespace cohort::engine {

struct HeatmapFigure {
  std::string title = {};
  std::string x = {}, y = {}, quantity = {};         // labels
  std::vector<std::string> columns = {}, rows = {};  // values of x from left to right and of y from bottom to top
  std::vector<std::vector<double>> value = {};       // [n_rows][n_columns]; NaN = no value
  std::vector<std::string> notes = {};
};

// An SVG document: a cell for each pair with its value in it, and a colour bar; grey where there is no value. Throws Error
// where the arrays disagree.
std::string heatmap_figure(const HeatmapFigure& figure);

}  // namespace cohort::engine

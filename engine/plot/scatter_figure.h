// One measure against another, with the line of least squares.
#pragma once

#include <string>
#include <vector>

#include "plot/figure.h"
#include "plot/svg.h"
#include "statistics/regression.h"

namespace cohort::engine {

struct ScatterFigure {
  std::string title = {}, legend_title = {};
  std::string x = {}, y = {}, y_remark = {};         // labels
  std::vector<std::string> label = {};               // [n_arms]
  std::vector<std::vector<svg::Point>> points = {};  // [n_arms][n_nets]; what is not finite is left out
  bool ordered = false;
  Regression line = {};  // drawn over the range of x where slope and intercept are finite
  std::vector<std::string> notes = {};
};

// An SVG document with one marker a network. Throws Error where the arrays disagree.
std::string scatter_figure(const ScatterFigure& figure);

}  // namespace cohort::engine

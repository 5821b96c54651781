// A figure: a grid of panels that share their x axis, curves with their spread and the single values behind them.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "plot/svg.h"

namespace cohort::engine {

inline constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

struct Tick {
  double at = 0;
  std::string label = {};
};

struct Axis {
  std::string label = {};
  std::string remark = {};  // a smaller second line of the label
  double low = 0, high = 1;
  bool log = false;  // then low > 0
  std::vector<Tick> ticks = {};
  friend bool same_scale(const Axis& a, const Axis& b) { return a.low == b.low && a.high == b.high && a.log == b.log; }
};

// Ticks at round numbers within [low, high]: 1, 2 or 5 times a power of ten apart; on a logarithmic axis at powers of
// ten, with 2 and 5 times them when there are few. Nothing if the limits are not finite or not in order.
std::vector<Tick> nice_ticks(double low, double high, bool log, int wanted = 5);

// An axis that holds all finite values with a little room, and its ticks; `floor` and `ceiling` bound the range (NaN:
// no bound) hold as far as the values keep them and are met where they come close. Logarithmic only if asked for and
// every value is positive.
Axis fit_axis(const std::string& label, std::span<const double> values, bool log = false, double floor = no_number,
              double ceiling = no_number);

// A number as an axis shows it: 0.25, 64, 1e-05.
std::string axis_number(double value);

struct CurvePoint {
  double x = 0, mean = 0;
  double low = no_number, high = no_number;  // the spread; NaN = none
};

struct Curve {
  std::string label = {};               // curves of equal label have one entry in the legend
  size_t style = 0;                     // colour and marker
  std::vector<CurvePoint> points = {};  // by increasing x; points that are not finite are left out
  std::vector<svg::Point> dots = {};    // single values, in data coordinates
};

struct Panel {
  std::string title = {};  // stands over the first row only
  Axis y = {};
  std::vector<Curve> curves = {};
};

enum class Spread { bars, band };

struct Figure {
  std::string title = {};
  std::string legend_title = {};
  std::vector<std::string> notes = {};  // lines below
  Axis x = {};
  size_t columns = 1;
  std::vector<Panel> panels = {};  // row by row
  Spread spread = Spread::bars;
  bool joined = true;                        // lines between the points
  double panel_width = 0, panel_height = 0;  // in pixels; 0: by the number of columns
  size_t n_ordered = 0;                      // > 0: the styles are so many ordered values and get shades of one scale
};

// The figure as an SVG document on a white background. What lies beyond an axis is drawn at its edge. A label and ticks
// of y that a whole row shares stand at its left only. Colours and markers can be told apart with any kind of colour
// vision.
std::string draw(const Figure& figure);

}  // namespace cohort::engine

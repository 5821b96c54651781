// What the figures have in common: sizes, colours, markers, axes, and the furniture of a page around its panels.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "plot/figure.h"
#include "plot/svg.h"

namespace cohort::engine {

// Sizes in pixels.
inline constexpr double tick_size = 11, label_size = 12, heading_size = 13, title_size = 15, note_size = 11;
inline const std::string text_colour = "#222222", quiet_colour = "#666666", grid_colour = "#e6e6e6",
                         axis_colour = "#555555";

using Rgb = std::array<int, 3>;
Rgb shade(double at);  // of one scale from light (0) to dark (1)
std::string css(const Rgb& colour);

// The colour of a style: one of six, or of n_ordered shades.
std::string colour(size_t style, size_t n_ordered = 0);
// The dashes of its lines: none for the first six styles, and none among shades.
std::string dash(size_t style, size_t n_ordered = 0);
// Five shapes in turn, so that 30 styles can be told apart.
void marker(svg::Document& out, svg::Point at, size_t style, const std::string& fill);

// Where a value lies on an axis, 0 at its low and 1 at its high end.
double fraction(const Axis& axis, double value);
// The ticks that lie on the axis.
std::vector<Tick> visible_ticks(const Axis& axis);
// Breaks a text at spaces, but for those about a "=", into lines of at most `width` pixels.
std::vector<std::string> wrap(const std::string& text, double size, double width);
// The same for a list with commas: its parts stay whole where they fit a line, at most `most` of them in one.
std::vector<std::string> wrap_list(const std::string& text, double size, double width, size_t most = 100);

// ---- around the panels ----------------------------------------------------------------------------------------------
struct LegendEntry {
  std::string label = {};
  size_t style = 0;
  bool line = false, marker = true;
  bool quiet = false;  // in grey
};

// Title and legend above, notes below.
struct Furniture {
  std::vector<std::string> title = {}, notes = {};              // lines
  std::vector<std::pair<svg::Point, LegendEntry>> legend = {};  // upper left corner of each entry
  std::pair<svg::Point, std::string> legend_title = {};
  double top = 0;  // where there is room below title and legend
};

Furniture furnish(const std::string& title, const std::string& legend_title, const std::vector<LegendEntry>& entries,
                  const std::vector<std::string>& notes, double width);
double notes_height(const Furniture& furniture);
void draw_furniture(svg::Document& out, const Furniture& furniture, size_t n_ordered, double page_height);

// ---- axes -----------------------------------------------------------------------------------------------------------
struct Frame {
  svg::Point corner = {};  // upper left
  double width = 0, height = 0;
  Axis x = {}, y = {};
  // What lies beyond an axis is placed at its edge.
  svg::Point place(double x_value, double y_value) const;
};

struct AxesShown {
  bool x_ticks = true, y_ticks = true, x_label = true, y_label = true;
  bool tilted = false;  // ticks of x
  double x_label_drop = 34;
};

// Grid lines of y, axes, ticks and labels.
void draw_axes(svg::Document& out, const Frame& frame, const AxesShown& shown = {});

}  // namespace cohort::engine

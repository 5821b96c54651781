#include "plot/spectra_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cohort/error.h"
#include "plot/page.h"

namespace cohort::engine {
namespace {

using svg::Anchor, svg::Document, svg::Point;

constexpr double left_margin = 80, right_margin = 24, column_gap = 24, row_gap = 16, heading_line = 16;
constexpr size_t most_dots = 20000;  // of one kind in one panel
constexpr size_t end_style = 0;      // colour of the end; the start is grey

// Panels of equal size with a heading above each; ticks and labels at the left and below.
struct Panels {
  size_t n = 0, columns = 1;
  double width = 0, height = 0, heading = 0;
  std::vector<std::vector<std::string>> titles = {};  // lines
  Furniture furniture = {};
  double page_width = 0, page_height = 0;

  Point corner(size_t i) const {
    return {left_margin + double(i % columns) * (width + column_gap),
            furniture.top + 6 + heading + double(i / columns) * (height + heading + row_gap)};
  }
  AxesShown shown(size_t i) const {
    const bool lowest = i + columns >= n, leftmost = i % columns == 0;
    return {.x_ticks = lowest, .y_ticks = leftmost, .x_label = lowest, .y_label = leftmost};
  }
};

Panels arrange(const std::string& title, const std::vector<std::string>& panels, const std::vector<std::string>& notes,
               const std::vector<LegendEntry>& entries, double width, double height) {
  if (panels.size() > most_spectra_panels)
    throw Error(
        fmt::format("{} panels are too many for one figure ({}); choose some with --where or group them with --by",
                    panels.size(), most_spectra_panels));
  Panels out{.n = panels.size()};
  out.columns = std::max<size_t>(1, panels.size() <= 4   ? std::min<size_t>(panels.size(), 3)
                                    : panels.size() <= 9 ? 3
                                                         : 4);
  if (panels.size() == 4) out.columns = 2;
  out.width = width;
  out.height = height;
  size_t n_lines = 0;
  for (const std::string& name : panels) {
    out.titles.push_back(name.empty() ? std::vector<std::string>() : wrap_list(name, label_size, 0.88 * width));
    n_lines = std::max(n_lines, out.titles.back().size());
  }
  out.heading = 6 + heading_line * double(n_lines);
  out.page_width =
      std::max(420.0, left_margin + double(out.columns) * width + double(out.columns - 1) * column_gap + right_margin);
  out.furniture = furnish(title, "", entries, notes, out.page_width);
  const size_t rows = std::max<size_t>(1, (out.n + out.columns - 1) / out.columns);
  out.page_height = out.furniture.top + 6 + double(rows) * (height + out.heading) + double(rows - 1) * row_gap + 44 +
                    notes_height(out.furniture);
  return out;
}

void draw_heading(Document& out, const Panels& panels, size_t i) {
  const Point corner = panels.corner(i);
  const auto& lines = panels.titles[i];
  for (size_t l = 0; l < lines.size(); ++l)
    out.text({corner.x + panels.width / 2, corner.y - 8 - heading_line * double(lines.size() - 1 - l)}, lines[l],
             {.size = label_size, .fill = text_colour, .anchor = Anchor::middle, .bold = true});
}

void draw_empty(Document& out, const Frame& frame) {
  out.text({frame.corner.x + frame.width / 2, frame.corner.y + frame.height / 2}, "no values",
           {.size = label_size, .fill = quiet_colour, .anchor = Anchor::middle});
}

}  // namespace

std::string eigenvalues_figure(const EigenvaluesFigure& figure) {
  const double size = figure.panels.size() == 1 ? 320 : 220;
  std::vector<std::string> titles, notes = figure.notes;
  double reach = 1;
  size_t most = 0;
  for (const auto& panel : figure.panels) {
    titles.push_back(panel.title);
    most = std::max({most, panel.start.size(), panel.end.size()});
    for (const auto* points : {&panel.start, &panel.end})
      for (const Point& p : *points)
        if (std::isfinite(p.x) && std::isfinite(p.y)) reach = std::max({reach, std::abs(p.x), std::abs(p.y)});
  }
  const size_t stride = std::max<size_t>(1, (most + most_dots - 1) / most_dots);
  if (stride > 1) notes.push_back(fmt::format("One eigenvalue in {} is drawn.", stride));
  const Panels panels = arrange(
      figure.title, titles, notes,
      {{.label = "start", .style = end_style, .quiet = true}, {.label = "end", .style = end_style}}, size, size);
  Document out(panels.page_width, panels.page_height, figure.title.empty() ? "eigenvalues" : figure.title,
               notes.empty() ? "" : notes[0]);
  Axis axis{.low = -1.08 * reach, .high = 1.08 * reach};
  axis.ticks = nice_ticks(axis.low, axis.high, false);
  for (size_t i = 0; i < figure.panels.size(); ++i) {
    Frame frame{.corner = panels.corner(i), .width = size, .height = size, .x = axis, .y = axis};
    frame.x.label = "real part";
    frame.y.label = "imaginary part";
    draw_axes(out, frame, panels.shown(i));
    draw_heading(out, panels, i);
    out.begin_clip(frame.corner, size, size);
    std::vector<Point> circle;
    for (int k = 0; k <= 120; ++k) {
      const double angle = 2 * std::numbers::pi * k / 120;
      circle.push_back(frame.place(std::cos(angle), std::sin(angle)));
    }
    out.polyline(circle, {.stroke = axis_colour, .width = 1, .dash = "4 3"});
    size_t n = 0;
    const auto cloud = [&](const std::vector<Point>& points, const svg::Ink& ink) {
      std::vector<Point> dots;
      for (size_t k = 0; k < points.size(); k += stride)
        if (std::isfinite(points[k].x) && std::isfinite(points[k].y))
          dots.push_back(frame.place(points[k].x, points[k].y));
      n += dots.size();
      out.dots(dots, ink);
    };
    const size_t crowd = std::max(figure.panels[i].start.size(), figure.panels[i].end.size());
    const double diameter = crowd > 2000 ? 2.2 : crowd > 300 ? 3 : 4, opacity = crowd > 2000 ? 0.45 : 0.7;
    cloud(figure.panels[i].start, {.stroke = quiet_colour, .width = 1.5 * diameter, .opacity = 0.6 * opacity});
    cloud(figure.panels[i].end, {.stroke = colour(end_style), .width = diameter, .opacity = opacity});
    out.end_group();
    if (n == 0) draw_empty(out, frame);
  }
  draw_furniture(out, panels.furniture, 0, panels.page_height);
  return out.str();
}

std::string histogram_figure(const HistogramFigure& figure) {
  if (figure.n_bins < 1) throw Error(fmt::format("{} bins; at least 1", figure.n_bins));
  const size_t n_bins = size_t(figure.n_bins);
  std::vector<std::string> titles;
  double largest = 0;
  for (const auto& panel : figure.panels) {
    titles.push_back(panel.title);
    for (const auto* values : {&panel.start, &panel.end})
      for (const double v : *values)
        if (std::isfinite(v)) largest = std::max(largest, v);
  }
  if (!(largest > 0)) largest = 1;
  const double bin = largest / double(n_bins);
  const auto shares = [&](const std::vector<double>& values) {
    std::vector<double> share(n_bins, 0);
    size_t n = 0;
    for (const double v : values) {
      if (!std::isfinite(v)) continue;
      ++share[std::min(n_bins - 1, size_t(std::max(0.0, v / bin)))];
      ++n;
    }
    for (double& s : share) s = n ? s / double(n) : 0;
    return share;
  };
  std::vector<double> heights;
  for (const auto& panel : figure.panels)
    for (const auto* values : {&panel.start, &panel.end})
      for (const double s : shares(*values))
        if (s > 0) heights.push_back(s);

  const double width = figure.panels.size() == 1 ? 420 : 230, height = figure.panels.size() == 1 ? 240 : 150;
  const Panels panels = arrange(figure.title, titles, figure.notes,
                                {{.label = "start", .style = end_style, .line = true, .marker = false, .quiet = true},
                                 {.label = "end", .style = end_style, .line = true, .marker = false}},
                                width, height);
  Document out(panels.page_width, panels.page_height, figure.title.empty() ? "histogram" : figure.title,
               figure.notes.empty() ? "" : figure.notes[0]);
  Axis y = fit_axis("share of values", heights, figure.log);
  if (!y.log) {
    y.low = 0;
    y.ticks = nice_ticks(y.low, y.high, false);
  }
  for (size_t i = 0; i < figure.panels.size(); ++i) {
    Frame frame{.corner = panels.corner(i), .width = width, .height = height, .x = {}, .y = y};
    frame.x = {.label = figure.quantity, .low = 0, .high = largest, .ticks = nice_ticks(0, largest, false)};
    draw_axes(out, frame, panels.shown(i));
    draw_heading(out, panels, i);
    out.begin_clip({frame.corner.x, frame.corner.y - 2}, width + 2, height + 2);
    const auto outline = [&](const std::vector<double>& values, bool filled, const std::string& ink) {
      if (std::ranges::none_of(values, [](double v) { return std::isfinite(v); })) return false;
      const std::vector<double> share = shares(values);
      std::vector<Point> corners = {frame.place(0, frame.y.low)};
      for (size_t b = 0; b < n_bins; ++b) {
        const double top = std::max(share[b], frame.y.low);
        corners.push_back(frame.place(double(b) * bin, top));
        corners.push_back(frame.place(double(b + 1) * bin, top));
      }
      corners.push_back(frame.place(largest, frame.y.low));
      if (filled) out.polygon(corners, {.fill = ink, .opacity = 0.3});
      out.polyline(corners, {.stroke = ink, .width = 1.4});
      return true;
    };
    const bool start = outline(figure.panels[i].start, true, quiet_colour);
    const bool end = outline(figure.panels[i].end, false, colour(end_style));
    out.end_group();
    if (!start && !end) draw_empty(out, frame);
  }
  draw_furniture(out, panels.furniture, 0, panels.page_height);
  return out.str();
}

}  // namespace cohort::engine

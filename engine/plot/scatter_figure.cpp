#include "plot/scatter_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cohort/error.h"
#include "plot/page.h"

namespace cohort::engine {

using svg::Document, svg::Point;

std::string scatter_figure(const ScatterFigure& figure) {
  constexpr double left_margin = 80, width = 560, height = 320, right_margin = 24;
  const size_t n = figure.label.size();
  if (figure.points.size() != n)
    throw Error(fmt::format("scatter: {} labels for {} groups of points", n, figure.points.size()));
  std::vector<double> x, y;
  for (const auto& points : figure.points)
    for (const Point& p : points)
      if (std::isfinite(p.x) && std::isfinite(p.y)) x.push_back(p.x), y.push_back(p.y);
  std::vector<LegendEntry> entries;
  if (n > 1)
    for (size_t a = 0; a < n; ++a) entries.push_back({.label = figure.label[a], .style = a});
  const Furniture furniture = furnish(figure.title, figure.legend_title, entries, figure.notes, width);
  Frame frame{.corner = {left_margin, furniture.top + 10},
              .width = width - left_margin - right_margin,
              .height = height,
              .x = fit_axis(figure.x, x),
              .y = fit_axis(figure.y, y)};
  frame.y.remark = figure.y_remark;
  const double page_height = frame.corner.y + height + 42 + notes_height(furniture);
  Document out(width, page_height, figure.title.empty() ? "scatter" : figure.title,
               furniture.notes.empty() ? "" : furniture.notes[0]);
  draw_axes(out, frame);
  out.begin_clip({frame.corner.x - 6, frame.corner.y - 6}, frame.width + 12, height + 12);
  const size_t n_ordered = figure.ordered ? n : 0;
  for (size_t a = 0; a < n; ++a)
    for (const Point& p : figure.points[a])
      if (std::isfinite(p.x) && std::isfinite(p.y)) marker(out, frame.place(p.x, p.y), a, colour(a, n_ordered));
  if (!x.empty() && std::isfinite(figure.line.slope)) {
    const auto at = [&](double value) { return figure.line.intercept + figure.line.slope * value; };
    auto [from, to] = std::pair(*std::ranges::min_element(x), *std::ranges::max_element(x));
    // Cut where the line leaves the panel.
    if (figure.line.slope != 0) {
      const double low = (frame.y.low - figure.line.intercept) / figure.line.slope,
                   high = (frame.y.high - figure.line.intercept) / figure.line.slope;
      from = std::max(from, std::min(low, high));
      to = std::min(to, std::max(low, high));
    }
    out.polyline(std::vector<Point>{frame.place(from, at(from)), frame.place(to, at(to))},
                 {.stroke = text_colour, .width = 1.6, .dash = "7 4"});
  }
  out.end_group();
  if (x.empty())
    out.text({frame.corner.x + frame.width / 2, frame.corner.y + height / 2}, "no values",
             {.size = label_size, .fill = quiet_colour, .anchor = svg::Anchor::middle});
  draw_furniture(out, furniture, n_ordered, page_height);
  return out.str();
}

}  // namespace cohort::engine

#include "plot/heatmap_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cohort/error.h"
#include "plot/page.h"

namespace cohort::engine {
namespace {

using svg::Anchor, svg::Document, svg::Point;

constexpr double cell_height = 34, bar_gap = 26, bar_width = 16, right_margin = 70;
constexpr int n_bar_steps = 64;

std::string ink_on(const Rgb& ground) {
  return 0.299 * ground[0] + 0.587 * ground[1] + 0.114 * ground[2] > 128 ? "#111111" : "#ffffff";
}

// As many decimals as tell the values of a map apart, and three of small numbers.
std::string cell_text(double value, double span) {
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e5)) return fmt::format("{:.2g}", value);
  const int decimals = span > 0 ? std::clamp(int(1 - std::floor(std::log10(span))), 0, 4) : 3;
  return fmt::format("{:.{}f}", value, size < 10 ? std::max(decimals, 3) : decimals);
}

}  // namespace

std::string heatmap_figure(const HeatmapFigure& figure) {
  const size_t n_rows = figure.rows.size(), n_columns = figure.columns.size();
  if (figure.value.size() != n_rows)
    throw Error(fmt::format("heatmap: {} labels for {} rows", n_rows, figure.value.size()));
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const auto& row : figure.value) {
    if (row.size() != n_columns) throw Error(fmt::format("heatmap: {} labels for {} columns", n_columns, row.size()));
    for (const double v : row)
      if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  }
  const bool any = low <= high;
  const double span = any ? high - low : 0;

  double cell_width = 56, y_labels = 0;
  for (const std::string& label : figure.columns)
    cell_width = std::max(cell_width, svg::text_width(label, tick_size) + 10);
  for (const auto& row : figure.value)
    for (const double v : row)
      if (std::isfinite(v)) cell_width = std::max(cell_width, svg::text_width(cell_text(v, span), tick_size) + 12);
  for (const std::string& label : figure.rows) y_labels = std::max(y_labels, svg::text_width(label, tick_size));
  const double left = y_labels + 46;
  const double inner_width = cell_width * double(n_columns), inner_height = cell_height * double(n_rows);
  const double width = std::max(420.0, left + inner_width + bar_gap + bar_width + right_margin);
  const Furniture furniture = furnish(figure.title, "", {}, figure.notes, width);
  const double bar_height = std::max(inner_height, 120.0);
  const Point corner{left, furniture.top + 14};
  const double bottom = corner.y + inner_height;
  const double page_height = std::max(bottom + 44, corner.y + bar_height + 12) + notes_height(furniture);
  Document out(width, page_height, figure.title.empty() ? "heatmap" : figure.title,
               furniture.notes.empty() ? "" : furniture.notes[0]);

  const auto part = [&](double v) { return span > 0 ? (v - low) / span : 0.5; };
  for (size_t r = 0; r < n_rows; ++r) {
    const double y = bottom - cell_height * double(r + 1);
    for (size_t c = 0; c < n_columns; ++c) {
      const double x = corner.x + cell_width * double(c), v = figure.value[r][c];
      const bool known = std::isfinite(v);
      const Rgb ground = known ? shade(part(v)) : Rgb{238, 238, 238};
      out.rect({x, y}, cell_width, cell_height, {.fill = css(ground), .stroke = "#ffffff", .width = 1.5});
      out.text({x + cell_width / 2, y + cell_height / 2 + 4}, known ? cell_text(v, span) : "\u2013",
               {.size = tick_size, .fill = known ? ink_on(ground) : quiet_colour, .anchor = Anchor::middle});
    }
    out.text({corner.x - 7, y + cell_height / 2 + 4}, figure.rows[r],
             {.size = tick_size, .fill = text_colour, .anchor = Anchor::end});
  }
  for (size_t c = 0; c < n_columns; ++c)
    out.text({corner.x + cell_width * (double(c) + 0.5), bottom + 16}, figure.columns[c],
             {.size = tick_size, .fill = text_colour, .anchor = Anchor::middle});
  out.text({corner.x + inner_width / 2, bottom + 36}, figure.x,
           {.size = label_size, .fill = text_colour, .anchor = Anchor::middle});
  out.text({20, corner.y + std::max(inner_height, 60.0) / 2}, figure.y,
           {.size = label_size, .fill = text_colour, .anchor = Anchor::middle, .rotate = -90});

  if (any) {
    const double x = corner.x + inner_width + bar_gap;
    const double low_end = span > 0 ? low : low - 0.5, high_end = span > 0 ? high : high + 0.5;
    const double step = bar_height / n_bar_steps;
    for (int i = 0; i < n_bar_steps; ++i)  // each a little taller than its step, so that no seam shows
      out.rect({x, corner.y + step * i}, bar_width, i + 1 < n_bar_steps ? step + 0.6 : step,
               {.fill = css(shade(span > 0 ? 1 - (i + 0.5) / n_bar_steps : 0.5))});
    const Axis axis{.low = low_end, .high = high_end, .ticks = nice_ticks(low_end, high_end, false)};
    for (const Tick& tick : visible_ticks(axis)) {
      const double y = corner.y + bar_height * (1 - fraction(axis, tick.at));
      out.line({x + bar_width, y}, {x + bar_width + 4, y}, {.stroke = axis_colour});
      out.text({x + bar_width + 7, y + 4}, tick.label, {.size = tick_size, .fill = text_colour});
    }
    out.text({x + bar_width + 54, corner.y + bar_height / 2}, figure.quantity,
             {.size = label_size, .fill = text_colour, .anchor = Anchor::middle, .rotate = -90});
  }
  draw_furniture(out, furniture, 0, page_height);
  return out.str();
}

}  // namespace cohort::engine

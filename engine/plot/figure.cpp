#include "plot/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/page.h"

namespace cohort::engine {
namespace {

using svg::Anchor;
using svg::Document;
using svg::Point;

// Sizes in pixels.
constexpr double row_gap = 20, left_margin = 80, right_margin = 20;

std::vector<LegendEntry> legend_of(const Figure& figure) {
  std::vector<LegendEntry> entries;
  for (const Panel& panel : figure.panels)
    for (const Curve& curve : panel.curves) {
      const auto known = std::ranges::find(entries, curve.label, &LegendEntry::label);
      if (known == entries.end())
        entries.push_back(
            {.label = curve.label, .style = curve.style, .line = figure.joined && curve.points.size() > 1});
      else
        known->line = known->line || (figure.joined && curve.points.size() > 1);
    }
  std::ranges::stable_sort(entries, {}, &LegendEntry::style);
  if (entries.size() < 2) entries.clear();
  for (LegendEntry& entry : entries) entry.marker = figure.spread == Spread::bars || !entry.line;
  return entries;
}

// The geometry of the page.
struct Layout {
  size_t columns = 1, rows = 0;
  double panel_width = 200, panel_height = 150, column_gap = 22;
  double width = 0, height = 0, panels_top = 0;
  bool tilted_ticks = false;
  Furniture furniture;
  double below = 0;  // room for ticks and label of x
  double x_label_drop = 0;

  Point corner(size_t i) const {
    return {left_margin + double(i % columns) * (panel_width + column_gap),
            panels_top + double(i / columns) * (panel_height + row_gap)};
  }
};

bool leads_its_row(const Figure& figure, size_t i, size_t columns) { return i % columns == 0 || figure.panels.empty(); }

bool shows_y_ticks(const Figure& figure, size_t i, size_t columns) {
  return leads_its_row(figure, i, columns) || !same_scale(figure.panels[i].y, figure.panels[i - i % columns].y);
}

bool shows_y_label(const Figure& figure, size_t i, size_t columns) {
  return leads_its_row(figure, i, columns) || figure.panels[i].y.label != figure.panels[i - i % columns].y.label;
}

Layout lay_out(const Figure& figure) {
  Layout page;
  page.columns = std::max<size_t>(1, std::min(figure.columns, std::max<size_t>(1, figure.panels.size())));
  page.rows = (figure.panels.size() + page.columns - 1) / page.columns;
  if (page.columns == 1) page.panel_width = 330, page.panel_height = 210;
  if (page.columns == 2) page.panel_width = 250, page.panel_height = 165;
  if (figure.panel_width > 0) page.panel_width = figure.panel_width;
  if (figure.panel_height > 0) page.panel_height = figure.panel_height;
  for (size_t i = 0; i < figure.panels.size(); ++i) {
    if (i % page.columns == 0) continue;
    if (shows_y_ticks(figure, i, page.columns)) page.column_gap = std::max(page.column_gap, 46.0);
    if (shows_y_label(figure, i, page.columns)) page.column_gap = std::max(page.column_gap, left_margin);
  }
  const double grid_width = double(page.columns) * page.panel_width + double(page.columns - 1) * page.column_gap;
  page.width = std::max(420.0, left_margin + grid_width + right_margin);
  page.furniture = furnish(figure.title, figure.legend_title, legend_of(figure), figure.notes, page.width);
  const bool headings = std::ranges::any_of(figure.panels, [](const Panel& p) { return !p.title.empty(); });
  page.panels_top = page.furniture.top + (headings ? 26 : 10);

  double total = 0, longest = 0;
  for (const Tick& tick : visible_ticks(figure.x)) {
    const double width = svg::text_width(tick.label, tick_size);
    total += width + 6;
    longest = std::max(longest, width);
  }
  page.tilted_ticks = total > page.panel_width + 30;
  page.x_label_drop = page.tilted_ticks ? 22 + 0.6 * longest : 34;
  page.below = page.x_label_drop + (figure.x.label.empty() ? 0 : 8);

  page.height =
      page.panels_top + double(page.rows) * page.panel_height + double(std::max<size_t>(page.rows, 1) - 1) * row_gap;
  page.height += page.rows == 0 ? 20 : page.below;
  page.height += notes_height(page.furniture);
  return page;
}

std::vector<CurvePoint> finite(const std::vector<CurvePoint>& all) {
  std::vector<CurvePoint> points;
  for (const CurvePoint& p : all)
    if (std::isfinite(p.x) && std::isfinite(p.mean)) points.push_back(p);
  return points;
}

void draw_band(Document& out, const Figure& figure, const Curve& curve, double opacity, const auto& place) {
  const std::vector<CurvePoint> points = finite(curve.points);
  std::vector<Point> band;
  for (const CurvePoint& p : points)
    if (std::isfinite(p.high)) band.push_back(place(p.x, p.high));
  for (size_t i = points.size(); i-- > 0;)
    if (std::isfinite(points[i].low)) band.push_back(place(points[i].x, points[i].low));
  out.polygon(band, {.fill = colour(curve.style, figure.n_ordered), .opacity = opacity});
}

void draw_curve(Document& out, const Figure& figure, const Curve& curve, double shift, double dot_opacity,
                const auto& place) {
  const std::string ink = colour(curve.style, figure.n_ordered);
  std::vector<Point> dots, line;
  for (size_t i = 0; i < curve.dots.size(); ++i) {
    const svg::Point& dot = curve.dots[i];
    if (!std::isfinite(dot.x) || !std::isfinite(dot.y)) continue;
    // Beside the mean's bar, at one of a few fixed distances, so that equal values do not hide each other.
    const double aside = curve.points.empty() ? 0 : 1.6 + 0.8 * double(i % 3);
    const Point p = place(dot.x, dot.y);
    dots.push_back({p.x + shift + (i % 2 ? aside : -aside), p.y});
  }
  out.dots(dots, {.stroke = ink, .width = curve.points.empty() ? 4.5 : 3.2, .opacity = dot_opacity});

  const std::vector<CurvePoint> points = finite(curve.points);
  for (const CurvePoint& p : points) {
    const Point at = place(p.x, p.mean);
    line.push_back({at.x + shift, at.y});
  }
  if (figure.joined) out.polyline(line, {.stroke = ink, .width = 1.8, .dash = dash(curve.style, figure.n_ordered)});
  if (figure.spread == Spread::band && points.size() > 1) return;
  for (size_t i = 0; i < points.size(); ++i) {
    if (std::isfinite(points[i].low) && std::isfinite(points[i].high)) {
      const double x = line[i].x, low = place(points[i].x, points[i].low).y,
                   high = place(points[i].x, points[i].high).y;
      out.line({x, low}, {x, high}, {.stroke = ink, .width = 1.3});
      out.line({x - 2.5, low}, {x + 2.5, low}, {.stroke = ink, .width = 1.3});
      out.line({x - 2.5, high}, {x + 2.5, high}, {.stroke = ink, .width = 1.3});
    }
  }
  for (const Point& p : line) marker(out, p, curve.style, ink);
}

// How far apart the curves of a panel are drawn, so that their spreads do not hide each other.
double dodge(const Figure& figure, const Panel& panel, double panel_width) {
  if (figure.spread == Spread::band || panel.curves.size() < 2) return 0;
  std::vector<double> at;
  for (const Curve& curve : panel.curves)
    for (const CurvePoint& p : curve.points) at.push_back(fraction(figure.x, p.x) * panel_width);
  std::ranges::sort(at);
  double closest = panel_width;
  for (size_t i = 1; i < at.size(); ++i)
    if (at[i] - at[i - 1] > 0.5) closest = std::min(closest, at[i] - at[i - 1]);
  return std::min(6.0, 0.55 * closest / double(panel.curves.size()));
}

void draw_panel(Document& out, const Figure& figure, const Layout& page, size_t i) {
  const Panel& panel = figure.panels[i];
  const Point corner = page.corner(i);
  const double panel_width = page.panel_width, panel_height = page.panel_height;
  const Frame frame{.corner = corner, .width = panel_width, .height = panel_height, .x = figure.x, .y = panel.y};
  const auto place = [&](double x, double y) { return frame.place(x, y); };
  const bool lowest = i + page.columns >= figure.panels.size();
  const AxesShown shown{.x_ticks = lowest,
                        .y_ticks = shows_y_ticks(figure, i, page.columns),
                        .x_label = lowest,
                        .y_label = shows_y_label(figure, i, page.columns),
                        .tilted = page.tilted_ticks,
                        .x_label_drop = page.x_label_drop};
  draw_axes(out, frame, shown);

  size_t n_dots = 0;
  for (const Curve& curve : panel.curves) n_dots = std::max(n_dots, curve.dots.size());
  const double opacity = panel.curves.empty() || panel.curves[0].points.empty() ? 0.7 : n_dots > 400 ? 0.2 : 0.38;
  out.begin_clip({corner.x - 10, corner.y - 5}, panel_width + 20, panel_height + 10);
  const double step = dodge(figure, panel, page.panel_width);
  if (figure.spread == Spread::band)  // below all lines, and the fainter the more there are
    for (const Curve& curve : panel.curves)
      draw_band(out, figure, curve, std::min(0.18, 0.9 / double(panel.curves.size())), place);
  for (size_t c = 0; c < panel.curves.size(); ++c)
    draw_curve(out, figure, panel.curves[c], (double(c) - double(panel.curves.size() - 1) / 2) * step, opacity, place);
  out.end_group();
  if (panel.curves.empty())
    out.text({corner.x + panel_width / 2, corner.y + panel_height / 2}, "no values",
             {.size = label_size, .fill = quiet_colour, .anchor = Anchor::middle});

  if (i < page.columns && !panel.title.empty())
    out.text({corner.x + panel_width / 2, corner.y - 10}, panel.title,
             {.size = heading_size, .fill = text_colour, .anchor = Anchor::middle, .bold = true});
}

}  // namespace

std::string axis_number(double value) {
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e6)) return fmt::format("{:.3g}", value);
  std::string text = fmt::format("{:.6f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::vector<Tick> nice_ticks(double low, double high, bool log, int wanted) {
  std::vector<Tick> ticks;
  if (!std::isfinite(low) || !std::isfinite(high) || !(low < high) || (log && low <= 0)) return ticks;
  const double slack = 1e-9;
  if (log) {
    const int first = int(std::floor(std::log10(low) - slack)), last = int(std::ceil(std::log10(high) + slack));
    const double decades = std::log10(high / low);
    const int every = std::max(1, int(std::ceil(decades / (wanted + 1))));
    for (int decade = first; decade <= last; decade += every)
      for (const double digit : {1.0, 2.0, 5.0}) {
        const double at = digit * std::pow(10.0, decade);
        if (digit > 1 && decades > 2) continue;
        if (at >= low * (1 - slack) && at <= high * (1 + slack)) ticks.push_back({at, axis_number(at)});
      }
    if (ticks.size() > 1) return ticks;
    ticks.clear();  // less than one step: as on a linear axis
  }
  const double raw = (high - low) / std::max(1, wanted - 1);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double lead = raw / power;
  const double step = power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
  if (!(step > 0) || !std::isfinite(step)) return ticks;
  const double first = std::ceil(low / step - slack);
  for (int i = 0; i < 64; ++i) {
    const double at = (first + i) * step;
    if (at > high + slack * step) break;
    if (i > 0 && at == ticks.back().at) return {};  // finer than doubles are
    ticks.push_back({at, axis_number(at)});
  }
  // Labels that agree would not say where they are.
  for (size_t i = 1; i < ticks.size(); ++i)
    if (ticks[i].label == ticks[i - 1].label)
      for (Tick& tick : ticks) tick.label = fmt::format("{:.9g}", tick.at);
  return ticks;
}

Axis fit_axis(const std::string& label, std::span<const double> values, bool log, double floor, double ceiling) {
  Axis axis{.label = label};
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double v : values)
    if (std::isfinite(v)) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  if (!(low <= high)) low = 0, high = 1;  // no value at all
  low = std::clamp(low, -1e300, 1e300);
  high = std::clamp(high, -1e300, 1e300);
  axis.log = log && low > 1e-290;
  if (axis.log) {
    const double room = std::max(1.06, std::pow(high / low, 0.06));
    axis.low = low / room;
    axis.high = high * room;
  } else {
    // One value, or values that agree to rounding: an axis of a width that its labels can show.
    const double least = std::max({std::abs(low), std::abs(high), 1e-300}) * 1e-6;
    if (high - low < least) {
      const double room = high == 0 && low == 0 ? 1 : 0.5 * std::max(std::abs(low), std::abs(high));
      low -= room;
      high += room;
    }
    const double span = high - low;
    axis.low = low - 0.07 * span;
    axis.high = high + 0.07 * span;
    // Zero belongs to a positive quantity that comes near it.
    if (low >= 0 && low < 0.35 * high) axis.low = 0;
    // A bound counts only as long as the values keep it; comparisons with NaN are false.
    if (low >= floor && low < floor + 0.35 * span) axis.low = floor - 0.03 * (high - floor);
    if (low >= floor + 0.35 * span) axis.low = std::max(axis.low, floor);
    if (high <= ceiling && axis.high > ceiling - 0.1 * span) axis.high = ceiling + 0.03 * (ceiling - axis.low);
    if (!(axis.low < axis.high)) axis.low = low - 0.5, axis.high = high + 0.5;
  }
  axis.ticks = nice_ticks(axis.low, axis.high, axis.log);
  return axis;
}

std::string draw(const Figure& figure) {
  const Layout page = lay_out(figure);
  std::string description;
  for (const std::string& note : figure.notes) description += (description.empty() ? "" : " ") + note;
  Document out(page.width, page.height, figure.title.empty() ? "figure" : figure.title, description);

  for (size_t i = 0; i < figure.panels.size(); ++i) draw_panel(out, figure, page, i);
  draw_furniture(out, page.furniture, figure.n_ordered, page.height);
  return out.str();
}

}  // namespace cohort::engine

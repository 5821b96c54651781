#include "plot/bars_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cohort/error.h"
#include "plot/page.h"
#include "statistics/moments.h"

namespace cohort::engine {
namespace {

using svg::Anchor, svg::Document, svg::Point;

constexpr double left_margin = 80, right_margin = 24, height = 240, level_height = 20, line_height = 14;

// At which height each bracket stands: brackets that overlap stand at different heights, short ones lowest.
std::vector<size_t> levels_of(const std::vector<BarsFigure::Bracket>& brackets) {
  std::vector<size_t> order(brackets.size()), level(brackets.size(), 0);
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto from = [&](size_t i) { return std::min(brackets[i].a, brackets[i].b); };
  const auto to = [&](size_t i) { return std::max(brackets[i].a, brackets[i].b); };
  std::ranges::stable_sort(order, {}, [&](size_t i) { return to(i) - from(i); });
  for (size_t k = 0; k < order.size(); ++k) {
    const size_t i = order[k];
    for (bool free = false; !free; level[i] += !free) {
      free = true;
      for (size_t l = 0; l < k; ++l) {
        const size_t other = order[l];
        free = free && !(level[other] == level[i] && from(other) < to(i) && from(i) < to(other));
      }
    }
  }
  return level;
}

}  // namespace

std::string bars_figure(const BarsFigure& figure) {
  const size_t n = figure.label.size();
  if (figure.values.size() != n) throw Error(fmt::format("bars: {} labels for {} samples", n, figure.values.size()));
  for (const auto& bracket : figure.brackets)
    if (bracket.a >= n || bracket.b >= n || bracket.a == bracket.b)
      throw Error(fmt::format("bars: a bracket over arms {} and {} of {}", bracket.a, bracket.b, n));

  std::vector<double> shown = {0};
  std::vector<Moments> means;
  for (const auto& values : figure.values) {
    means.push_back(moments(values));
    const Moments& m = means.back();
    if (m.n > 0) shown.push_back(m.mean);
    if (m.n > 1) shown.insert(shown.end(), {std::max(m.mean - m.sd, std::min(0.0, m.mean)), m.mean + m.sd});
    shown.insert(shown.end(), values.begin(), values.end());
  }
  double longest = 0;  // word of a label, or part of it if that is not too long
  for (const std::string& label : figure.label) {
    for (const std::string& word : wrap(label, tick_size, 1))
      longest = std::max(longest, svg::text_width(word, tick_size));
    for (const std::string& part : wrap_list(label, tick_size, 1e9, 1))
      longest = std::max(longest, std::min(120.0, svg::text_width(part, tick_size)));
  }
  const double slot = std::max(n <= 4 ? 96.0 : n <= 8 ? 68.0 : 48.0, longest + 10);
  std::vector<std::vector<std::string>> labels;
  size_t n_lines = 1;
  for (const std::string& label : figure.label) {
    labels.push_back(wrap_list(label, tick_size, slot - 8));
    n_lines = std::max(n_lines, labels.back().size());
  }
  const std::vector<size_t> level = levels_of(figure.brackets);
  const size_t n_levels = level.empty() ? 0 : *std::ranges::max_element(level) + 1;

  const double inner = std::max(slot * double(n), 200.0), width = std::max(420.0, left_margin + inner + right_margin);
  const Furniture furniture = furnish(figure.title, "", {}, figure.notes, width);
  Frame frame{.corner = {left_margin, furniture.top + 14 + level_height * double(n_levels)},
              .width = inner,
              .height = height,
              .x = {.low = 0, .high = 1},
              .y = fit_axis(figure.quantity, shown)};
  frame.y.remark = figure.remark;
  if (*std::ranges::min_element(shown) >= 0) frame.y.low = 0;
  frame.y.ticks = nice_ticks(frame.y.low, frame.y.high, false);
  const double bottom = frame.corner.y + height;
  const double below = 18 + line_height * double(n_lines) + (figure.legend_title.empty() ? 0 : 16);
  Document out(width, bottom + below + notes_height(furniture), figure.title.empty() ? "bars" : figure.title,
               furniture.notes.empty() ? "" : furniture.notes[0]);
  draw_axes(out, frame);

  const size_t n_ordered = figure.ordered ? n : 0;
  const auto middle = [&](size_t i) { return frame.corner.x + (double(i) + 0.5) * inner / double(n); };
  const auto at = [&](double value) { return frame.place(0, value).y; };
  const double half = std::min(26.0, 0.32 * inner / double(std::max<size_t>(n, 1)));
  const double zero = at(0);
  out.begin_clip({frame.corner.x - 10, frame.corner.y - 5}, inner + 20, height + 10);
  for (size_t i = 0; i < n; ++i) {
    const Moments& m = means[i];
    const double x = middle(i);
    if (m.n == 0) continue;
    const std::string ink = colour(i, n_ordered);
    const double top = at(m.mean);
    out.rect({x - half, std::min(top, zero)}, 2 * half, std::abs(top - zero), {.fill = ink, .opacity = 0.75});
    std::vector<Point> dots;
    size_t k = 0;
    for (const double value : figure.values[i]) {
      if (!std::isfinite(value)) continue;
      // Beside the middle, in turn at a few distances, so that equal values do not hide each other.
      const double aside = half * (0.34 + 0.14 * double(k / 2 % 3)) * (k % 2 ? 1 : -1);
      dots.push_back({x + aside, at(value)});
      ++k;
    }
    out.dots(dots, {.stroke = "#ffffff", .width = 5.6});
    out.dots(dots, {.stroke = "#222222", .width = 4, .opacity = dots.size() > 40 ? 0.4 : 0.75});
    if (m.n > 1) {
      const double low = at(m.mean - m.sd), high = at(m.mean + m.sd);
      for (const auto& [from, to] :
           {std::pair<Point, Point>{{x, low}, {x, high}}, {{x - 5, low}, {x + 5, low}}, {{x - 5, high}, {x + 5, high}}})
        out.line(from, to, {.stroke = text_colour, .width = 1.5});
    }
  }
  out.end_group();
  for (size_t i = 0; i < n; ++i) {
    if (means[i].n == 0)
      out.text({middle(i), zero - 8}, "no value", {.size = tick_size, .fill = quiet_colour, .anchor = Anchor::middle});
    for (size_t l = 0; l < labels[i].size(); ++l)
      out.text({middle(i), bottom + 17 + line_height * double(l)}, labels[i][l],
               {.size = tick_size, .fill = text_colour, .anchor = Anchor::middle});
  }
  if (!figure.legend_title.empty())
    out.text({frame.corner.x + inner / 2, bottom + below - 10}, figure.legend_title,
             {.size = label_size, .fill = text_colour, .anchor = Anchor::middle});
  for (size_t i = 0; i < figure.brackets.size(); ++i) {
    const auto& bracket = figure.brackets[i];
    // Brackets of one height that meet over an arm leave a gap.
    const double from = middle(std::min(bracket.a, bracket.b)) + 4, to = middle(std::max(bracket.a, bracket.b)) - 4;
    const double y = frame.corner.y - 4 - level_height * double(level[i]);
    const svg::Ink ink{.stroke = axis_colour, .width = 1.2};
    out.polyline(std::vector<Point>{{from, y + 5}, {from, y}, {to, y}, {to, y + 5}}, ink);
    const bool stars = bracket.text.find_first_not_of('*') == std::string::npos;
    out.text({(from + to) / 2, y - (stars ? 0.0 : 4.0)}, bracket.text,
             {.size = stars ? heading_size : tick_size, .fill = text_colour, .anchor = Anchor::middle});
  }
  draw_furniture(out, furniture, n_ordered, bottom + below + notes_height(furniture));
  return out.str();
}

}  // namespace cohort::engine

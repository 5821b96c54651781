#include "plot/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace cohort::engine {

using svg::Anchor, svg::Document, svg::Point;

namespace {

// Paul Tol's "bright" scheme without its grey, and shades from light to dark for ordered values.
constexpr std::array palette = {"#4477aa", "#ee6677", "#228833", "#aa3377", "#ccbb44", "#66ccee"};
constexpr std::array<Rgb, 5> shades = {{{122, 209, 81}, {34, 168, 132}, {42, 120, 142}, {65, 68, 135}, {68, 1, 84}}};

}  // namespace

Rgb shade(double at) {
  const double position = std::clamp(at, 0.0, 1.0) * double(shades.size() - 1);
  const size_t below = std::min(size_t(position), shades.size() - 2);
  const double part = position - double(below);
  Rgb mixed;
  for (size_t c = 0; c < 3; ++c)
    mixed[c] = int(std::lround((1 - part) * shades[below][c] + part * shades[below + 1][c]));
  return mixed;
}

std::string css(const Rgb& colour) { return fmt::format("#{:02x}{:02x}{:02x}", colour[0], colour[1], colour[2]); }

std::string colour(size_t style, size_t n_ordered) {
  if (n_ordered == 0) return palette[style % palette.size()];
  return css(shade(n_ordered < 2 ? 1 : double(style) / double(n_ordered - 1)));
}

std::string dash(size_t style, size_t n_ordered) {
  const char* const dashes[] = {"", "6 3", "2 3"};
  return n_ordered > 0 ? "" : dashes[style / palette.size() % std::size(dashes)];
}

void marker(Document& out, Point at, size_t style, const std::string& fill) {
  const svg::Ink ink{.fill = fill, .stroke = "#ffffff", .width = 0.8};
  const auto shape = [&](std::initializer_list<Point> corners) {
    std::vector<Point> points;
    for (const Point& c : corners) points.push_back({at.x + c.x, at.y + c.y});
    out.polygon(points, ink);
  };
  switch (style % 5) {
    case 0:
      out.circle(at, 4, ink);
      break;
    case 1:
      shape({{-3.6, -3.6}, {3.6, -3.6}, {3.6, 3.6}, {-3.6, 3.6}});
      break;
    case 2:
      shape({{0, -4.8}, {4.4, 3.4}, {-4.4, 3.4}});
      break;
    case 3:
      shape({{0, -5.2}, {4.6, 0}, {0, 5.2}, {-4.6, 0}});
      break;
    default:
      shape({{0, 4.8}, {4.4, -3.4}, {-4.4, -3.4}});
      break;
  }
}

double fraction(const Axis& axis, double value) {
  if (axis.log) return std::log(value / axis.low) / std::log(axis.high / axis.low);
  return (value - axis.low) / (axis.high - axis.low);
}

std::vector<Tick> visible_ticks(const Axis& axis) {
  std::vector<Tick> ticks;
  for (const Tick& tick : axis.ticks)
    if (const double at = fraction(axis, tick.at); at > -0.001 && at < 1.001) ticks.push_back(tick);
  return ticks;
}

std::vector<std::string> wrap(const std::string& text, double size, double width) {
  std::vector<std::string> words = {""};
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    const bool glued = word == "=" || words.back().ends_with(" =");
    if (begin == 0 || glued)
      words.back() += (begin == 0 ? "" : " ") + word;
    else
      words.push_back(word);
    begin = end + 1;
  }
  std::vector<std::string> lines = {words[0]};
  for (size_t i = 1; i < words.size(); ++i) {
    if (svg::text_width(lines.back() + ' ' + words[i], size) > width)
      lines.push_back(words[i]);
    else
      lines.back() += ' ' + words[i];
  }
  return lines;
}

std::vector<std::string> wrap_list(const std::string& text, double size, double width, size_t most) {
  std::vector<std::string> lines;
  size_t n_parts = most;  // in the last line
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(", ", begin), text.size());
    const std::string part = text.substr(begin, end - begin) + (end < text.size() ? "," : "");
    if (n_parts < most && svg::text_width(lines.back() + ' ' + part, size) <= width) {
      lines.back() += ' ' + part;
      ++n_parts;
    } else {
      for (const std::string& line : wrap(part, size, width)) lines.push_back(line);
      n_parts = 1;
    }
    begin = end + 2;
  }
  return lines;
}

namespace {

constexpr double legend_height = 20;
double legend_width(const LegendEntry& entry) { return 34 + svg::text_width(entry.label, label_size) + 20; }

}  // namespace

Furniture furnish(const std::string& title, const std::string& legend_title, const std::vector<LegendEntry>& entries,
                  const std::vector<std::string>& notes, double width) {
  Furniture out;
  const double room = width - 32;
  double y = 14;
  if (!title.empty()) {
    out.title = wrap(title, title_size, room);
    y += 20 * double(out.title.size()) + 4;
  }
  if (!entries.empty()) {
    double x = 16;
    if (!legend_title.empty()) {
      out.legend_title = {{x, y}, legend_title};
      x += svg::text_width(legend_title, label_size) + 16;
    }
    const double indent = x;
    for (const LegendEntry& entry : entries) {
      if (x > indent && x + legend_width(entry) > width - 12) {
        x = indent;
        y += legend_height;
      }
      out.legend.push_back({{x, y}, entry});
      x += legend_width(entry);
    }
    y += legend_height + 6;
  }
  out.top = y;
  for (const std::string& note : notes)
    for (const std::string& line : wrap(note, note_size, room)) out.notes.push_back(line);
  return out;
}

double notes_height(const Furniture& furniture) {
  return (furniture.notes.empty() ? 6 : 14) + 15 * double(furniture.notes.size()) + 4;
}

void draw_furniture(Document& out, const Furniture& furniture, size_t n_ordered, double page_height) {
  for (size_t i = 0; i < furniture.title.size(); ++i)
    out.text({16, 29 + 20 * double(i)}, furniture.title[i], {.size = title_size, .fill = text_colour, .bold = true});
  if (!furniture.legend_title.second.empty()) {
    const Point at = furniture.legend_title.first;
    out.text({at.x, at.y + 14}, furniture.legend_title.second, {.size = label_size, .fill = quiet_colour});
  }
  for (const auto& [at, entry] : furniture.legend) {
    const std::string ink = entry.quiet ? quiet_colour : colour(entry.style, n_ordered);
    if (entry.line)
      out.line({at.x, at.y + 10}, {at.x + 26, at.y + 10},
               {.stroke = ink, .width = 1.8, .dash = entry.quiet ? "" : dash(entry.style, n_ordered)});
    if (entry.marker) marker(out, {at.x + 13, at.y + 10}, entry.style, ink);
    out.text({at.x + 32, at.y + 14}, entry.label, {.size = label_size, .fill = text_colour});
  }
  const double first = page_height - 15 * double(furniture.notes.size());
  for (size_t i = 0; i < furniture.notes.size(); ++i)
    out.text({16, first + 15 * double(i)}, furniture.notes[i], {.size = note_size, .fill = quiet_colour});
}

Point Frame::place(double x_value, double y_value) const {
  const auto within = [](const Axis& axis, double value) {
    if (axis.log && value <= 0) return 0.0;
    const double part = fraction(axis, value);
    return std::isnan(part) ? 0 : std::clamp(part, 0.0, 1.0);
  };
  return {corner.x + within(x, x_value) * width, corner.y + height - within(y, y_value) * height};
}

void draw_axes(Document& out, const Frame& frame, const AxesShown& shown) {
  const Point corner = frame.corner;
  const double bottom = corner.y + frame.height, right = corner.x + frame.width;
  for (const Tick& tick : visible_ticks(frame.y)) {
    const double y = frame.place(frame.x.high, tick.at).y;
    out.line({corner.x, y}, {right, y}, {.stroke = grid_colour});
    if (shown.y_ticks)
      out.text({corner.x - 7, y + 4}, tick.label, {.size = tick_size, .fill = text_colour, .anchor = Anchor::end});
  }
  for (const Tick& tick : visible_ticks(frame.x)) {
    const double x = frame.place(tick.at, frame.y.low).x;
    out.line({x, bottom}, {x, bottom + 4}, {.stroke = axis_colour});
    if (!shown.x_ticks) continue;
    if (shown.tilted)
      out.text({x + 4, bottom + 15}, tick.label,
               {.size = tick_size, .fill = text_colour, .anchor = Anchor::end, .rotate = -35});
    else
      out.text({x, bottom + 17}, tick.label, {.size = tick_size, .fill = text_colour, .anchor = Anchor::middle});
  }
  out.line({corner.x, corner.y}, {corner.x, bottom}, {.stroke = axis_colour});
  out.line({corner.x, bottom}, {right, bottom}, {.stroke = axis_colour});
  if (shown.y_label) {
    double widest = 0;  // tick; the label stands clear of it as far as the margin allows
    for (const Tick& tick : visible_ticks(frame.y)) widest = std::max(widest, svg::text_width(tick.label, tick_size));
    const double away = shown.y_ticks ? std::clamp(widest + 14, 46.0, 62.0) : 46;
    const double middle = corner.y + frame.height / 2, shift = frame.y.remark.empty() ? 0 : std::min(14.0, 74 - away);
    out.text({corner.x - away - shift, middle}, frame.y.label,
             {.size = label_size, .fill = text_colour, .anchor = Anchor::middle, .rotate = -90});
    if (shift > 0)
      out.text({corner.x - away + 1, middle}, frame.y.remark,
               {.size = tick_size, .fill = quiet_colour, .anchor = Anchor::middle, .rotate = -90});
  }
  if (shown.x_label && !frame.x.label.empty())
    out.text({corner.x + frame.width / 2, bottom + shown.x_label_drop}, frame.x.label,
             {.size = label_size, .fill = text_colour, .anchor = Anchor::middle});
}

}  // namespace cohort::engine

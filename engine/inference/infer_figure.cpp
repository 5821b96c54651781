#include "inference/infer_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "inference/report.h"
#include "plot/page.h"
#include "statistics/moments.h"

namespace cohort::engine {
namespace {

using svg::Anchor, svg::Document, svg::Point;

// Sizes in pixels.
constexpr double left = 76, gap_x = 84, gap_y = 84, panel_width = 300, panel_height = 210, right = 24;
constexpr size_t most_dots = 4000;

Frame frame_at(size_t column, size_t row, double top, Axis x, Axis y) {
  return {.corner = {left + double(column) * (panel_width + gap_x), top + double(row) * (panel_height + gap_y)},
          .width = panel_width,
          .height = panel_height,
          .x = std::move(x),
          .y = std::move(y)};
}

void heading(Document& out, const Frame& frame, const std::string& text) {
  out.text({frame.corner.x + frame.width / 2, frame.corner.y - 10}, text,
           {.size = heading_size, .fill = text_colour, .anchor = Anchor::middle, .bold = true});
}

std::string heading_of_p(double p) { return (p < smallest_p ? "" : "p = ") + name_of_p(p); }

// Dual change over its sd against the weight before learning.
void draw_changes(Document& out, size_t column, double top, const WeightPairs& pairs, const MirrorMap& map,
                  const std::string& title, size_t style) {
  const size_t n = pairs.before.size();
  std::vector<double> before(n), z(n);
  to_dual(map, int64_t(n), pairs.before.data(), before.data());
  to_dual(map, int64_t(n), pairs.after.data(), z.data());
  for (size_t i = 0; i < n; ++i) z[i] -= before[i];
  const double sd = moments(z).sd;
  const size_t step = n / most_dots + 1;
  std::vector<Point> at;
  std::vector<double> x;
  for (size_t i = 0; i < n; i += step) at.push_back({pairs.before[i], z[i] / sd}), x.push_back(pairs.before[i]);
  Frame frame = frame_at(column, 0, top, fit_axis("weight before learning", x),
                         {.label = "dual change / sd", .low = -5, .high = 5});
  frame.y.ticks = nice_ticks(-5, 5, false);
  draw_axes(out, frame);
  for (Point& p : at) p = frame.place(p.x, p.y);
  out.begin_clip({frame.corner.x, frame.corner.y - 3}, frame.width, frame.height + 6);
  out.dots(at, {.stroke = colour(style), .width = 2.6, .opacity = at.size() > 1000 ? 0.35 : 0.6});
  out.end_group();
  heading(out, frame, title);
}

void draw_profile(Document& out, double top, const WeightPairs& pairs, const Inference& in,
                  const InferenceOptions& options) {
  constexpr int n_points = 41;
  const double width = std::max(in.p.high - in.p.low, 1e-3), low = std::max(1.0, in.p.low - width),
               high = std::min(largest_p, in.p.high + width);
  const auto likelihood = likelihood_of(options.noise.none() ? without_zeros(pairs) : pairs, options);
  std::vector<Point> curve;
  for (int i = 0; i < n_points; ++i) {
    const double p = low + (high - low) * i / (n_points - 1);
    curve.push_back({p, likelihood->fit(geometry_of(p)).log_likelihood - in.p.log_likelihood});
  }
  const double drop = profile_drop(options.level);
  Frame frame = frame_at(0, 1, top, {.label = "p (1 is negative entropy)", .low = low, .high = high},
                         {.label = "log likelihood - maximum", .low = -4.5 * drop, .high = 0.3 * drop});
  frame.x.ticks = nice_ticks(low, high, false);
  frame.y.ticks = nice_ticks(frame.y.low, frame.y.high, false);
  draw_axes(out, frame);
  const Point a = frame.place(in.p.low, frame.y.high), b = frame.place(in.p.high, frame.y.low);
  out.begin_clip(frame.corner, frame.width, frame.height);
  out.rect(a, b.x - a.x, b.y - a.y, {.fill = colour(0), .opacity = 0.12});
  out.line(frame.place(low, -drop), frame.place(high, -drop), {.stroke = quiet_colour, .dash = "4 3"});
  std::vector<Point> line;
  for (const Point& p : curve) {
    if (p.y < frame.y.low && (line.empty() ? p.x < in.p.estimate : p.x > in.p.estimate)) {
      if (line.empty()) continue;
      break;
    }
    line.push_back(frame.place(p.x, p.y));
  }
  out.polyline(line, {.stroke = colour(0), .width = 2});
  const double x = frame.place(in.p.estimate, 0).x;
  out.line({x, frame.corner.y}, {x, frame.corner.y + frame.height}, {.stroke = text_colour, .dash = "2 3"});
  out.end_group();
  heading(out, frame,
          fmt::format("p = {:.3f}, {:g} %: {:.3f} to {:.3f}", in.p.estimate, 100 * options.level, in.p.low, in.p.high));
}

void draw_delta_cdf(Document& out, double top, const Inference& in) {
  std::vector<double> x, y = {0};
  for (const Candidate& c : in.candidates) x.push_back(c.p), y.push_back(c.delta_cdf);
  Frame frame = frame_at(1, 1, top, fit_axis("p of the candidate", x), fit_axis("Delta-CDF", y));
  if (x.size() > 1) {  // 0 says nothing on this axis
    const auto [first, last] = std::ranges::minmax(x);
    frame.x.low = first - 0.05 * (last - first);
    frame.x.ticks = nice_ticks(frame.x.low, frame.x.high, false);
  }
  frame.y.low = 0;
  frame.y.ticks = nice_ticks(0, frame.y.high, false);
  draw_axes(out, frame);
  std::vector<Point> line;
  const Candidate* best = &in.candidates[0];
  for (const Candidate& c : in.candidates) {
    if (!std::isfinite(c.delta_cdf)) continue;
    line.push_back(frame.place(c.p, c.delta_cdf));
    if (!(c.delta_cdf >= best->delta_cdf)) best = &c;
  }
  out.polyline(line, {.stroke = colour(1), .width = 1.6});
  for (const Point& at : line) marker(out, at, 0, colour(1));
  const double x_estimate = frame.place(in.p.estimate, 0).x;
  out.line({x_estimate, frame.corner.y}, {x_estimate, frame.corner.y + frame.height},
           {.stroke = text_colour, .dash = "2 3"});
  heading(out, frame, "Delta-CDF: smallest for " + heading_of_p(best->p));
}

}  // namespace

std::string infer_figure(const WeightPairs& pairs, const Inference& in, const InferenceOptions& options) {
  const Model& best = in.models[in.best];
  const Candidate* worst = nullptr;
  for (const Candidate& c : in.candidates)
    if (std::isfinite(c.change.log_likelihood) && (!worst || c.change.log_likelihood < worst->change.log_likelihood))
      worst = &c;
  std::string title = fmt::format("{}, p = {:.3g}", in.geometry(), in.p.estimate);
  if (best.map.geometry == GeometryId::hypentropy) title = fmt::format("{}, beta = {:.3g}", best.name, best.map.beta);
  std::vector<std::string> notes = {fmt::format(
      "{} synapses, {} with another sign after learning. Dotted: the most likely p. Under the true geometry the "
      "dual change does not depend on the weight.",
      in.n, in.n_sign_flips)};
  if (in.fit.bootstrap > 0)
    notes.push_back(fmt::format("Goodness of fit of {}: p = {:.3f}.", best.name, in.fit.p_value));
  const double width = left + 2 * panel_width + gap_x + right;
  const Furniture furniture = furnish(title, "", {}, notes, width);
  const double top = furniture.top + 28, bottom = top + 2 * panel_height + gap_y;
  const double height = bottom + 46 + notes_height(furniture);
  Document out(width, height, title, notes[0]);
  draw_changes(out, 0, top, pairs, best.map,
               fmt::format("best: {}", best.name == info(GeometryId::p_norm).name ? title : best.name), 0);
  if (worst) draw_changes(out, 1, top, pairs, geometry_of(worst->p), "least likely: " + heading_of_p(worst->p), 1);
  draw_profile(out, top, pairs, in, options);
  draw_delta_cdf(out, top, in);
  draw_furniture(out, furniture, 0, height);
  return out.str();
}

}  // namespace cohort::engine

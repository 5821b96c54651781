#include "plot/svg.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

namespace cohort::engine::svg {
namespace {

std::string points_text(std::span<const Point> points) {
  std::string text;
  for (const Point& p : points) text += (text.empty() ? "" : " ") + number(p.x) + "," + number(p.y);
  return text;
}

// Length of the UTF-8 sequence at text[i]; 0 if there is none.
size_t utf8_length(const std::string& text, size_t i) {
  const auto byte = [&](size_t k) { return k < text.size() ? uint8_t(text[k]) : uint8_t(0); };
  const auto follows = [&](size_t k) { return (byte(k) & 0xC0) == 0x80; };
  const uint8_t b = byte(i);
  if (b < 0x80) return 1;
  if (b >= 0xC2 && b < 0xE0) return follows(i + 1) ? 2 : 0;
  if (b >= 0xE0 && b < 0xF0) {
    const bool overlong = b == 0xE0 && byte(i + 1) < 0xA0, surrogate = b == 0xED && byte(i + 1) >= 0xA0;
    const bool not_a_character = b == 0xEF && byte(i + 1) == 0xBF && byte(i + 2) >= 0xBE;
    return follows(i + 1) && follows(i + 2) && !overlong && !surrogate && !not_a_character ? 3 : 0;
  }
  if (b >= 0xF0 && b < 0xF5) {
    const bool overlong = b == 0xF0 && byte(i + 1) < 0x90, too_large = b == 0xF4 && byte(i + 1) >= 0x90;
    return follows(i + 1) && follows(i + 2) && follows(i + 3) && !overlong && !too_large ? 4 : 0;
  }
  return 0;
}

}  // namespace

double text_width(const std::string& text, double size) {
  double em = 0;
  for (const char c : text) {
    if ((uint8_t(c) & 0xC0) == 0x80) continue;  // the rest of a character
    if (c == ' ' || c == '.' || c == ',' || c == 'i' || c == 'l' || c == 'j' || c == 't' || c == 'f' || c == 'r')
      em += 0.36;
    else if (c == 'm' || c == 'w' || (c >= 'A' && c <= 'Z'))
      em += 0.8;
    else
      em += 0.6;
  }
  return em * size;
}

std::string number(double value) {
  if (!std::isfinite(value)) value = 0;
  std::string text = fmt::format("{:.2f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string escape(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text, i);
    const char c = text[i];
    if (length == 0 || uint8_t(c) < 0x20 || c == 0x7F)
      out += c == '\t' || c == '\n' ? ' ' : '?';
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += text.substr(i, length);
    i += length == 0 ? 1 : length;
  }
  return out;
}

Document::Document(double width, double height, const std::string& title, const std::string& description) {
  body_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
      "font-family=\"Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif\">\n"
      "<title>{2}</title>\n<desc>{3}</desc>\n",
      number(width), number(height), escape(title), escape(description));
  rect({0, 0}, width, height, {.fill = "#ffffff"});
}

void Document::shape(const std::string& element, const Ink& ink, const std::string& more) {
  body_ += fmt::format("<{} fill=\"{}\"", element, escape(ink.fill));
  if (ink.stroke != "none") {
    body_ += fmt::format(" stroke=\"{}\" stroke-width=\"{}\"", escape(ink.stroke), number(ink.width));
    if (!ink.dash.empty()) body_ += fmt::format(" stroke-dasharray=\"{}\"", escape(ink.dash));
  }
  if (ink.opacity < 1) body_ += fmt::format(" opacity=\"{}\"", number(ink.opacity));
  body_ += more + "/>\n";
}

void Document::rect(Point corner, double width, double height, const Ink& ink) {
  shape(fmt::format("rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", number(corner.x), number(corner.y),
                    number(width), number(height)),
        ink);
}

void Document::line(Point from, Point to, const Ink& ink) {
  shape(fmt::format("line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"", number(from.x), number(from.y), number(to.x),
                    number(to.y)),
        ink);
}

void Document::polyline(std::span<const Point> points, const Ink& ink) {
  if (points.size() > 1)
    shape("polyline points=\"" + points_text(points) + '"', ink, " stroke-linejoin=\"round\" stroke-linecap=\"round\"");
}

void Document::polygon(std::span<const Point> points, const Ink& ink) {
  if (points.size() > 2) shape("polygon points=\"" + points_text(points) + '"', ink, " stroke-linejoin=\"round\"");
}

void Document::circle(Point centre, double radius, const Ink& ink) {
  shape(fmt::format("circle cx=\"{}\" cy=\"{}\" r=\"{}\"", number(centre.x), number(centre.y), number(radius)), ink);
}

void Document::dots(std::span<const Point> centres, const Ink& ink) {
  if (centres.empty()) return;
  std::string path;
  for (const Point& p : centres) path += 'M' + number(p.x) + ' ' + number(p.y) + "h0";
  shape("path d=\"" + path + '"', ink, " stroke-linecap=\"round\"");
}

void Document::text(Point at, const std::string& text, const Font& font) {
  const char* anchor = font.anchor == Anchor::start ? "start" : font.anchor == Anchor::middle ? "middle" : "end";
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{}\"", number(at.x),
                       number(at.y), number(font.size), escape(font.fill), anchor);
  if (font.bold) body_ += " font-weight=\"bold\"";
  if (font.rotate != 0)
    body_ += fmt::format(" transform=\"rotate({} {} {})\"", number(font.rotate), number(at.x), number(at.y));
  body_ += '>' + escape(text) + "</text>\n";
}

void Document::begin_clip(Point corner, double width, double height) {
  ++n_clips_;
  body_ += fmt::format(
      "<clipPath id=\"clip{0}\"><rect x=\"{1}\" y=\"{2}\" width=\"{3}\" height=\"{4}\"/></clipPath>\n"
      "<g clip-path=\"url(#clip{0})\">\n",
      n_clips_, number(corner.x), number(corner.y), number(width), number(height));
}

void Document::end_group() { body_ += "</g>\n"; }

std::string Document::str() const { return body_ + "</svg>\n"; }

}  // namespace cohort::engine::svg

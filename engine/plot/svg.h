// Writes one SVG 1.1 document: shapes and text in pixels, the origin at the upper left.
#pragma once

#include <span>
#include <string>

namespace cohort::engine::svg {

struct Point {
  double x = 0, y = 0;
};

// How a shape is drawn. Colours are CSS colours; "none" leaves out filling or stroke.
struct Ink {
  std::string fill = "none";
  std::string stroke = "none";
  double width = 1;
  double opacity = 1;
  std::string dash = {};  // stroke-dasharray
};

enum class Anchor { start, middle, end };

struct Font {
  double size = 12;
  std::string fill = "#222222";
  Anchor anchor = Anchor::start;
  bool bold = false;
  double rotate = 0;  // degrees, clockwise, about the text's own position
};

// The width of a text in pixels, estimated for a common sans-serif font.
double text_width(const std::string& text, double size);

// A coordinate or length as text, to 1/100; a number that is not finite becomes 0, so that the document stays valid.
std::string number(double value);

// &, <, > and quotes as entities; control characters (not allowed in XML) and bytes that are not UTF-8 as '?'.
std::string escape(const std::string& text);

class Document {
 public:
  // `title` and `description` are what a screen reader says.
  Document(double width, double height, const std::string& title, const std::string& description);

  void rect(Point corner, double width, double height, const Ink& ink);
  void line(Point from, Point to, const Ink& ink);
  void polyline(std::span<const Point> points, const Ink& ink);
  void polygon(std::span<const Point> points, const Ink& ink);
  void circle(Point centre, double radius, const Ink& ink);
  // Many equal dots as one path; ink.stroke is their colour, ink.width their diameter.
  void dots(std::span<const Point> centres, const Ink& ink);
  void text(Point at, const std::string& text, const Font& font);

  // What follows, up to the matching end_group, is cut off outside the rectangle.
  void begin_clip(Point corner, double width, double height);
  void end_group();

  // The finished document. Every begin must have had its end.
  std::string str() const;

 private:
  void shape(const std::string& element, const Ink& ink, const std::string& more = {});
  std::string body_;
  int n_clips_ = 0;
};

}  // namespace cohort::engine::svg

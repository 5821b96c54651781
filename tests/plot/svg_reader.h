// Reads figures: what is in an SVG document, and whether it is one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace cohort::engine {

// ---- a small XML reader: throws on what is not well-formed ----------------------------------------------------------
struct Element {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;
  std::vector<Element> children;
  std::string attribute(const std::string& key) const {
    for (const auto& [k, v] : attributes)
      if (k == key) return v;
    return "";
  }
};

class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text) {}
  Element document() {
    Element root = element();
    space();
    if (at_ != text_.size()) fail("text after the document");
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(what + " at " + std::to_string(at_) + ": " + text_.substr(at_, 40));
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void space() {
    while (std::isspace(static_cast<unsigned char>(peek()))) ++at_;
  }
  void expect(const std::string& word) {
    if (text_.compare(at_, word.size(), word) != 0) fail("expected '" + word + "'");
    at_ += word.size();
  }
  std::string name() {
    std::string word;
    while (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '-' || peek() == ':') word += text_[at_++];
    if (word.empty()) fail("expected a name");
    return word;
  }
  std::string characters(char end) {
    std::string out;
    while (peek() != end && peek() != '<') {
      if (at_ == text_.size()) fail("unexpected end");
      if (static_cast<unsigned char>(peek()) < 0x20 && peek() != '\n') fail("control character");
      if (peek() != '&') {
        out += text_[at_++];
        continue;
      }
      bool known = false;
      for (const auto& [entity, meaning] :
           {std::pair{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}})
        if (!known && text_.compare(at_, std::string(entity).size(), entity) == 0) {
          out += meaning;
          at_ += std::string(entity).size();
          known = true;
        }
      if (!known) fail("unknown entity");
    }
    return out;
  }
  Element element() {
    Element e;
    space();
    expect("<");
    e.name = name();
    for (space(); peek() != '>' && peek() != '/'; space()) {
      const std::string key = name();
      if (!e.attribute(key).empty()) fail("attribute twice");
      expect("=\"");
      e.attributes.emplace_back(key, characters('"'));
      expect("\"");
    }
    if (peek() == '/') {
      expect("/>");
      return e;
    }
    expect(">");
    for (;;) {
      e.text += characters('<');
      if (text_.compare(at_, 2, "</") == 0) break;
      e.children.push_back(element());
    }
    expect("</" + e.name + ">");
    return e;
  }
  const std::string& text_;
  size_t at_ = 0;
};

inline void visit(const Element& e, const std::function<void(const Element&)>& f) {
  f(e);
  for (const Element& child : e.children) visit(child, f);
}

// What can be counted in a figure.
struct Contents {
  std::vector<std::string> texts;
  size_t n_dots = 0, n_markers = 0, n_lines = 0, n_panels = 0;
  size_t n_rects = 0;  // within panels
  bool says(const std::string& text) const {
    for (const std::string& t : texts)
      if (t.find(text) != std::string::npos) return true;
    return false;
  }
  size_t count(const std::string& text) const { return size_t(std::ranges::count(texts, text)); }
};

// Checks that the document is well-formed, that every number in it is finite and that nothing lies outside the page.
inline Contents contents(const std::string& svg) {
  const Element root = Reader(svg).document();
  EXPECT_EQ(root.name, "svg");
  const double width = std::stod(root.attribute("width")), height = std::stod(root.attribute("height"));
  EXPECT_GT(width, 0);
  EXPECT_GT(height, 0);
  Contents out;
  visit(root, [&](const Element& e) {
    for (const auto& [key, value] : e.attributes)
      EXPECT_TRUE(value.find("nan") == std::string::npos && value.find("inf") == std::string::npos) << key << value;
    if (e.name == "text") {
      out.texts.push_back(e.text);
      EXPECT_GE(std::stod(e.attribute("x")), 0) << e.text;
      EXPECT_LE(std::stod(e.attribute("x")), width) << e.text;
      EXPECT_GE(std::stod(e.attribute("y")), 0) << e.text;
      EXPECT_LE(std::stod(e.attribute("y")), height) << e.text;
    }
    if (e.name == "g") {
      ++out.n_panels;
      for (const Element& child : e.children) {
        out.n_markers += (child.name == "circle" || child.name == "polygon") && child.attribute("stroke") == "#ffffff";
        out.n_lines += child.name == "polyline";
        out.n_rects += child.name == "rect";
        const std::string path = child.attribute("d");
        for (size_t at = path.find("h0"); at != std::string::npos; at = path.find("h0", at + 1)) ++out.n_dots;
      }
    }
  });
  return out;
}

}  // namespace cohort::engine

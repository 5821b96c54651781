#include "config/document.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "config/value.h"

// The parser's own assertions fail on some input ("[}"), so they throw here, in every build. That takes a parser of our
// own: the header-only form, whatever the package would rather have.
namespace cohort::engine {
struct ParserGaveUp {};
constexpr void parser_demands(bool holds) {
  if (!holds) throw ParserGaveUp{};
}
}  // namespace cohort::engine
#undef NDEBUG
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ASSERT(expression) ::cohort::engine::parser_demands(static_cast<bool>(expression))
#include <toml++/toml.h>

namespace cohort::engine {

void fail(const Position& at, const std::string& message) {
  std::string text = at.source->name;
  if (at.source->has_lines) text += ':' + std::to_string(at.line) + ':' + std::to_string(at.column);
  throw ConfigError(text + ": " + message);
}

namespace {

using SourcePtr = std::shared_ptr<const Source>;

// Walks over text one character at a time and knows where it is.
struct Cursor {
  std::string_view text;
  SourcePtr source;
  size_t i = 0;
  uint32_t line = 1, column = 1;

  bool done() const { return i >= text.size(); }
  char operator*() const { return text[i]; }
  bool at(std::string_view word) const { return text.substr(i, word.size()) == word; }
  Position position() const { return {source, line, column}; }
  void next() {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else if ((text[i] & 0xC0) != 0x80) {
      ++column;
    }
    ++i;
  }
  void skip(size_t n) {
    for (; n > 0 && !done(); --n) next();
  }
};

// Length of the UTF-8 sequence at i, 0 if there is none (overlong forms, surrogates and what lies beyond U+10FFFF are
// none).
size_t utf8_length(std::string_view text, size_t i) {
  const auto byte = [&](size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
  const auto continues = [&](size_t k) { return (byte(k) & 0xC0u) == 0x80u; };
  const unsigned a = byte(0), b = byte(1);
  if (a < 0x80) return 1;
  if (a >= 0xC2 && a <= 0xDF) return continues(1) ? 2 : 0;
  if (a >= 0xE0 && a <= 0xEF) {
    if (!continues(1) || !continues(2) || (a == 0xE0 && b < 0xA0) || (a == 0xED && b > 0x9F)) return 0;
    return 3;
  }
  if (a >= 0xF0 && a <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3) || (a == 0xF0 && b < 0x90) || (a == 0xF4 && b > 0x8F)) return 0;
    return 4;
  }
  return 0;
}

void check_encoding(Cursor c) {
  while (!c.done()) {
    const size_t length = utf8_length(c.text, c.i);
    if (length == 0 || *c == '\0') {
      char byte[8];
      std::snprintf(byte, sizeof byte, "0x%02X", static_cast<unsigned char>(*c));
      fail(c.position(),
           std::string("byte ") + byte + " is not text: a TOML file in UTF-8 is wanted, this looks binary");
    }
    c.skip(length);
  }
}

// Over-deep input is refused before the parser, which recurses, sees it. Depth = parts of the table header + open
// brackets
// + parts of the keys that are open; text in quotes and comments does not count.
class DepthScan {
 public:
  explicit DepthScan(Cursor cursor) : c_(std::move(cursor)) {
    if (c_.at("\xEF\xBB\xBF")) c_.skip(3);  // byte order mark
  }

  void run() {
    while (!c_.done()) {
      const char c = *c_;
      if (c == '#') {
        while (!c_.done() && *c_ != '\n') c_.next();
        continue;
      }
      const bool first = statement_starts_;
      if (c != ' ' && c != '\t') statement_starts_ = false;
      if (c == '"' || c == '\'') {
        string();
        continue;
      }
      if (c & 0x80) fail(c_.position(), "not TOML: letters outside ASCII belong in quotes");
      if (c == '[' && first && open_.size() == 1) {
        header();
        continue;
      }
      switch (c) {
        case '\n':  // a statement outside brackets ends with its line
          if (open_.size() > 1) break;
          open_[0].dots = 0;
          statement_starts_ = true;
          break;
        case ',':
          open_.back().dots = 0;
          break;
        case '.':
          ++open_.back().dots;
          check();
          break;
        case '[':
        case '{':
          open_.push_back({c == '[' ? ']' : '}'});
          check();
          break;
        case ']':
        case '}':
          if (open_.size() == 1 || open_.back().closed_by != c)
            fail(c_.position(), std::string("not TOML: '") + c + "' closes nothing");
          open_.pop_back();
          break;
        default:
          break;
      }
      c_.next();
    }
  }

 private:
  void string() {
    const char quote = *c_;
    const std::string triple(3, quote);
    const bool multiline = c_.at(triple);
    c_.skip(multiline ? 3 : 1);
    while (!c_.done()) {
      if (quote == '"' && *c_ == '\\') {
        c_.skip(2);
      } else if (multiline && c_.at(triple)) {
        c_.skip(3);
        for (int more = 0; more < 2 && !c_.done() && *c_ == quote; ++more) c_.next();  // """a""""" ends in two quotes
        return;
      } else if (!multiline && (*c_ == quote || *c_ == '\n')) {
        return c_.skip(*c_ == quote ? 1 : 0);
      } else {
        c_.next();
      }
    }
  }
  // [a.b] or [[a.b]] up to the end of its line. The parser takes for granted that a key begins after the brackets.
  void header() {
    header_ = 1;
    c_.skip(c_.at("[[") ? 2 : 1);
    while (!c_.done() && (*c_ == ' ' || *c_ == '\t')) c_.next();
    const auto begins_key = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '"' || c == '\'';
    };
    if (!c_.done() && !begins_key(*c_)) fail(c_.position(), "not TOML: a table header begins with a key");
    while (!c_.done() && *c_ != '\n' && *c_ != '#') {
      if (*c_ == '"' || *c_ == '\'') {
        string();
        continue;
      }
      if (*c_ == '.') ++header_;
      if (header_ > max_config_depth) too_deep();
      c_.next();
    }
  }
  void check() const {
    int depth = header_ + int(open_.size());
    for (const Level& level : open_) depth += level.dots;
    if (depth > max_config_depth) too_deep();
  }
  [[noreturn]] void too_deep() const {
    fail(c_.position(),
         "keys, lists and tables are nested deeper than " + std::to_string(max_config_depth) + " levels");
  }

  struct Level {
    char closed_by = 0;
    int dots = 0;
  };

  Cursor c_;
  std::vector<Level> open_{1};  // the statement, and every bracket in it
  int header_ = 0;              // parts of the last header
  bool statement_starts_ = true;
};

Position position(const toml::source_region& region, const SourcePtr& source) {
  return {source, uint32_t(region.begin.line), uint32_t(region.begin.column)};
}

bool earlier(const Position& a, const Position& b) { return a.line != b.line ? a.line < b.line : a.column < b.column; }

Node convert(const toml::node& from, const SourcePtr& source) {
  Node node;
  node.at = position(from.source(), source);
  if (const auto* table = from.as_table()) {
    Node::Table items;
    for (const auto& [key, value] : *table) {
      Node item = convert(value, source);
      item.key = key.str();
      item.key_at = position(key.source(), source);
      items.items.push_back(std::move(item));
    }
    std::sort(items.items.begin(), items.items.end(),
              [](const Node& a, const Node& b) { return earlier(a.key_at, b.key_at); });
    node.value = std::move(items);
  } else if (const auto* array = from.as_array()) {
    Node::Array items;
    for (const auto& item : *array) items.items.push_back(convert(item, source));
    node.value = std::move(items);
  } else if (const auto* text = from.as_string()) {
    node.value = text->get();
  } else if (const auto* integer = from.as_integer()) {
    node.value = integer->get();
  } else if (const auto* floating = from.as_floating_point()) {
    node.value = floating->get();
  } else if (const auto* boolean = from.as_boolean()) {
    node.value = boolean->get();
  } else {
    node.value = Node::Date{};
  }
  return node;
}

std::string one_line(std::string_view text) {
  const std::string in_quotes = quoted(std::string(text), 300);
  return in_quotes.substr(1, in_quotes.size() - 2);
}

Node parse_checked(std::string_view text, const SourcePtr& source) {
  check_encoding({text, source});
  DepthScan({text, source}).run();
  try {
    return convert(toml::parse(text), source);
  } catch (const toml::parse_error& error) {
    fail(position(error.source(), source), "not TOML: " + one_line(error.description()));
  } catch (const ParserGaveUp&) {
    fail({source}, "not TOML");
  }
}

// A word or a path: nothing that TOML has a meaning for.
bool is_bare_word(std::string_view text) {
  const auto letter = [](unsigned char c) { return std::isalpha(c) || c == '_' || c == '/' || c == '~'; };
  const bool begins = (!text.empty() && letter(text[0])) || text.starts_with("./") || text.starts_with("../");
  return begins &&
         std::all_of(text.begin(), text.end(),
                     [=](unsigned char c) { return letter(c) || std::isdigit(c) || c == '.' || c == '-'; }) &&
         text != "true" && text != "false" && text != "inf" && text != "nan";
}

}  // namespace

const char* type_name(const Node& node) {
  static constexpr const char* names[] = {"a boolean",      "an integer", "a number", "a string",
                                          "a date or time", "a list",     "a table"};
  return names[node.value.index()];
}

std::string shown(const Node& node) {
  struct {
    std::string operator()(bool v) const { return to_toml(v); }
    std::string operator()(int64_t v) const { return to_toml(v); }
    std::string operator()(double v) const { return to_toml(v); }
    std::string operator()(const std::string& v) const { return quoted(v, 40); }
    std::string operator()(const Node::Date&) const { return "date"; }
    std::string operator()(const Node::Array& v) const { return v.items.empty() ? "[]" : "[...]"; }
    std::string operator()(const Node::Table& v) const { return v.items.empty() ? "{}" : "{...}"; }
  } write;
  return std::visit(write, node.value);
}

std::string read_config(const std::string& path) {
  const auto give_up = [&] { throw IoError(one_line(path) + ": cannot be read: " + std::strerror(errno)); };
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  errno = 0;
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file) give_up();
  std::string text(max_config_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get())) give_up();
  return text;
}

Node parse_document(std::string_view text, const std::string& name) {
  const auto source = std::make_shared<const Source>(Source{one_line(name), true});
  const Position start{source};
  if (text.size() > max_config_bytes)
    fail(start, "file is larger than 64 KB (" + std::to_string(max_config_bytes) + " bytes allowed)");
  if (text.empty()) fail(start, "file is empty; at least name and task.name are wanted");
  return parse_checked(text, source);
}

Node parse_override(const std::string& assignment) {
  const auto source = std::make_shared<const Source>(Source{"--set " + one_line(assignment), false});
  const Position whole{source};
  if (assignment.size() > max_config_bytes) fail(whole, "longer than 64 KB");
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) fail(whole, "wanted key=value");
  std::string value = assignment.substr(equals + 1);
  if (is_bare_word(value)) value = '"' + value + '"';
  Node root = parse_checked(assignment.substr(0, equals) + " = " + value, source);
  if (root.table()->items.size() != 1) fail(whole, "wanted one key=value");
  return root;
}

}  // namespace cohort::engine

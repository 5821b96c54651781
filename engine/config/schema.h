// The table of all keys of an experiment: what each may hold, its default, its documentation and what it sets.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/draft.h"

namespace cohort::engine {

enum class Kind { boolean, integer, number, word, integer_or_word, text, words, integers };

// Numbers that are allowed; a number key may leave its lower end out, and its upper end.
struct Range {
  double min = 0, max = std::numeric_limits<double>::infinity();
  bool without_min = false, without_max = false;
  bool holds(double v) const {
    return (without_min ? v > min : v >= min) && (without_max ? v < max : v <= max) && v - v == 0;
  }
};

// A checked value. `code` is what it means: the number itself, 0 or 1, or the position among Key::choices
// (integer_or_word: the number, and 0 for the word).
struct Setting {
  Value value;
  int64_t code = 0;
  double number = 0;
};

struct Key {
  std::string path;  // "rule.recurrent.lr"
  Kind kind = Kind::number;
  std::optional<Value> fallback = {};  // the default, where it is one value
  std::string derived = {};            // else what the default follows from
  Range range = {};
  std::vector<std::string> choices = {};  // words
  std::vector<std::string> later = {};    // words that are known, but not in this version
  std::function<void(const std::string&)> read =
      {};           // of words that follow a grammar: throws Error; choices describe it
  std::string doc;  // one line, with unit and source
  bool required = false;
  bool swept = false;                                              // may be an axis
  bool alone = false;                                              // no rule about several keys reads it
  std::function<void(Draft&, const Setting&)> set = {};            // exactly one of these two ...
  std::function<void(RunSettings&, const Setting&)> set_run = {};  // ... but neither for "name"
};

// All keys but the tasks' own, in the order in which they have to be applied.
const std::vector<Key>& schema();
const Key* find_key(std::string_view path);

// The tasks' own keys: those that all of `tasks` have, with what all of them allow.
std::vector<Key> task_keys(std::span<const TaskId> tasks);
bool is_task_parameter(std::string_view path);  // of any task

// "is reserved for a later version" keys.
bool is_reserved(std::string_view path);

// Whether a key "path.something" exists, or could with another task.
bool is_table(std::string_view path);

// "an integer from 1 to 16384", "one of: a, b".
std::string allowed(const Key& key);

// The default as a setting, where it is one value.
std::optional<Setting> fallback_setting(const Key& key);
// The value of a key, checked. Throws ConfigError at the node's position; `what` names the key in the message.
Setting check(const Key& key, const Node& node);
// A number that a sweep made; nothing is thrown, but std::nullopt returned where it is out of range.
std::optional<Setting> check(const Key& key, double value);

// "unknown key 'a.b'; did you mean 'a.c'?", else what is allowed there. `more` = keys besides the schema's.
std::string unknown_key(const std::string& path, std::span<const Key> more);
// The word that was probably meant, or "".
std::string nearest(const std::string& word, std::span<const std::string> words);

}  // namespace cohort::engine

// Axes of a sweep. Values are made when they are asked for, so an axis of ten million seeds costs nothing.
#pragma once

#include <string>
#include <vector>

#include "config/schema.h"

namespace cohort::engine {

inline constexpr int64_t max_networks = 10'000'000;
inline constexpr int64_t max_listed = 1'000'000;  // combinations of all [[sweep.case]]

// The values of one key along an axis:
//   [a, b, ...]                             as listed
//   {range = [a, b]}, [a, b, step]          whole numbers a, a + step, ... below b
//   {linspace = [a, b, n]}                  n evenly spaced numbers from a to b, both included
//   {geomspace = [a, b, n]}                 the same with even ratios; a, b > 0
//   {random = [lo, hi], n = .., seed = ..}  n uniform numbers (integer keys: lo to hi, both included); seed 0 unless
//   given;
//                                           log = true: uniform in the logarithm
// Integer keys take the nearest whole numbers.
class Column {
 public:
  // Throws ConfigError at the word that is wrong.
  Column(const Key& key, const Node& node);
  // Without values yet; they are appended.
  Column(const Key& key, const Position& key_at) : key_(&key), key_at_(key_at) {}
  void append(const Column& values);
  void append(const Setting& value, const Position& at, int64_t times);

  const Key& key() const { return *key_; }
  int64_t size() const { return size_; }
  const Position& key_at() const { return key_at_; }
  Position at(int64_t i) const;  // of a listed value, else of the axis
  // Value i; `scratch` holds it where it is not listed.
  const Setting& get(int64_t i, Setting& scratch) const;
  // As it would be written in a file.
  std::string text() const;

 private:
  enum class Make { list, range, linspace, geomspace, random };
  void read_list(const Node::Array& list);
  void read_recipe(const Node& node);
  double made(int64_t i) const;

  const Key* key_;
  Position key_at_, at_;
  Make make_ = Make::list;
  int64_t size_ = 0, seed_ = 0;
  double a_ = 0, b_ = 0, step_ = 1;
  bool log_ = false;
  std::vector<Setting> listed_;
  std::vector<Position> listed_at_;
};

// One dimension of the sweep: columns of equal length that vary together. Those of [[sweep.case]] blocks are the blocks' own
// values one after another.
struct Axis {
  std::vector<Column> columns;
  int64_t size() const { return columns.front().size(); }
};

}  // namespace cohort::engine

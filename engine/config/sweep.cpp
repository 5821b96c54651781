#include "config/sweep.h"

#include <algorithm>
#include <cmath>

namespace cohort::engine {
namespace {

const std::vector<std::string> recipes = {"range", "linspace", "geomspace", "random"};
constexpr const char* forms =
    "a list, {range = [a, b]}, {linspace = [a, b, n]}, {geomspace = [a, b, n]} or {random = [lo, hi], n = .., seed = "
    "..}";

std::optional<double> number_in(const Node& node) {
  if (const auto* v = std::get_if<int64_t>(&node.value)) return double(*v);
  if (const auto* v = std::get_if<double>(&node.value)) return std::isfinite(*v) ? std::optional(*v) : std::nullopt;
  return std::nullopt;
}

// A uniform number in [0, 1) for draw i of a seed: SplitMix64 (Steele, Lea, Flood 2014) of both.
double uniform(uint64_t seed, uint64_t i) {
  const auto mix = [](uint64_t z) {
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  };
  return double(mix(mix(seed) ^ i) >> 11) * 0x1p-53;
}

int64_t count(const std::string& path, const Node& node) {
  const auto* v = std::get_if<int64_t>(&node.value);
  if (!v || *v < 1 || *v > max_networks)
    fail(node.at, "sweep of " + path + ": n = " + shown(node) + "; allowed: an integer from 1 to " +
                      std::to_string(max_networks));
  return *v;
}

}  // namespace

Column::Column(const Key& key, const Node& node) : key_(&key), key_at_(node.key_at), at_(node.at) {
  if (node.array())
    read_list(*node.array());
  else if (node.table())
    read_recipe(node);
  else
    fail(at_, "sweep of " + key.path + " = " + shown(node) + ": wanted an axis, got " + type_name(node) +
                  "; allowed: " + forms);
}

void Column::append(const Column& values) {
  Setting scratch;
  for (int64_t i = 0; i < values.size(); ++i) append(values.get(i, scratch), values.at(i), 1);
}

void Column::append(const Setting& value, const Position& at, int64_t times) {
  listed_.insert(listed_.end(), size_t(times), value);
  listed_at_.insert(listed_at_.end(), size_t(times), at);
  size_ = int64_t(listed_.size());
}

void Column::read_list(const Node::Array& list) {
  if (list.items.empty()) fail(at_, "sweep of " + key_->path + " = []: empty axis; at least one value is wanted");
  for (const Node& item : list.items) {
    listed_.push_back(check(*key_, item));
    listed_at_.push_back(item.at);
  }
  size_ = int64_t(listed_.size());
}

void Column::read_recipe(const Node& node) {
  const std::string sweep_of = "sweep of " + key_->path;
  const Node* recipe = nullptr;
  const Node* n = nullptr;
  for (const Node& item : node.table()->items) {
    if (std::find(recipes.begin(), recipes.end(), item.key) == recipes.end()) continue;
    if (recipe)
      fail(item.key_at, sweep_of + ": both '" + recipe->key + "' and '" + item.key + "'; one of them is wanted");
    recipe = &item;
  }
  if (!recipe) {
    const auto& items = node.table()->items;
    const std::string meant = items.empty() ? "" : nearest(items.front().key, recipes);
    fail(items.empty() ? at_ : items.front().key_at,
         sweep_of + (items.empty() ? ": empty table" : ": unknown word " + quoted(items.front().key, 40)) +
             (meant.empty() ? "" : "; did you mean '" + meant + "'?") + "; allowed: " + forms);
  }
  make_ = Make(1 + (std::find(recipes.begin(), recipes.end(), recipe->key) - recipes.begin()));
  const std::string name = sweep_of + ": " + recipe->key;
  if (key_->kind != Kind::integer && key_->kind != Kind::number && key_->kind != Kind::integer_or_word)
    fail(recipe->key_at, name + " needs a key that holds numbers; allowed here: a list of " + allowed(*key_));

  for (const Node& item : node.table()->items) {
    if (&item == recipe) continue;
    if (make_ == Make::random && item.key == "n") {
      n = &item;
    } else if (make_ == Make::random && item.key == "seed") {
      const auto* seed = std::get_if<int64_t>(&item.value);
      if (!seed || *seed < 0) fail(item.at, name + ": seed = " + shown(item) + "; allowed: an integer, at least 0");
      seed_ = *seed;
    } else if (make_ == Make::random && item.key == "log") {
      const auto* log = std::get_if<bool>(&item.value);
      if (!log) fail(item.at, name + ": log = " + shown(item) + "; allowed: true, false");
      log_ = *log;
    } else {
      fail(item.key_at, name + ": unknown word " + quoted(item.key, 40) +
                            "; allowed beside it: " + (make_ == Make::random ? "n, seed, log" : "nothing"));
    }
  }

  std::vector<double> v;
  if (recipe->array())
    for (const Node& item : recipe->array()->items) {
      const auto number = number_in(item);
      if (!number || (make_ == Make::range && !std::holds_alternative<int64_t>(item.value)))
        fail(item.at, name + ": " + shown(item) + " is " + type_name(item) + "; wanted " +
                          (make_ == Make::range ? "an integer" : "a finite number"));
      v.push_back(*number);
    }
  const auto form = [&](const char* wanted) { fail(recipe->at, name + " = " + shown(*recipe) + "; wanted " + wanted); };
  switch (make_) {
    case Make::list:
      break;
    case Make::range: {
      if (v.size() != 2 && v.size() != 3) form("[a, b] or [a, b, step]");
      step_ = v.size() == 3 ? v[2] : 1;
      if (step_ < 1)
        fail(recipe->array()->items[2].at, name + ": step = " + to_toml(int64_t(step_)) + "; allowed: at least 1");
      const double size = std::ceil((v[1] - v[0]) / step_);
      if (size < 1)
        fail(recipe->at, name + " = [" + to_toml(int64_t(v[0])) + ", " + to_toml(int64_t(v[1])) +
                             "]: empty axis; the end, which is left out, must be above the start");
      if (size > double(max_networks))
        fail(recipe->at, name + ": more than " + std::to_string(max_networks) + " values");
      size_ = int64_t(size);
      break;
    }
    case Make::linspace:
    case Make::geomspace:
      if (v.size() != 3) form("[a, b, n]");
      size_ = count(key_->path, recipe->array()->items[2]);
      if (make_ == Make::geomspace && (v[0] <= 0 || v[1] <= 0))
        fail(recipe->array()->items[v[0] <= 0 ? 0 : 1].at,
             name + ": " + to_toml(v[v[0] <= 0 ? 0 : 1]) + "; allowed: above 0");
      break;
    case Make::random:
      if (v.size() != 2) form("[lo, hi]");
      if (!n) fail(recipe->key_at, name + " needs n, the number of values");
      size_ = count(key_->path, *n);
      if (v[0] > v[1])
        fail(recipe->at, name + ": " + to_toml(v[0]) + " is above " + to_toml(v[1]) + "; wanted [lo, hi]");
      if (key_->kind != Kind::number && (std::floor(v[0]) != v[0] || std::floor(v[1]) != v[1])) form("two integers");
      if (log_ && v[0] <= 0)
        fail(recipe->array()->items[0].at, name + ": " + to_toml(v[0]) + "; allowed with log = true: above 0");
      break;
  }
  a_ = v[0];
  b_ = v[1];

  // What is made is monotonic or lies between the ends, so the ends decide.
  const Make ends = make_;
  const double first = a_, last = ends == Make::range ? a_ + step_ * double(size_ - 1)
                                                      : (size_ == 1 && ends != Make::random ? a_ : b_);
  for (const double end : {first, last})
    if (!check(*key_, end))
      fail(recipe->at,
           name + " makes " + key_->path + " = " + to_toml(end) + ": out of range; allowed: " + allowed(*key_));
}

double Column::made(int64_t i) const {
  const double last = double(size_ - 1), x = last > 0 ? double(i) / last : 0;
  switch (make_) {
    case Make::list:
      break;
    case Make::range:
      return a_ + step_ * double(i);
    case Make::linspace:
      return i > 0 && i == size_ - 1 ? b_ : std::clamp(a_ + (b_ - a_) * x, std::min(a_, b_), std::max(a_, b_));
    case Make::geomspace:
      return i > 0 && i == size_ - 1 ? b_ : std::clamp(a_ * std::pow(b_ / a_, x), std::min(a_, b_), std::max(a_, b_));
    case Make::random: {
      const double u = uniform(uint64_t(seed_), uint64_t(i));
      if (log_) return std::clamp(a_ * std::pow(b_ / a_, u), a_, b_);
      if (key_->kind != Kind::number)
        return std::clamp(std::floor(std::ceil(a_) + u * (std::floor(b_) - std::ceil(a_) + 1)), a_, b_);
      return std::clamp(a_ + (b_ - a_) * u, a_, b_);
    }
  }
  return 0;
}

Position Column::at(int64_t i) const { return make_ == Make::list ? listed_at_[size_t(i)] : at_; }

const Setting& Column::get(int64_t i, Setting& scratch) const {
  if (make_ == Make::list) return listed_[size_t(i)];
  return scratch = *check(*key_, made(i));
}

std::string Column::text() const {
  if (make_ == Make::list) {
    std::string text = "[";
    for (size_t i = 0; i < listed_.size(); ++i) text += (i ? ", " : "") + to_toml(listed_[i].value);
    return text + "]";
  }
  const std::string name = recipes[size_t(make_) - 1], ends = make_ == Make::range
                                                                  ? to_toml(int64_t(a_)) + ", " + to_toml(int64_t(b_))
                                                                  : to_toml(a_) + ", " + to_toml(b_);
  switch (make_) {
    case Make::range:
      return "{range = [" + ends + ", " + to_toml(int64_t(step_)) + "]}";
    case Make::random:
      return "{random = [" + ends + "], n = " + std::to_string(size_) + ", seed = " + std::to_string(seed_) +
             (log_ ? ", log = true}" : "}");
    default:
      return "{" + name + " = [" + ends + ", " + std::to_string(size_) + "]}";
  }
}

}  // namespace cohort::engine

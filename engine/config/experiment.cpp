#include "config/experiment.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/raw.h"
#include "config/schema.h"
#include "config/sweep.h"

namespace cohort::engine {
namespace {

constexpr const char* sweepable = "; only keys of network, init, rule, task and train, and seed, can be";

// A base value, and where it was given.
struct Base {
  Setting setting;
  Position at;
};

}  // namespace

struct Experiment::Body {
  // One key to apply, in the order of the schema: a base value, or a column of an axis.
  struct Step {
    const Key* key;
    const Base* base = nullptr;
    const Column* column = nullptr;
    size_t axis = 0;
  };

  std::string text, name;
  RunSettings settings;
  std::vector<Key> own_keys;  // of the task
  std::vector<std::pair<const Key*, Base>> base;
  std::vector<Axis> axes;
  std::vector<AxisInfo> axis_info;
  std::vector<std::string> swept_keys;
  int64_t size = 1;
  Position whole;  // where to point when nothing was given
  Draft start;     // all defaults, and the base values before the first swept key
  std::vector<Step> steps;

  // ---- reading
  const Key* find(const std::string& path) const {
    for (const Key& key : own_keys)
      if (key.path == path) return &key;
    return find_key(path);
  }

  const Key& known(const RawEntry& entry, const std::vector<TaskId>& tasks) const {
    const Position& at = entry.node.key_at;
    if (is_reserved(entry.path)) fail(at, "'" + entry.path + "' is reserved for a later version");
    if (const Key* key = find(entry.path)) return *key;
    if (is_table(entry.path))
      fail(entry.node.at, entry.path + " = " + shown(entry.node) + ": wanted a table [" + entry.path + "], got " +
                              type_name(entry.node));
    if (is_task_parameter(entry.path))
      for (const TaskId task : tasks) {
        const std::vector<Key> keys = task_keys({&task, 1});
        if (std::none_of(keys.begin(), keys.end(), [&](const Key& key) { return key.path == entry.path; }) &&
            tasks.size() > 1)
          fail(at, "unknown key '" + entry.path + "' for task.name = \"" + task_info(task).name +
                       "\", which is swept over");
      }
    fail(at, unknown_key(entry.path, own_keys));
  }

  // All tasks of the experiment: task.name, or the values of its axis.
  std::vector<TaskId> tasks(const RawExperiment& raw) const {
    const Key& key = *find_key("task.name");
    std::vector<TaskId> found;
    const auto add = [&](const Setting& setting) {
      const TaskId id = TaskId(setting.code);
      if (std::find(found.begin(), found.end(), id) == found.end()) found.push_back(id);
    };
    const std::vector<const RawEntry*> entries = raw.axis_entries(key.path);
    for (const RawEntry* entry : entries) {
      if (is_single(key, *entry)) {
        add(check(key, entry->node));
        continue;
      }
      const Column column(key, entry->node);
      Setting scratch;
      for (int64_t i = 0; i < column.size(); ++i) add(column.get(i, scratch));
    }
    const RawEntry* const given = raw.base_value(key.path);
    const bool of_cases = !entries.empty() && entries[0]->in_case >= 0;  // some may leave it to the base value
    if (given && (entries.empty() || of_cases)) add(check(key, given->node));
    if (found.empty()) fail(whole, "'task.name' is missing; allowed: " + allowed(key));
    return found;
  }

  void read(RawExperiment raw) {
    const std::vector<TaskId> all_tasks = tasks(raw);
    own_keys = task_keys(all_tasks);
    for (const RawEntry& entry : raw.base) {
      const Key& key = known(entry, all_tasks);
      base.push_back({&key, {check(key, entry.node), entry.node.at}});
    }
    if (!raw.base_value("name")) fail(whole, "'name' is missing; wanted the name of the experiment, a string");
    for (const RawAxis& raw_axis : raw.axes) read_axis(raw_axis, all_tasks);
    plan_steps();
    refuse_conflicts();
    refuse_settings(all_tasks);
  }

  const Key& swept_key(const RawEntry& entry, const std::vector<TaskId>& all_tasks) const {
    const Key& key = known(entry, all_tasks);
    if (!key.swept) fail(entry.node.key_at, "'" + key.path + "' cannot be swept" + sweepable);
    return key;
  }

  // In a [[sweep.case]] a value that is no axis holds for all of the case.
  static bool is_single(const Key& key, const RawEntry& entry) {
    if (entry.in_case < 0 || entry.node.table()) return false;
    const Node::Array* const list = entry.node.array();
    return !list || (key.kind == Kind::words && (list->items.empty() || !list->items[0].array()));
  }

  static void refuse_lengths(const Column& first, const Column& other, const Position& at) {
    if (other.size() != first.size())
      fail(at, "zipped axes of different lengths: " + first.key().path + " has " + std::to_string(first.size()) +
                   " values, " + other.key().path + " has " + std::to_string(other.size()));
  }

  // The cases one after another. A key that a case leaves out has its base value or default there.
  Axis axis_of_cases(const RawAxis& raw, const std::vector<TaskId>& all_tasks) const {
    std::vector<std::optional<Column>> longest(size_t(raw.n_cases));  // an axis of the case
    std::vector<Position> at(size_t(raw.n_cases));                    // its first key
    std::vector<const Key*> keys;
    std::vector<std::vector<std::optional<Column>>> lists;  // [keys][cases]
    const auto row = [&](const Key& key) { return size_t(std::find(keys.begin(), keys.end(), &key) - keys.begin()); };
    for (const RawEntry& entry : raw.entries) {
      const Key& key = swept_key(entry, all_tasks);
      const size_t c = size_t(entry.in_case);
      if (!at[c].source) at[c] = entry.node.key_at;
      if (row(key) == keys.size()) {
        keys.push_back(&key);
        lists.emplace_back(size_t(raw.n_cases));
      }
      if (is_single(key, entry)) continue;
      lists[row(key)][c] = Column(key, entry.node);
      if (!longest[c]) longest[c] = lists[row(key)][c];
      refuse_lengths(*longest[c], *lists[row(key)][c], entry.node.at);
    }
    int64_t total = 0;
    for (const auto& column : longest) total += column ? column->size() : 1;
    if (total > max_listed)
      fail(raw.entries[0].node.key_at,
           "[[sweep.case]] lists more than " + std::to_string(max_listed) + " combinations");

    Axis axis;
    for (const Key* key : keys) {
      std::vector<const RawEntry*> entries(size_t(raw.n_cases));
      for (const RawEntry& entry : raw.entries)
        if (entry.path == key->path) entries[size_t(entry.in_case)] = &entry;
      const RawEntry& first = **std::find_if(entries.begin(), entries.end(), [](const RawEntry* e) { return e; });
      Column column(*key, first.node.key_at);
      for (size_t c = 0; c < entries.size(); ++c) {
        const int64_t times = longest[c] ? longest[c]->size() : 1;
        const std::optional<Column>& list = lists[row(*key)][c];
        const Base* const value = base_of(*key);
        if (list)
          column.append(*list);
        else if (entries[c])
          column.append(check(*key, entries[c]->node), entries[c]->node.at, times);
        else if (value)
          column.append(value->setting, value->at, times);
        else if (const auto otherwise = fallback_setting(*key))
          column.append(*otherwise, first.node.key_at, times);
        else
          fail(at[c].source ? at[c] : first.node.key_at,
               "'" + key->path + "' is in another [[sweep.case]] and has no default that is one value (it is " +
                   key->derived + "); give it here too");
      }
      axis.columns.push_back(std::move(column));
    }
    return axis;
  }

  void read_axis(const RawAxis& raw, const std::vector<TaskId>& all_tasks) {
    Axis axis;
    if (raw.n_cases > 0)
      axis = axis_of_cases(raw, all_tasks);
    else
      for (const RawEntry& entry : raw.entries) {
        axis.columns.emplace_back(swept_key(entry, all_tasks), entry.node);
        refuse_lengths(axis.columns.front(), axis.columns.back(), entry.node.at);
      }
    if (axis.size() > max_networks / size)
      fail(axis.columns.front().key_at(), "the sweep makes more than " + std::to_string(max_networks) +
                                              " networks at '" + axis.columns.front().key().path + "'");
    size *= axis.size();
    AxisInfo info{{}, axis.size()};
    for (const Column& column : axis.columns) info.keys.push_back(column.key().path);
    swept_keys.insert(swept_keys.end(), info.keys.begin(), info.keys.end());
    axis_info.push_back(std::move(info));
    axes.push_back(std::move(axis));
  }

  const Base* base_of(const Key& key) const {
    const auto found = std::find_if(base.begin(), base.end(), [&](const auto& entry) { return entry.first == &key; });
    return found == base.end() ? nullptr : &found->second;
  }
  const Column* column_of(const Key& key, size_t* axis = nullptr) const {
    for (size_t a = 0; a < axes.size(); ++a)
      for (const Column& column : axes[a].columns)
        if (&column.key() == &key) {
          if (axis) *axis = a;
          return &column;
        }
    return nullptr;
  }
  bool given(const std::string& path) const {
    const Key* key = find(path);
    return key && (base_of(*key) || column_of(*key));
  }

  std::vector<const Key*> all_keys() const {
    std::vector<const Key*> keys;
    for (const Key& key : schema()) keys.push_back(&key);
    for (const Key& key : own_keys) keys.push_back(&key);
    return keys;
  }

  void plan_steps() {
    const std::vector<const Key*> keys = all_keys();
    for (const Key* key : keys) {
      const Base* value = base_of(*key);
      const std::optional<Setting> otherwise = fallback_setting(*key);
      if (key->path == "name") name = std::get<std::string>(value->setting.value);
      if (key->set_run && (value || otherwise)) key->set_run(settings, value ? value->setting : *otherwise);
      if (key->set && otherwise) key->set(start, *otherwise);
    }
    for (const Key* key : keys) {
      if (!key->set) continue;
      Step step{key, base_of(*key)};
      step.column = column_of(*key, &step.axis);
      if (!step.base && !step.column) continue;
      if (steps.empty() && !step.column)
        key->set(start, step.base->setting);
      else
        steps.push_back(step);
    }
  }

  // ---- networks
  std::vector<int64_t> indices(int64_t i) const {
    std::vector<int64_t> index(axes.size());
    for (size_t a = axes.size(); a-- > 0; i /= axes[a].size()) index[a] = i % axes[a].size();
    return index;
  }

  Draft draft(const std::vector<int64_t>& index) const {
    Draft d = start;
    Setting scratch;
    for (const Step& step : steps)
      step.key->set(d, step.column ? step.column->get(index[step.axis], scratch) : step.base->setting);
    return d;
  }

  // Where a key got its value in one network; nullptr source: from its default.
  Position position(const std::string& path, const std::vector<int64_t>& index) const {
    const Key* key = find(path);
    if (!key) return {};
    size_t axis = 0;
    if (const Column* column = column_of(*key, &axis)) return column->at(index[axis]);
    if (const Base* value = base_of(*key)) return value->at;
    return {};
  }

  // Rules about several keys hold for every network if they hold for every combination of the keys that they read.
  void refuse_conflicts() const {
    if (one_clip_for_all())
      for (const char* path : {"rule.input.clip", "rule.recurrent.clip", "rule.readout.clip", "rule.bias.clip",
                               "rule.gain.clip", "rule.alpha.clip"})
        if (given(path))
          fail(position(path, std::vector<int64_t>(axes.size(), 0)),
               std::string(path) +
                   " needs rule.clip_scope = \"tensor\"; with \"global\" and \"cell\" one limit holds for "
                   "all tensors (rule.clip)");

    const bool rules_together =
        given("rule.lr_search") || given("rule.natural") || any_adam();  // they read what else alone decides
    const auto decides = [&](const Column& c) {
      return !c.key().alone || (rules_together && c.key().path.starts_with("rule."));
    };
    std::vector<size_t> deciding;
    for (size_t a = 0; a < axes.size(); ++a)
      if (std::any_of(axes[a].columns.begin(), axes[a].columns.end(), decides)) deciding.push_back(a);
    std::vector<int64_t> index(axes.size(), 0);
    while (true) {
      Draft d = draft(index);
      if (const auto conflict = complete(d)) {
        Position at = whole;
        for (auto key = conflict->keys.rbegin(); key != conflict->keys.rend(); ++key)
          if (const Position found = position(*key, index); found.source) at = found;
        fail(at, conflict->message);
      }
      size_t next = deciding.size();
      while (next > 0 && ++index[deciding[next - 1]] == axes[deciding[next - 1]].size()) index[deciding[--next]] = 0;
      if (next == 0) return;
    }
  }
  // The values of an integer key in the experiment.
  std::vector<int64_t> values_of(const char* path) const {
    const Key& key = *find_key(path);
    std::vector<int64_t> values;
    if (const Column* column = column_of(key)) {
      Setting scratch;
      for (int64_t i = 0; i < column->size(); ++i) values.push_back(column->get(i, scratch).code);
      return values;
    }
    const Base* value = base_of(key);
    return {value ? value->setting.code : fallback_setting(key)->code};
  }
  int64_t least(const char* path) const {
    const std::vector<int64_t> values = values_of(path);
    return *std::min_element(values.begin(), values.end());
  }
  int64_t largest(const char* path) const {
    const std::vector<int64_t> values = values_of(path);
    return *std::max_element(values.begin(), values.end());
  }
  // Settings of the whole run that do not go with each other or with a task.
  void refuse_settings(const std::vector<TaskId>& all_tasks) const {
    const auto at = [&](const char* path) { return position(path, std::vector<int64_t>(axes.size(), 0)); };
    const auto reads = [](TaskId task) { return task_info(task).needs_data; };
    const auto drawing =
        std::find_if(all_tasks.begin(), all_tasks.end(), [&](TaskId task) { return reads(task) == DataKind::none; });
    const EvalSettings& eval = settings.eval;
    if (std::find(eval.also.begin(), eval.also.end(), eval.split) != eval.also.end())
      fail(at("eval.also"), "eval.also names eval.split itself; allowed: the other parts");
    if (drawing != all_tasks.end()) {
      const std::string task = std::string("task.name = \"") + task_info(*drawing).name + "\"";
      if (eval.trials == all_trials)
        fail(at("eval.trials"), "eval.trials = \"all\" does not go with " + task +
                                    ", which draws as many trials as it is asked for; allowed: an integer");
      if (std::find(eval.also.begin(), eval.also.end(), Split::train) != eval.also.end() && least("task.samples") == 0)
        fail(at("eval.also"), "eval.also = [\"train\"] does not go with " + task +
                                  ", which draws a fresh trial every time; needs task.samples, at least 1");
    }
    if (given("task.validation") &&
        std::none_of(all_tasks.begin(), all_tasks.end(), [&](TaskId task) { return reads(task) == DataKind::images; }))
      fail(at("task.validation"), std::string("task.validation does not go with task.name = \"") +
                                      task_info(all_tasks.front()).name + "\", which reads no images");
    refuse_source();
    const auto first_image_task = [&] {
      return std::find_if(all_tasks.begin(), all_tasks.end(),
                          [&](TaskId task) { return reads(task) == DataKind::images; });
    };
    if (settings.data.subset > 0 && first_image_task() == all_tasks.end())
      fail(at("task.subset"), std::string("task.subset does not go with task.name = \"") +
                                  task_info(all_tasks.front()).name + "\", which reads no images");
    if (settings.until.on()) {
      constexpr double most_steps = 4e9;  // step numbers have 32 bits
      const double longest = double(largest("train.steps")) * (1 + settings.until.extensions);
      if (longest > most_steps)
        fail(at(given("train.extensions") ? "train.extensions" : "train.steps"),
             "train.extensions = " + std::to_string(settings.until.extensions) + " makes of train.steps = " +
                 std::to_string(largest("train.steps")) + " more than 4000000000 steps; lower one of them");
    }
    if (settings.until.accuracy > 0)
      for (const TaskId task : all_tasks)
        if (!task_info(task).classes)
          fail(at("train.until_accuracy"), std::string("train.until_accuracy does not go with task.name = \"") +
                                               task_info(task).name + "\", which has no classes; use train.until_loss");
    const int64_t trained = least("train.steps"),
                  evaluations = eval.every > 0 && trained > 0 ? (trained - 1) / eval.every + 1 : 1;
    if (eval.mean_of > evaluations)
      fail(at("eval.mean_of"),
           "eval.mean_of = " + std::to_string(eval.mean_of) + ", but with eval.every = " + std::to_string(eval.every) +
               " there are " + std::to_string(evaluations) +
               " evaluations in train.steps = " + std::to_string(trained) + "; lower one of the first two");
  }
  // A start that comes from another run is neither drawn nor changed.
  void refuse_source() const {
    const auto at = [&](const char* path) { return position(path, std::vector<int64_t>(axes.size(), 0)); };
    const bool from = !settings.source.run.empty();
    for (const char* path : {"init.from_where", "init.from_seed"})
      if (!from && given(path)) fail(at(path), std::string(path) + " needs init.from");
    for (const char* path :
         {"init.rank", "init.spectral_radius", "init.density", "init.vectors_of", "init.values_of", "init.transplant"})
      if (from && given(path))
        fail(at(path), std::string(path) + " does not go with init.from, which takes starts as they are");
  }
  bool any_adam() const {
    for (const Key& key : schema())
      if (key.path.starts_with("rule.") && key.path.ends_with(".adam") && given(key.path)) return true;
    return false;
  }
  bool one_clip_for_all() const {
    const Key& key = *find_key("rule.clip_scope");
    if (const Column* column = column_of(key)) {
      Setting scratch;
      for (int64_t i = 0; i < column->size(); ++i)
        if (ClipScope(column->get(i, scratch).code) != ClipScope::tensor) return true;
      return false;
    }
    const Base* value = base_of(key);
    return !value || ClipScope(value->setting.code) != ClipScope::tensor;
  }

  // Networks that differ in a swept value other than the seed draw their own input and readout weights.
  static uint32_t salt(const std::vector<std::pair<std::string, Value>>& swept) {
    uint32_t hash = 2166136261u;  // FNV-1a
    for (const auto& [key, value] : swept)
      if (key != "seed")
        for (const char c : key + "=" + to_toml(value) + ";") hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return hash == 0 ? 1 : hash;
  }

  // ---- text
  // What a default that follows from other keys comes to, where those are not swept.
  std::string derived_text(const Key& key, const Draft& d) const {
    const auto swept = [&](const char* path) { return column_of(*find_key(path)) != nullptr; };
    const bool by_task = key.derived == "by task.name";
    if (key.path == "analysis.tensors" && !swept("network.core"))
      return to_toml(std::vector<std::string>{d.signature.core == CoreId::recurrent ? "recurrent" : "input"});
    if (by_task ? swept("task.name")
                : swept("network.parameterisation") || swept("network.core") || swept("network.cell"))
      return key.derived;
    const auto word = [](const char* text_of) { return quoted(text_of); };
    if (key.path == "init.distribution") return word(info(d.spec.init.recurrent).name);
    if (key.path == "init.input") return word(info(d.spec.init.input).name);
    if (key.path == "init.readout") return word(info(d.spec.init.readout).name);
    if (key.path == "rule.projection")
      return word(info(default_projection(d.spec.parameterisation, Role::recurrent)).name);
    if (key.path == "task.loss") return word(info(d.spec.task.loss).name);
    if (key.path == "task.loss_steps") return quoted(key.choices[size_t(d.spec.task.loss_steps)]);
    if (key.path == "eval.trials")
      return task_info(d.spec.task.id).needs_data == DataKind::none ? std::to_string(usual_trials) : quoted("all");
    return key.derived;
  }

  // A key of [rule.input] ... says something only where it departs from [rule].
  bool departs(const Key& key) const {
    const Base* own = base_of(key);
    if (column_of(key)) return true;
    if (!own) return false;
    const Key& all = *find_key("rule." + key.path.substr(key.path.rfind('.') + 1));
    if (column_of(all) || !key.derived.starts_with("as ")) return true;
    const Base* common = base_of(all);
    const auto otherwise = fallback_setting(all);
    return (!common && !otherwise) || own->setting.value != (common ? common->setting.value : otherwise->value);
  }

  std::string canonical() const {
    Draft first = draft(std::vector<int64_t>(axes.size(), 0));
    complete(first);
    nlohmann::json keys = nlohmann::json::object();
    for (const Key* key : all_keys()) {
      const Base* value = base_of(*key);
      if (key->derived.starts_with("as ") && !departs(*key)) continue;
      if (const Column* column = column_of(*key))
        keys[key->path] = column->text();
      else if (value)
        keys[key->path] = to_toml(value->setting.value);
      else if (key->fallback)
        keys[key->path] = to_toml(*key->fallback);
      else
        keys[key->path] = derived_text(*key, first);
    }
    nlohmann::json order = nlohmann::json::array();
    for (const AxisInfo& axis : axis_info) order.push_back(axis.keys);
    return nlohmann::json{{"keys", keys}, {"axes", order}}.dump();
  }
};

Experiment Experiment::load(const std::string& path, const std::vector<std::string>& overrides) {
  return parse(read_config(path), path, overrides);
}

Experiment Experiment::parse(std::string_view text, const std::string& source,
                             const std::vector<std::string>& overrides) {
  auto body = std::make_shared<Body>();
  body->text = text;
  Node root = parse_document(text, source);
  body->whole = {root.at.source};
  RawExperiment raw = sort_out(std::move(root));
  for (const std::string& assignment : overrides) apply_override(raw, parse_override(assignment));
  body->read(std::move(raw));
  return Experiment(std::move(body));
}

const std::string& Experiment::name() const { return body_->name; }
const RunSettings& Experiment::settings() const { return body_->settings; }
const std::string& Experiment::text() const { return body_->text; }
const std::vector<AxisInfo>& Experiment::axes() const { return body_->axis_info; }
const std::vector<std::string>& Experiment::swept_keys() const { return body_->swept_keys; }
int64_t Experiment::size() const { return body_->size; }

ResolvedNetwork Experiment::network(int64_t i) const {
  if (i < 0 || i >= size())
    throw Error("network " + std::to_string(i) + " of an experiment with " + std::to_string(size()));
  const std::vector<int64_t> index = body_->indices(i);
  Draft d = body_->draft(index);
  if (const auto conflict = complete(d)) throw Error(conflict->message);
  ResolvedNetwork network;
  network.swept.reserve(body_->swept_keys.size());
  for (size_t a = 0; a < index.size(); ++a)
    for (size_t k = 0; k < body_->axes[a].columns.size(); ++k)
      network.swept.emplace_back(body_->axis_info[a].keys[k], axis_value(a, k, index[a]));
  if (d.pairing_recurrent) d.spec.pairing_salt = Body::salt(network.swept);
  network.spec = d.spec;
  network.signature = d.signature;
  return network;
}

Value Experiment::axis_value(size_t axis, size_t key, int64_t j) const {
  Setting scratch;
  return body_->axes.at(axis).columns.at(key).get(j, scratch).value;
}

std::string Experiment::canonical() const { return body_->canonical(); }

std::vector<std::string> differences(const std::string& before, const std::string& after) {
  using nlohmann::json;
  const auto parsed = [](const std::string& text) {
    json value = json::parse(text, nullptr, false);
    const bool good = value.is_object() && value.contains("keys") && value["keys"].is_object() &&
                      value.contains("axes") && value["axes"].is_array();
    if (!good) throw Error("the description of an experiment is not in its canonical form");
    return value;
  };
  const json a = parsed(before), b = parsed(after);
  const auto shown = [](const json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace);
  };
  std::vector<std::string> lines;
  json all = a["keys"];
  all.update(b["keys"]);
  for (const auto& [key, unused] : all.items()) {
    const std::string old = a["keys"].contains(key) ? shown(a["keys"][key]) : "(none)",
                      now = b["keys"].contains(key) ? shown(b["keys"][key]) : "(none)";
    if (old != now) lines.push_back(key + ": " + old + " -> " + now);
  }
  if (a["axes"] != b["axes"]) lines.push_back("order of axes: " + shown(a["axes"]) + " -> " + shown(b["axes"]));
  return lines;
}

}  // namespace cohort::engine

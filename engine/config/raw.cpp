#include "config/raw.h"

#include <algorithm>
#include <functional>

#include "config/schema.h"

namespace cohort::engine {
namespace {

bool earlier(const Position& a, const Position& b) { return a.line != b.line ? a.line < b.line : a.column < b.column; }

bool is_recipe(const Node& node) {
  const auto& items = node.table()->items;
  return std::any_of(items.begin(), items.end(), [](const Node& item) {
    return item.key == "range" || item.key == "linspace" || item.key == "geomspace" || item.key == "random";
  });
}

std::string joined(const std::string& path, const std::string& key) { return path.empty() ? key : path + "." + key; }

// Calls leaf(path, node) for everything under a table that is not a table to descend into.
void flatten(Node& table, const std::string& path, bool axes, const std::function<void(RawEntry)>& leaf) {
  for (Node& item : std::get<Node::Table>(table.value).items) {
    const std::string at = joined(path, item.key);
    const bool is_axis = axes && item.table() && (find_key(at) || is_task_parameter(at) || is_recipe(item));
    if (item.table() && !item.table()->items.empty() && !is_axis) {
      flatten(item, at, axes, leaf);
    } else if (item.table() && item.table()->items.empty() && !is_axis && is_table(at)) {
      continue;  // [rule] with nothing in it
    } else {
      leaf({at, std::move(item)});
    }
  }
}

// The axis of each table of sweep.zip, or the one axis of those of sweep.case; empty if there is no such word.
std::vector<RawAxis> take_tables(std::vector<Node>& items, const std::string& name) {
  std::vector<RawAxis> axes;
  const auto found = std::find_if(items.begin(), items.end(), [&](const Node& item) { return item.key == name; });
  if (found == items.end()) return axes;
  const auto wrong = [&](const Node& node) {
    fail(node.at,
         "sweep." + name + " = " + shown(node) + ": wanted tables [[sweep." + name + "]], got " + type_name(node));
  };
  if (!found->array()) wrong(*found);
  for (Node& table : std::get<Node::Array>(found->value).items) {
    if (!table.table()) wrong(table);
    RawAxis axis;
    flatten(table, "", true, [&](RawEntry entry) { axis.entries.push_back(std::move(entry)); });
    if (axis.entries.empty()) fail(table.at, "[[sweep." + name + "]] is empty; at least one key is wanted");
    axes.push_back(std::move(axis));
  }
  items.erase(found);
  return axes;
}

void sort_axes(Node& sweep, std::vector<RawAxis>& axes) {
  if (!sweep.table()) fail(sweep.at, "sweep = " + shown(sweep) + ": wanted a table [sweep], got " + type_name(sweep));
  auto& items = std::get<Node::Table>(sweep.value).items;
  for (RawAxis& axis : take_tables(items, "zip")) axes.push_back(std::move(axis));
  RawAxis cases;
  for (RawAxis& one : take_tables(items, "case")) {
    for (RawEntry& entry : one.entries) {
      entry.in_case = cases.n_cases;
      cases.entries.push_back(std::move(entry));
    }
    ++cases.n_cases;
  }
  if (cases.n_cases > 0) axes.push_back(std::move(cases));
  flatten(sweep, "", true, [&](RawEntry entry) { axes.push_back({{std::move(entry)}}); });
  std::stable_sort(axes.begin(), axes.end(), [](const RawAxis& a, const RawAxis& b) {
    return earlier(a.entries[0].node.key_at, b.entries[0].node.key_at);
  });
}

template <class Visit>
void for_each_swept(RawExperiment& raw, Visit visit) {
  for (RawAxis& axis : raw.axes)
    for (RawEntry& entry : axis.entries) visit(axis, entry);
}

void remove_axis_entry(RawExperiment& raw, const std::string& path) {
  for (RawAxis& axis : raw.axes) std::erase_if(axis.entries, [&](const RawEntry& entry) { return entry.path == path; });
  std::erase_if(raw.axes, [](const RawAxis& axis) { return axis.entries.empty(); });
}

}  // namespace

const RawEntry* RawExperiment::base_value(const std::string& path) const {
  const auto found = std::find_if(base.begin(), base.end(), [&](const RawEntry& entry) { return entry.path == path; });
  return found == base.end() ? nullptr : &*found;
}

std::vector<const RawEntry*> RawExperiment::axis_entries(const std::string& path) const {
  std::vector<const RawEntry*> found;
  for (const RawAxis& axis : axes)
    for (const RawEntry& entry : axis.entries)
      if (entry.path == path) found.push_back(&entry);
  return found;
}

RawExperiment sort_out(Node root) {
  RawExperiment raw;
  auto& items = std::get<Node::Table>(root.value).items;
  for (auto item = items.begin(); item != items.end();) {
    if (item->key == "sweep") {
      sort_axes(*item, raw.axes);
      item = items.erase(item);
    } else {
      ++item;
    }
  }
  flatten(root, "", false, [&](RawEntry entry) { raw.base.push_back(std::move(entry)); });
  std::stable_sort(raw.base.begin(), raw.base.end(),
                   [](const RawEntry& a, const RawEntry& b) { return earlier(a.node.key_at, b.node.key_at); });

  const auto refuse_twice = [](std::vector<const RawEntry*> entries, const char* what) {
    std::stable_sort(entries.begin(), entries.end(), [](const RawEntry* a, const RawEntry* b) {
      return a->path != b->path ? a->path < b->path : a->in_case > b->in_case;  // those of no case last
    });
    for (size_t i = 1; i < entries.size(); ++i)
      if (entries[i]->path == entries[i - 1]->path &&
          (entries[i]->in_case < 0 || entries[i]->in_case == entries[i - 1]->in_case))
        fail(entries[i]->node.key_at, quoted(entries[i]->path, 60) + " is " + what + " twice");
  };
  std::vector<const RawEntry*> given, swept;
  for (const RawEntry& entry : raw.base) given.push_back(&entry);
  for_each_swept(raw, [&](RawAxis&, RawEntry& entry) { swept.push_back(&entry); });
  refuse_twice(std::move(given), "given");
  refuse_twice(std::move(swept), "swept");
  return raw;
}

void apply_override(RawExperiment& raw, Node root) {
  Node& first = std::get<Node::Table>(root.value).items.front();
  if (first.key == "sweep") {
    if (first.table() && !first.table()->items.empty())
      for (const char* tables : {"zip", "case"})
        if (first.table()->items.front().key == tables)
          fail(first.at, std::string("sweep.") + tables + " cannot be set here; set a key, or its own axis sweep.KEY");
    std::vector<RawAxis> axes;
    sort_axes(first, axes);
    for (RawAxis& axis : axes) {
      bool replaced = false;
      for (RawAxis& old : raw.axes)
        if (old.n_cases == 0 && old.entries.size() == 1 && old.entries[0].path == axis.entries[0].path) {
          old = axis;
          replaced = true;
        }
      if (replaced) continue;
      remove_axis_entry(raw, axis.entries[0].path);  // from a zip or from cases
      raw.axes.push_back(std::move(axis));
    }
    return;
  }
  flatten(root, "", false, [&](RawEntry entry) {
    remove_axis_entry(raw, entry.path);
    for (RawEntry& old : raw.base)
      if (old.path == entry.path) {
        old = std::move(entry);
        return;
      }
    raw.base.push_back(std::move(entry));
  });
}

}  // namespace cohort::engine

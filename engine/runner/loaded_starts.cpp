#include "runner/loaded_starts.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "cohort/error.h"
#include "run/directory.h"

namespace cohort::engine {
namespace {

using Texts = std::vector<std::pair<std::string, std::string>>;  // key, value

const std::string* value_of(const Texts& values, std::string_view key) {
  for (const auto& [name, value] : values)
    if (name == key) return &value;
  return nullptr;
}

// The same number, or the same text.
bool equal(const std::string& a, const std::string& b) {
  const auto number = [](const std::string& text) -> std::optional<double> {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
  };
  if (a == b) return true;
  const auto x = number(a), y = number(b);
  return x && y && *x == *y;
}

// Shapes that decide what a network's parameters are.
bool same_parameters(Signature a, const Signature& b) {
  a.batch = b.batch;
  a.n_steps = b.n_steps;
  a.precision = b.precision;
  return a == b;
}

std::string text_of(const SweptColumn& column, size_t i) {
  return std::visit([&](const auto& values) { return to_text(Value(values[i])); }, column.value);
}

// A network of the other run.
struct Candidate {
  int64_t net, seed;
  Texts swept;  // without the seed
  Signature signature;
  bool diverged;
};

// Finds the network of the other run that a network of the experiment is meant to start from.
class Chooser {
 public:
  Chooser(const Experiment& experiment, const std::vector<Candidate>& sources)
      : settings_(experiment.settings().source),
        what_("init.from = " + quoted(settings_.run)),
        known_(sources.front().swept),
        where_(conditions()) {
    for (const std::string& key : experiment.swept_keys())
      if (key != "seed" && value_of(known_, key) && !value_of(where_, key)) keys_.push_back(key);
    for (const Candidate& source : sources) {
      const auto fits = [&](const auto& c) {
        return c.second == "*" || equal(*value_of(source.swept, c.first), c.second);
      };
      if (!std::all_of(where_.begin(), where_.end(), fits)) continue;
      Texts values;
      for (const std::string& key : keys_) values.emplace_back(key, *value_of(source.swept, key));
      sources_.emplace(description(source.seed, values), &source);
    }
  }

  const Candidate& operator()(int64_t i, const ResolvedNetwork& network) const {
    Texts values;
    for (const std::string& key : keys_)
      for (const auto& [name, value] : network.swept)
        if (name == key) values.emplace_back(key, to_text(value));
    const std::string wanted = description(settings_.seed >= 0 ? settings_.seed : int64_t(network.spec.seed), values);
    const auto [first, last] = sources_.equal_range(wanted);
    const auto found = std::distance(first, last);
    if (found == 0)
      throw Error(fmt::format("{}: no network there is meant for network {} ({}){}", what_, i, wanted,
                              settings_.seed < 0 ? "; init.from_seed chooses another seed" : ""));
    if (found > 1)
      throw Error(fmt::format("{}: {} networks there are meant for network {} ({}); init.from_where chooses among {}",
                              what_, found, i, wanted, names()));
    const Candidate& source = *first->second;
    const Signature &there = source.signature, &here = network.signature;
    if (source.diverged)
      throw Error(fmt::format("{}: network {} there, meant for network {}, diverged", what_, source.net, i));
    if (!same_parameters(there, here))
      throw Error(
          fmt::format("{}: network {} there has other shapes than network {}: {} inputs, {} layers of {}, {} "
                      "outputs, {} parameters; wanted {}, {} of {}, {}, {}",
                      what_, source.net, i, there.n_in, there.n_layers, there.n_hidden, there.n_out, n_params(there),
                      here.n_in, here.n_layers, here.n_hidden, here.n_out, n_params(here)));
    return source;
  }

 private:
  // Of init.from_where.
  Texts conditions() const {
    Texts found;
    const auto trimmed = [](std::string_view text) {
      while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
      while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
      return std::string(text);
    };
    for (std::string_view rest = settings_.where; !rest.empty();) {
      const std::string_view one = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      const size_t sign = one.find('=');
      if (sign == one.npos)
        throw Error("init.from_where = " + quoted(settings_.where, 100) + ": wanted KEY=VALUE,KEY=VALUE");
      found.emplace_back(trimmed(one.substr(0, sign)), trimmed(one.substr(sign + 1)));
      const std::string& key = found.back().first;
      if (!value_of(known_, key))
        throw Error(fmt::format("init.from_where: {} is not swept in {}; allowed: {}", quoted(key, 100), settings_.run,
                                names()));
    }
    return found;
  }
  std::string names() const {
    std::string text;
    for (const auto& [key, value] : known_) text += (text.empty() ? "" : ", ") + key;
    return text.empty() ? "none" : text;
  }
  std::string description(int64_t seed, const Texts& values) const {
    std::string text = "seed = " + std::to_string(seed);
    for (const auto& [key, value] : where_) text += ", " + key + " = " + value;
    for (const auto& [key, value] : values) text += ", " + key + " = " + value;
    return text;
  }

  const SourceSettings& settings_;
  std::string what_;
  Texts known_;  // the keys that the other run sweeps, with any values
  Texts where_;
  std::vector<std::string> keys_;  // that both sweep
  std::multimap<std::string, const Candidate*> sources_;
};

}  // namespace

LoadedStarts::LoadedStarts(const Experiment& experiment) {
  const SourceSettings& settings = experiment.settings().source;
  if (settings.run.empty()) return;
  const std::string what = "init.from = " + quoted(settings.run);
  const auto open = [&] {
    try {
      return RunDirectory::read(settings.run);
    } catch (const std::exception& e) {
      throw Error(what + ": " + e.what());
    }
  };
  const RunDirectory run = open();
  if (const size_t missing = run.pending().size())
    throw Error(fmt::format("{}: the run is not finished: {} of {} units are missing", what, missing, run.n_units()));

  std::vector<Candidate> sources;
  for (int64_t unit = 0; unit < run.n_units(); ++unit) {
    const Shard shard = run.read_unit(unit);
    const UnitResult& result = shard.result;
    if (std::none_of(result.arrays.begin(), result.arrays.end(), [](const auto& a) { return a.name == "parameters"; }))
      throw Error(what + ": the run has not kept its parameters; it needs output.parameters = true");
    for (size_t i = 0; i < result.net.size(); ++i) {
      Candidate source{result.net[i],
                       shard.metadata.seed[i],
                       {},
                       run.manifest().units[size_t(unit)].unit.signature,
                       result.diverged_at[i] >= 0};
      for (const SweptColumn& column : shard.metadata.swept)
        if (column.key != "seed") source.swept.emplace_back(column.key, text_of(column, i));
      sources.push_back(std::move(source));
    }
  }
  const Chooser choose(experiment, sources);
  for (int64_t i = 0; i < experiment.size(); ++i) {
    source_.push_back(choose(i, experiment.network(i)).net);
    starts_[source_.back()];
  }
  for (int64_t unit = 0; unit < run.n_units(); ++unit) {
    const std::vector<int64_t> nets = run.networks(unit);
    if (std::none_of(nets.begin(), nets.end(), [&](int64_t net) { return starts_.contains(net); })) continue;
    const Shard shard = run.read_unit(unit);
    for (const UnitResult::Array& array : shard.result.arrays) {
      if (array.name != "parameters") continue;
      const size_t size = array.value.size() / nets.size();
      if (size != n_params(run.manifest().units[size_t(unit)].unit.signature))
        throw IoError(settings.run + ": damaged: parameters of another number than the shapes say");
      for (size_t i = 0; i < nets.size(); ++i)
        if (const auto found = starts_.find(nets[i]); found != starts_.end())
          found->second.assign(array.value.begin() + ptrdiff_t(i * size),
                               array.value.begin() + ptrdiff_t((i + 1) * size));
    }
  }
}

std::vector<const float*> LoadedStarts::of(const std::vector<int64_t>& networks) const {
  std::vector<const float*> starts;
  if (source_.empty()) return starts;
  for (const int64_t i : networks) starts.push_back(starts_.at(source_.at(size_t(i))).data());
  return starts;
}

}  // namespace cohort::engine

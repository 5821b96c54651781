#include "run/manifest.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cohort/error.h"
#include "run/atomic_file.h"
#include "run/json_reader.h"

namespace cohort::engine {
namespace {

using nlohmann::json;

constexpr int64_t kMaxNetworks = 10'000'000;

// The text ends in this, the hash of everything before it, and the closing of the object.
constexpr std::string_view kHashKey = "\"xxh3\": \"", kEnd = "\"\n}\n";

// Any invalid UTF-8 is replaced: the name of an experiment is for reading only.
std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// ---- signatures as JSON
struct SignatureField {
  const char* name;
  int32_t Signature::*member;
  bool needed = true;  // older manifests may lack it
};
constexpr SignatureField kSignatureFields[] = {{"n_in", &Signature::n_in},
                                               {"n_hidden", &Signature::n_hidden},
                                               {"n_layers", &Signature::n_layers},
                                               {"n_out", &Signature::n_out},
                                               {"n_inhibitory", &Signature::n_inhibitory},
                                               {"batch", &Signature::batch},
                                               {"n_steps", &Signature::n_steps},
                                               {"bias", &Signature::bias},
                                               {"n_inhibitory_recurrent", &Signature::n_inhibitory_recurrent, false},
                                               {"n_inhibitory_readout", &Signature::n_inhibitory_readout, false},
                                               {"bias_recurrent", &Signature::bias_recurrent, false},
                                               {"n_dense", &Signature::n_dense, false},
                                               {"normalised_readout", &Signature::normalised_readout, false}};

json to_json(const Signature& signature) {
  json fields{{"core", info(signature.core).name},
              {"cell", info(signature.cell).name},
              {"precision", info(signature.precision).name},
              {"widths", signature.widths}};
  for (const auto& [name, member, needed] : kSignatureFields) fields[name] = signature.*member;
  return fields;
}

// ---- from untrusted JSON
class Reader : public JsonReader {
 public:
  explicit Reader(const std::string& source) : JsonReader(source + ": damaged manifest") {}

  std::string hash_of(const json& object, const char* key) const {
    const std::string hex = text_of(object, key);
    if (!is_xxh3(hex)) damaged(std::string("'") + key + "' is not a hash");
    return hex;
  }

  template <class Id>
  Id registered(const json& value, const char* key, int count) const {
    const std::string word = text_of(value, key);
    for (int id = 0; id < count; ++id)
      if (word == info(Id(id)).name) return Id(id);
    damaged(std::string("unknown ") + key);
  }

  Signature signature(const json& value) const {
    Signature s;
    s.core = registered<CoreId>(value, "core", n_cores);
    if (value.contains("precision")) s.precision = registered<Precision>(value, "precision", n_precisions);
    constexpr int64_t most = std::numeric_limits<int32_t>::max();
    for (const auto& [name, member, needed] : kSignatureFields)
      if (needed || value.contains(name)) s.*member = int32_t(integer_of(value, name, 0, most));
    if (value.contains("cell")) s.cell = registered<CellId>(value, "cell", n_cells);
    if (value.contains("widths")) {
      const json& widths = value["widths"];
      if (!widths.is_array() || widths.size() != size_t(max_layers)) damaged("'widths' is not a list of widths");
      for (int l = 0; l < max_layers; ++l) s.widths[l] = int32_t(integer(widths[size_t(l)], "widths", 0, most));
    }
    return s;
  }

  NetRange range(const json& value, int64_t n_networks) const {
    if (!value.is_array() || value.size() != 3) damaged("a range of networks is not [first, count, step]");
    const NetRange r{integer(value[0], "first", 0, n_networks - 1), integer(value[1], "count", 1, n_networks),
                     integer(value[2], "step", 1, n_networks)};
    if ((r.count - 1) > (n_networks - 1 - r.first) / r.step) damaged("a range of networks leaves the sweep");
    return r;
  }

  Manifest::Done done(const json& value, int64_t n_nets) const {
    return {{hash_of(value, "xxh3"), integer_of(value, "bytes", 1, std::numeric_limits<int64_t>::max())},
            integer_of(value, "diverged", 0, n_nets),
            value.contains("overflowed") ? integer_of(value, "overflowed", 0, n_nets) : 0};
  }
};

}  // namespace

std::string Manifest::config_xxh3() const { return xxh3(canonical); }

std::string to_json(const Manifest& manifest) {
  json axes = json::array(), made_by = json::array();
  for (const auto& axis : manifest.axes) axes.push_back({{"keys", axis.keys}, {"size", axis.size}});
  for (const auto& [key, value] : manifest.made_by) made_by.push_back({key, value});

  std::map<Signature, size_t> index;
  json signatures = json::array();
  std::string units;
  for (size_t id = 0; id < manifest.units.size(); ++id) {
    const auto& [unit, done] = manifest.units[id];
    const auto [found, is_new] = index.emplace(unit.signature, signatures.size());
    if (is_new) signatures.push_back(to_json(unit.signature));
    units += (id ? ",\n  {\"id\": " : "\n  {\"id\": ") + std::to_string(id) +
             ", \"signature\": " + std::to_string(found->second) + ", \"networks\": [";
    for (size_t i = 0; i < unit.networks.size(); ++i) {
      const NetRange& r = unit.networks[i];
      units += (i ? ",[" : "[") + std::to_string(r.first) + "," + std::to_string(r.count) + "," +
               std::to_string(r.step) + "]";
    }
    units += "]";
    if (done)
      units += ", \"shard\": {\"xxh3\": \"" + done->file.xxh3 + "\", \"bytes\": " + std::to_string(done->file.bytes) +
               ", \"diverged\": " + std::to_string(done->n_diverged) +
               ", \"overflowed\": " + std::to_string(done->n_overflowed) + "}";
    units += "}";
  }

  std::string text = "{\n\"format\": " + std::to_string(Manifest::format);
  const auto member = [&](const char* key, const std::string& value) {
    text += std::string(",\n\"") + key + "\": " + value;
  };
  member("tool", dump(manifest.tool));
  member("name", dump(manifest.name));
  member("config_xxh3", dump(manifest.config_xxh3()));
  member("config", dump(manifest.canonical));
  member("made_by", dump(made_by));
  member("axes", dump(axes));
  member("n_networks", std::to_string(manifest.n_networks));
  member("signatures", dump(signatures));
  member("units", "[" + units + "\n]");
  text += ",\n";
  return text + std::string(kHashKey) + xxh3(text) + std::string(kEnd);
}

Manifest manifest_from_json(std::string_view text, const std::string& source) {
  const Reader read(source);
  constexpr size_t n_tail = kHashKey.size() + 16 + kEnd.size();
  if (text.size() < n_tail) read.damaged("too short");
  const std::string_view body = text.substr(0, text.size() - n_tail), tail = text.substr(body.size());
  if (tail != std::string(kHashKey) + xxh3(body) + std::string(kEnd)) read.damaged("its hash does not match");

  const json all = read.parse(text);
  const int64_t format = read.integer_of(all, "format", 1, std::numeric_limits<int64_t>::max());
  if (format != Manifest::format)
    throw Error(source + ": written by a later version of cohort (format " + std::to_string(format) +
                ", this version reads " + std::to_string(Manifest::format) + ")");

  Manifest manifest;
  manifest.tool = read.text_of(all, "tool");
  manifest.name = read.text_of(all, "name");
  manifest.canonical = read.text_of(all, "config");
  if (read.hash_of(all, "config_xxh3") != manifest.config_xxh3())
    read.damaged("the configuration does not match its hash");
  manifest.made_by = read.pairs_of(all, "made_by");
  manifest.n_networks = read.integer_of(all, "n_networks", 1, kMaxNetworks);
  int64_t product = 1;
  for (const json& value : read.list(all, "axes")) {
    Manifest::Axis axis{{}, read.integer_of(value, "size", 1, kMaxNetworks)};
    for (const json& key : read.list(value, "keys")) axis.keys.push_back(read.text(key, "keys"));
    if (axis.keys.empty()) read.damaged("an axis without keys");
    product = std::min(product * axis.size, kMaxNetworks + 1);
    manifest.axes.push_back(std::move(axis));
  }
  if (product != manifest.n_networks) read.damaged("the axes do not make the number of networks");

  std::vector<Signature> signatures;
  for (const json& value : read.list(all, "signatures")) signatures.push_back(read.signature(value));
  std::vector<bool> seen(size_t(manifest.n_networks), false);
  int64_t n_seen = 0;
  for (const json& value : read.list(all, "units")) {
    const int64_t id = int64_t(manifest.units.size());
    read.integer_of(value, "id", id, id);
    Manifest::Entry entry;
    entry.unit.signature =
        signatures.empty() ? Signature{}
                           : signatures[size_t(read.integer_of(value, "signature", 0, int64_t(signatures.size()) - 1))];
    int64_t before = -1;
    for (const json& value_of : read.list(value, "networks")) {
      const NetRange range = read.range(value_of, manifest.n_networks);
      if (range.first <= before) read.damaged("the networks of a unit are not in order");
      before = range.last();
      for (int64_t i = 0; i < range.count; ++i, ++n_seen) {
        const size_t net = size_t(range.first + i * range.step);
        if (seen[net]) read.damaged("a network is in two units");
        seen[net] = true;
      }
      entry.unit.networks.push_back(range);
    }
    if (entry.unit.networks.empty()) read.damaged("a unit without networks");
    if (const auto shard = value.find("shard"); shard != value.end())
      entry.done = read.done(*shard, n_networks(entry.unit.networks));
    manifest.units.push_back(std::move(entry));
  }
  if (n_seen != manifest.n_networks) read.damaged("a network is in no unit");
  return manifest;
}

}  // namespace cohort::engine

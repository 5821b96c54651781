#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cohort/error.h"
#include "run/atomic_file.h"
#include "run/hdf5.h"
#include "run/shard.h"
#include "run/shard_index.h"

namespace cohort::engine {
namespace {

// Strings as one block of equally long texts.
struct TextBlock {
  size_t length = 1;
  std::string bytes;
  explicit TextBlock(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) length = std::max(length, text.size());
    for (const std::string& text : texts) bytes += text + std::string(length - text.size(), '\0');
  }
};

class Encoder {
 public:
  Encoder(const UnitResult& result, const ShardMetadata& metadata)
      : result_(result), metadata_(metadata), n_nets_(result.net.size()), file_(hdf5::create_file()) {}

  std::string bytes() {
    if (n_nets_ == 0) throw Error("a shard without networks");
    coordinates();
    for (const auto& column : result_.columns) {
      check_size(column.name, column.value.size(), n_nets_);
      along_net(column.name, kind::column, column.doc, column.value, "1");
    }
    series();
    arrays();
    attributes();
    hdf5::attach_scales(file_, attachments_);
    return with_index(hdf5::image(file_));
  }

 private:
  static void check_size(const std::string& name, size_t size, size_t wanted) {
    if (size != wanted) throw Error(fmt::format("{} has {} values, wanted {}", name, size, wanted));
  }

  // Writes a dataset, and into the index what the reader needs of it.
  hdf5::Id add(const std::string& name, const char* what, const std::string& doc, hid_t type, const hdf5::Shape& shape,
               const void* data) {
    if (name.empty() || name == "." || name.find_first_of(std::string_view("/ \0", 3)) != std::string::npos)
      throw Error("'" + name + "' cannot be the name of a dataset");
    if (!names_.insert(name).second) throw Error("'" + name + "' is the name of two datasets");
    hdf5::Id dataset = hdf5::write_dataset(file_, name, type, shape, data);
    if (!doc.empty()) hdf5::write_text(dataset, "long_name", doc);
    if (data)
      datasets_.push_back({{"name", name},
                           {"kind", what},
                           {"doc", doc},
                           {"type", hdf5::type_word(type)},
                           {"shape", shape},
                           {"at", hdf5::offset(dataset)}});
    return dataset;
  }

  template <class T>
  hdf5::Id along_net(const std::string& name, const char* what, const std::string& doc, const std::vector<T>& values,
                     const char* units) {
    hdf5::Id dataset = add(name, what, doc, hdf5::type_of<T>(), {n_nets_}, values.data());
    if (units) hdf5::write_text(dataset, "units", units);
    if (what != kind::net) attachments_.push_back({name, {"net"}});
    return dataset;
  }

  // "_Encoding" makes xarray show text instead of bytes.
  void texts_along_net(const std::string& name, const char* what, const std::string& doc,
                       const std::vector<std::string>& texts) {
    const TextBlock block(texts);
    const hdf5::Id dataset = add(name, what, doc, hdf5::text_type(block.length), {n_nets_}, block.bytes.data());
    hdf5::write_text(dataset, "_Encoding", "utf-8");
    attachments_.push_back({name, {"net"}});
  }

  void coordinates() {
    check_size("diverged_at", result_.diverged_at.size(), n_nets_);
    check_size("overflowed_at", result_.overflowed_at.size(), n_nets_);
    check_size("seed", metadata_.seed.size(), n_nets_);
    hdf5::make_scale(along_net("net", kind::net, "position of the network in the sweep", result_.net, "1"), "net");
    for (const SweptColumn& column : metadata_.swept) {
      check_size(column.key, std::visit([](const auto& v) { return v.size(); }, column.value), n_nets_);
      if (column.key != "seed") swept(column);
    }
    const bool seed_is_swept = std::any_of(metadata_.swept.begin(), metadata_.swept.end(),
                                           [](const SweptColumn& column) { return column.key == "seed"; });
    along_net("seed", kind::seed, "seed of the network", metadata_.seed, nullptr);
    index_["seed_is_swept"] = seed_is_swept;
    std::vector<std::string> status;
    for (const int64_t step : result_.diverged_at) status.push_back(status_text(step));
    texts_along_net("status", kind::status, "ok, or diverged@STEP", status);
    along_net("diverged_at", kind::diverged, "step at which the network diverged; -1: it did not", result_.diverged_at,
              "training steps");
    along_net("overflowed_at", kind::overflowed,
              "step from which on the network trained in bf16x3, its numbers beyond the range of fp16; -1: none",
              result_.overflowed_at, "training steps");
  }

  void swept(const SweptColumn& column) {
    const std::string doc = "swept";
    if (const auto* text = std::get_if<std::vector<std::string>>(&column.value))
      texts_along_net(column.key, kind::swept, doc, *text);
    else if (const auto* number = std::get_if<std::vector<double>>(&column.value))
      along_net(column.key, kind::swept, doc, *number, nullptr);
    else if (const auto* integer = std::get_if<std::vector<int64_t>>(&column.value))
      along_net(column.key, kind::swept, doc, *integer, nullptr);
    else {
      const auto& flags = std::get<std::vector<bool>>(column.value);
      const std::vector<uint8_t> bytes(flags.begin(), flags.end());
      hdf5::write_text(along_net(column.key, kind::swept, doc, bytes, nullptr), "dtype", "bool");
    }
  }

  void series() {
    std::map<std::vector<int64_t>, std::string> scales;  // of each set of recorded steps
    for (const auto& s : result_.series) {
      check_size(s.name, s.value.size(), n_nets_ * s.step.size());
      std::string& scale = scales[s.step];
      if (scale.empty()) {
        scale = scales.size() == 1 ? "step" : "step." + s.name;
        const hdf5::Id steps =
            add(scale, kind::step, "training steps done", hdf5::type_of<int64_t>(), {s.step.size()}, s.step.data());
        hdf5::write_text(steps, "units", "training steps");
        hdf5::make_scale(steps, scale);
      }
      const hdf5::Id dataset =
          add(s.name, kind::series, s.doc, hdf5::type_of<double>(), {n_nets_, s.step.size()}, s.value.data());
      hdf5::write_text(dataset, "units", "1");
      datasets_.back()["steps"] = scale;
      attachments_.push_back({s.name, {"net", scale}});
    }
  }

  void arrays() {
    std::map<std::string, std::set<int64_t>> sizes;  // of each dimension's name
    for (const auto& a : result_.arrays) {
      check_size(a.name + ": dims", a.dims.size(), a.shape.size());
      for (size_t d = 0; d < a.dims.size(); ++d) sizes[a.dims[d]].insert(a.shape[d]);
    }
    std::map<std::string, int64_t> scales;
    for (const auto& a : result_.arrays) {
      hdf5::Shape shape{n_nets_};
      std::vector<std::string> names{"net"};
      for (size_t d = 0; d < a.dims.size(); ++d) {
        const int64_t size = a.shape[d];
        const std::string name = sizes[a.dims[d]].size() == 1 ? a.dims[d] : fmt::format("{}_{}", a.dims[d], size);
        if (std::find(names.begin(), names.end(), name) != names.end())
          throw Error(fmt::format("{} has two dimensions '{}'", a.name, name));
        if (scales.emplace(name, size).second) {
          const hdf5::Id scale = add(name, kind::dimension, "", H5T_IEEE_F32BE, {hsize_t(size)}, nullptr);
          hdf5::make_scale(scale, fmt::format("This is a netCDF dimension but not a netCDF variable. {:10}", size));
        } else if (scales[name] != size) {
          throw Error(fmt::format("dimension '{}' of {} has two sizes", name, a.name));
        }
        names.push_back(name);
        shape.push_back(hsize_t(size));
      }
      check_size(a.name, a.value.size(), hdf5::product(shape));
      const hdf5::Id dataset = add(a.name, kind::array, a.doc, hdf5::type_of<float>(), shape, a.value.data());
      hdf5::write_text(dataset, "units", "1");
      datasets_.back()["dims"] = a.dims;
      attachments_.push_back({a.name, names});
    }
  }

  void attributes() {
    hdf5::write_integer(file_, "format", kShardFormat);
    hdf5::write_text(file_, "title", metadata_.experiment);
    hdf5::write_text(file_, "config_xxh3", metadata_.config_xxh3);
    hdf5::write_integer(file_, "unit", metadata_.unit);
    for (const auto& [key, value] : metadata_.made_by) hdf5::write_text(file_, key, value);
    std::string coordinates;
    for (const SweptColumn& column : metadata_.swept)
      if (column.key != "seed") coordinates += column.key + " ";
    hdf5::write_text(file_, "coordinates", coordinates + "seed status");  // of the whole file, for xarray
    index_["format"] = kShardFormat;
    index_["experiment"] = metadata_.experiment;
    index_["config_xxh3"] = metadata_.config_xxh3;
    index_["unit"] = metadata_.unit;
    index_["made_by"] = metadata_.made_by;
  }

  std::string with_index(std::string bytes) {
    index_["datasets"] = std::move(datasets_);
    const std::string json = index_.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    bytes += json;
    bytes += fmt::format("{:016x}", json.size());
    bytes += xxh3(bytes);
    return bytes += kShardMark;
  }

  const UnitResult& result_;
  const ShardMetadata& metadata_;
  hsize_t n_nets_;
  hdf5::Id file_;
  nlohmann::json index_ = nlohmann::json::object(), datasets_ = nlohmann::json::array();
  std::set<std::string> names_;
  std::vector<hdf5::Attachment> attachments_;
};

}  // namespace

std::string encode_shard(const UnitResult& result, const ShardMetadata& metadata) {
  const hdf5::Session session;
  return Encoder(result, metadata).bytes();
}

}  // namespace cohort::engine

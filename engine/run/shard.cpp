#include "run/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "cohort/error.h"
#include "run/atomic_file.h"
#include "run/hdf5.h"

namespace cohort::engine {
namespace {

constexpr int64_t kFormat = 1;
constexpr uint64_t kMaxShardBytes = uint64_t(16) << 30;

// What a dataset is: its attribute "kind". Datasets of a kind are numbered in their order by the attribute "order".
namespace kind {
constexpr const char *net = "net", *seed = "seed", *status = "status", *diverged = "diverged_at", *swept = "swept",
                     *column = "column", *series = "series", *array = "array", *step = "step", *dimension = "dimension";
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> list;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) list.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return list;
}

// ---- writing
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
    return hdf5::image(file_);
  }

 private:
  static void check_size(const std::string& name, size_t size, size_t wanted) {
    if (size != wanted) throw Error(fmt::format("{} has {} values, wanted {}", name, size, wanted));
  }

  hdf5::Id add(const std::string& name, const char* what, const std::string& doc, hid_t type, const hdf5::Shape& shape,
               const void* data) {
    if (name.empty() || name == "." || name.find_first_of(std::string_view("/ \0", 3)) != std::string::npos)
      throw Error("'" + name + "' cannot be the name of a dataset");
    if (!names_.insert(name).second) throw Error("'" + name + "' is the name of two datasets");
    hdf5::Id dataset = hdf5::write_dataset(file_, name, type, shape, data);
    hdf5::write_text(dataset, "kind", what);
    hdf5::write_integer(dataset, "order", order_++);
    if (!doc.empty()) hdf5::write_text(dataset, "long_name", doc);
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
    check_size("seed", metadata_.seed.size(), n_nets_);
    hdf5::make_scale(along_net("net", kind::net, "position of the network in the sweep", result_.net, "1"), "net");
    for (const SweptColumn& column : metadata_.swept) {
      check_size(column.key, std::visit([](const auto& v) { return v.size(); }, column.value), n_nets_);
      if (column.key != "seed") swept(column);
    }
    const bool seed_is_swept = std::any_of(metadata_.swept.begin(), metadata_.swept.end(),
                                           [](const SweptColumn& column) { return column.key == "seed"; });
    hdf5::write_integer(along_net("seed", kind::seed, "seed of the network", metadata_.seed, nullptr), "swept",
                        seed_is_swept);
    std::vector<std::string> status;
    for (const int64_t step : result_.diverged_at) status.push_back(status_text(step));
    texts_along_net("status", kind::status, "ok, or diverged@STEP", status);
    along_net("diverged_at", kind::diverged, "step at which the network diverged; -1: it did not", result_.diverged_at,
              "training steps");
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
      hdf5::write_text(dataset, "steps", scale);
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
      hdf5::write_text(dataset, "dims", fmt::format("{}", fmt::join(a.dims, " ")));
      attachments_.push_back({a.name, names});
    }
  }

  void attributes() {
    hdf5::write_integer(file_, "format", kFormat);
    hdf5::write_text(file_, "title", metadata_.experiment);
    hdf5::write_text(file_, "config_xxh3", metadata_.config_xxh3);
    hdf5::write_integer(file_, "unit", metadata_.unit);
    std::string keys, coordinates;
    for (const auto& [key, value] : metadata_.made_by) {
      hdf5::write_text(file_, key, value);
      keys += (keys.empty() ? "" : " ") + key;
    }
    hdf5::write_text(file_, "made_by", keys);
    for (const SweptColumn& column : metadata_.swept)
      if (column.key != "seed") coordinates += column.key + " ";
    hdf5::write_text(file_, "coordinates", coordinates + "seed status");  // of the whole file, for xarray
  }

  const UnitResult& result_;
  const ShardMetadata& metadata_;
  hsize_t n_nets_;
  hdf5::Id file_;
  int64_t order_ = 0;
  std::set<std::string> names_;
  std::vector<hdf5::Attachment> attachments_;
};

// ---- reading
class Decoder {
 public:
  Decoder(std::string_view bytes, const std::string& source)
      : source_(source), n_bytes_(bytes.size()), file_(hdf5::open_file(bytes, source)) {}

  Shard shard() {
    if (integer(file_, "format") != kFormat) damaged("not a shard of this version");
    list();
    Shard shard;
    UnitResult& result = shard.result;
    ShardMetadata& metadata = shard.metadata;
    metadata.experiment = text(file_, "title");
    metadata.config_xxh3 = text(file_, "config_xxh3");
    metadata.unit = integer(file_, "unit");
    for (const std::string& key : words(text(file_, "made_by"))) metadata.made_by.emplace_back(key, text(file_, key));

    const Member& net = only(kind::net);
    if (net.data.shape.size() != 1 || net.data.shape[0] == 0) damaged("no networks");
    n_nets_ = net.data.shape[0];
    result.net = along_net<int64_t>(net);
    result.diverged_at = along_net<int64_t>(only(kind::diverged));
    const Member& seed = only(kind::seed);
    metadata.seed = along_net<int64_t>(seed);
    for (const Member& member : members_) {
      const std::string& what = member.kind;
      if (what == kind::swept) metadata.swept.push_back({member.name, swept(member)});
      if (what == kind::column) result.columns.push_back({member.name, doc(member), along_net<double>(member)});
      if (what == kind::series) result.series.push_back(series(member));
      if (what == kind::array) result.arrays.push_back(array(member));
    }
    if (integer(seed.data.id, "swept") != 0) metadata.swept.push_back({"seed", metadata.seed});
    return shard;
  }

 private:
  struct Member {
    std::string name, kind;
    int64_t order = 0;
    hdf5::Dataset data;
  };

  [[noreturn]] void damaged(const std::string& why) const { throw IoError(source_ + ": " + why); }
  std::string text(hid_t object, const std::string& name) const {
    auto value = hdf5::read_text(object, name);
    if (!value) damaged("text '" + name + "' is missing");
    return std::move(*value);
  }
  int64_t integer(hid_t object, const std::string& name) const {
    const auto value = hdf5::read_integer(object, name);
    if (!value) damaged("number '" + name + "' is missing");
    return *value;
  }
  static std::string doc(const Member& member) { return hdf5::read_text(member.data.id, "long_name").value_or(""); }

  void list() {
    for (const std::string& name : hdf5::members(file_, source_)) {
      Member member{name, "", 0, hdf5::open_dataset(file_, name, n_bytes_, source_)};
      member.kind = text(member.data.id, "kind");
      member.order = integer(member.data.id, "order");
      members_.push_back(std::move(member));
    }
    std::stable_sort(members_.begin(), members_.end(),
                     [](const Member& a, const Member& b) { return a.order < b.order; });
  }

  const Member& find(const std::string& name, const char* what) const {
    for (const Member& member : members_)
      if (member.name == name && member.kind == what) return member;
    damaged("'" + name + "' is missing");
  }
  const Member& only(const char* what) const { return find(what, what); }

  template <class T>
  std::vector<T> along_net(const Member& member) const {
    check_shape(member, {n_nets_});
    return hdf5::values<T>(member.data, source_);
  }
  void check_shape(const Member& member, const hdf5::Shape& shape) const {
    if (member.data.shape != shape) damaged("'" + member.name + "' has another shape than expected");
  }

  SweptColumn::Values swept(const Member& member) const {
    const hid_t type = member.data.type;
    if (H5Tget_class(type) == H5T_STRING) {
      check_shape(member, {n_nets_});
      if (!member.data.stored) damaged("'" + member.name + "' has no data");
      std::string block(n_nets_ * member.data.element_bytes, '\0');
      hdf5::read(member.data, block.data(), source_);
      std::vector<std::string> texts;
      for (size_t i = 0; i < n_nets_; ++i) {
        std::string one = block.substr(i * member.data.element_bytes, member.data.element_bytes);
        one.resize(std::min(one.find('\0'), one.size()));
        texts.push_back(std::move(one));
      }
      return texts;
    }
    if (H5Tget_class(type) == H5T_FLOAT) return along_net<double>(member);
    if (H5Tget_size(type) == sizeof(int64_t)) return along_net<int64_t>(member);
    const std::vector<uint8_t> flags = along_net<uint8_t>(member);
    return std::vector<bool>(flags.begin(), flags.end());
  }

  UnitResult::Series series(const Member& member) const {
    const Member& steps = find(text(member.data.id, "steps"), kind::step);
    if (steps.data.shape.size() != 1) damaged("'" + steps.name + "' has another shape than expected");
    check_shape(member, {n_nets_, steps.data.shape[0]});
    return {member.name, doc(member), hdf5::values<int64_t>(steps.data, source_),
            hdf5::values<double>(member.data, source_)};
  }

  UnitResult::Array array(const Member& member) const {
    const hdf5::Shape& shape = member.data.shape;
    UnitResult::Array a{member.name, doc(member), words(text(member.data.id, "dims")), {}, {}};
    if (shape[0] != n_nets_ || a.dims.size() != shape.size() - 1)
      damaged("'" + member.name + "' has another shape than expected");
    a.shape.assign(shape.begin() + 1, shape.end());
    a.value = hdf5::values<float>(member.data, source_);
    return a;
  }

  const std::string& source_;
  size_t n_bytes_;
  hdf5::Id file_;
  hsize_t n_nets_ = 0;
  std::vector<Member> members_;
};

}  // namespace

std::string status_text(int64_t diverged_at) {
  return diverged_at < 0 ? "ok" : "diverged@" + std::to_string(diverged_at);
}

std::string encode_shard(const UnitResult& result, const ShardMetadata& metadata) {
  const hdf5::Session session;
  return Encoder(result, metadata).bytes();
}

Shard decode_shard(std::string_view bytes, const std::string& source) {
  const hdf5::Session session;
  return Decoder(bytes, source).shard();
}

ShardFile write_shard(const std::string& path, const UnitResult& result, const ShardMetadata& metadata) {
  const std::string bytes = encode_shard(result, metadata);
  write_file_atomically(path, bytes);
  return {xxh3(bytes), int64_t(bytes.size())};
}

Shard read_shard(const std::string& path, const ShardFile& expected) {
  const std::string bytes = read_whole_file(path, kMaxShardBytes);
  if (expected != ShardFile{xxh3(bytes), int64_t(bytes.size())})
    throw IoError(path + ": damaged: not the file whose hash the manifest holds");
  return decode_shard(bytes, path);
}

Shard read_shard(const std::string& path) { return decode_shard(read_whole_file(path, kMaxShardBytes), path); }

}  // namespace cohort::engine

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <map>

#include "run/atomic_file.h"
#include "run/json_reader.h"
#include "run/shard.h"
#include "run/shard_index.h"

namespace cohort::engine {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

class Decoder {
 public:
  Decoder(std::string_view bytes, const std::string& source) : bytes_(bytes), read_(source + ": damaged shard") {}

  Shard shard() {
    const nlohmann::json index = read_.parse(index_text());
    read_.integer_of(index, "format", kShardFormat, kShardFormat);
    list(index);

    Shard shard;
    UnitResult& result = shard.result;
    ShardMetadata& metadata = shard.metadata;
    metadata.experiment = read_.text_of(index, "experiment");
    metadata.config_xxh3 = read_.text_of(index, "config_xxh3");
    metadata.unit = read_.integer_of(index, "unit", 0, kMost);
    metadata.made_by = read_.pairs_of(index, "made_by");

    const IndexedDataset& net = only(kind::net);
    if (net.shape.size() != 1 || net.shape[0] == 0) read_.damaged("no networks");
    n_nets_ = net.shape[0];
    result.net = along_net<int64_t>(net);
    result.diverged_at = along_net<int64_t>(only(kind::diverged));
    const IndexedDataset* const overflowed = look_up(kind::overflowed, kind::overflowed);  // shards of 0.1 have none
    result.overflowed_at = overflowed ? along_net<int64_t>(*overflowed) : std::vector<int64_t>(n_nets_, -1);
    metadata.seed = along_net<int64_t>(only(kind::seed));
    for (const IndexedDataset& d : datasets_) {
      if (d.kind == kind::swept) metadata.swept.push_back({d.name, swept(d)});
      if (d.kind == kind::column) result.columns.push_back({d.name, d.doc, along_net<double>(d)});
      if (d.kind == kind::series) result.series.push_back(series(d));
      if (d.kind == kind::array) result.arrays.push_back(array(d));
    }
    const nlohmann::json& seed_is_swept = read_.get(index, "seed_is_swept");
    if (seed_is_swept.is_boolean() && seed_is_swept.get<bool>()) metadata.swept.push_back({"seed", metadata.seed});
    return shard;
  }

 private:
  // The JSON between the HDF5 file, which ends up as `file_bytes_`, and the footer.
  std::string_view index_text() {
    if (bytes_.size() < kShardFooter || !bytes_.ends_with(kShardMark)) read_.damaged("not a whole shard");
    const std::string_view hashed = bytes_.substr(0, bytes_.size() - kShardMark.size() - 16),
                           hash = bytes_.substr(hashed.size(), 16), size = hashed.substr(hashed.size() - 16);
    if (hash != xxh3(hashed)) read_.damaged("its hash does not match");
    size_t n = 0;
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), n, 16);
    if (error != std::errc() || end != size.data() + size.size() || n > hashed.size() - 16)
      read_.damaged("impossible length of its index");
    file_bytes_ = hashed.size() - 16 - n;
    return hashed.substr(file_bytes_, n);
  }

  void list(const nlohmann::json& index) {
    for (const nlohmann::json& value : read_.list(index, "datasets")) {
      IndexedDataset d;
      d.name = read_.text_of(value, "name");
      d.kind = read_.text_of(value, "kind");
      d.doc = read_.text_of(value, "doc");
      d.type = read_.text_of(value, "type");
      for (const auto& size : read_.list(value, "shape"))
        d.shape.push_back(uint64_t(read_.integer(size, "shape", 0, kMost)));
      d.at = uint64_t(read_.integer_of(value, "at", 0, kMost));
      if (d.kind == kind::series) d.steps = read_.text_of(value, "steps");
      if (d.kind == kind::array)
        for (const auto& name : read_.list(value, "dims")) d.dims.push_back(read_.text(name, "dims"));
      datasets_.push_back(std::move(d));
    }
  }

  const IndexedDataset* look_up(const std::string& name, const char* what) const {
    for (const IndexedDataset& d : datasets_)
      if (d.name == name && d.kind == what) return &d;
    return nullptr;
  }
  const IndexedDataset& find(const std::string& name, const char* what) const {
    if (const IndexedDataset* const d = look_up(name, what)) return *d;
    read_.damaged("'" + name + "' is missing");
  }
  const IndexedDataset& only(const char* what) const { return find(what, what); }

  [[noreturn]] void unexpected(const IndexedDataset& d, const char* what) const {
    read_.damaged("'" + d.name + "' has another " + what + " than expected");
  }

  // The elements of a dataset, each of `size` bytes; all of them lie in the HDF5 file.
  std::string_view elements(const IndexedDataset& d, uint64_t size) const {
    uint64_t n = size;
    for (const uint64_t extent : d.shape)
      if (__builtin_mul_overflow(n, extent, &n)) read_.damaged("'" + d.name + "' has an impossible size");
    if (d.at > file_bytes_ || n > file_bytes_ - d.at) read_.damaged("'" + d.name + "' is larger than the file");
    return bytes_.substr(d.at, n);
  }

  template <class T>
  std::vector<T> values(const IndexedDataset& d) const {
    constexpr char letter = std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
    if (d.type != std::string{letter, char('0' + sizeof(T))}) unexpected(d, "type");
    const std::string_view from = elements(d, sizeof(T));
    std::vector<T> to(from.size() / sizeof(T));
    if (!to.empty()) std::memcpy(to.data(), from.data(), from.size());
    return to;
  }
  template <class T>
  std::vector<T> along_net(const IndexedDataset& d) const {
    if (d.shape != std::vector<uint64_t>{n_nets_}) unexpected(d, "shape");
    return values<T>(d);
  }

  SweptColumn::Values swept(const IndexedDataset& d) const {
    if (d.type == "f8") return along_net<double>(d);
    if (d.type == "i8") return along_net<int64_t>(d);
    if (d.type == "u1") {
      const std::vector<uint8_t> flags = along_net<uint8_t>(d);
      return std::vector<bool>(flags.begin(), flags.end());
    }
    uint64_t length = 0;
    const char* const end = d.type.data() + d.type.size();
    if (d.type.size() < 2 || d.type[0] != 'S' || std::from_chars(d.type.data() + 1, end, length).ptr != end ||
        length == 0)
      unexpected(d, "type");
    if (d.shape != std::vector<uint64_t>{n_nets_}) unexpected(d, "shape");
    const std::string_view block = elements(d, length);
    std::vector<std::string> texts;
    for (uint64_t i = 0; i < n_nets_; ++i) {
      const std::string_view text = block.substr(i * length, length);
      texts.emplace_back(text.substr(0, text.find('\0')));
    }
    return texts;
  }

  UnitResult::Series series(const IndexedDataset& d) const {
    const IndexedDataset& steps = find(d.steps, kind::step);
    if (steps.shape.size() != 1 || d.shape != std::vector<uint64_t>{n_nets_, steps.shape[0]}) unexpected(d, "shape");
    return {d.name, d.doc, values<int64_t>(steps), values<double>(d)};
  }

  UnitResult::Array array(const IndexedDataset& d) const {
    if (d.shape.empty() || d.shape[0] != n_nets_ || d.dims.size() != d.shape.size() - 1) unexpected(d, "shape");
    return {d.name, d.doc, d.dims, {d.shape.begin() + 1, d.shape.end()}, values<float>(d)};
  }

  std::string_view bytes_;
  JsonReader read_;
  uint64_t file_bytes_ = 0, n_nets_ = 0;
  std::vector<IndexedDataset> datasets_;
};

}  // namespace

Shard decode_shard(std::string_view bytes, const std::string& source) { return Decoder(bytes, source).shard(); }

}  // namespace cohort::engine

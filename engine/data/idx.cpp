#include "data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <numeric>
#include <random>

#include <fmt/core.h>

#include "cohort/error.h"
#include "data/shown.h"

namespace cohort::engine {
namespace {

constexpr int32_t side = 28;
constexpr size_t image_bytes = size_t(side) * size_t(side);
constexpr uint64_t deflate_ratio = 1032;  // a deflate stream unpacks to at most so many times its size

// One IDX file of `kind` "images" or "labels", opened and with its header checked against what the file can hold.
class IdxFile {
 public:
  static IdxFile images(const std::filesystem::path& directory, const std::string& name) {
    return IdxFile(directory, name, "images", 0x803, 3);
  }
  static IdxFile labels(const std::filesystem::path& directory, const std::string& name) {
    return IdxFile(directory, name, "labels", 0x801, 1);
  }

  int32_t count() const { return count_; }
  const std::string& name() const { return name_; }

  // The whole content, count() items, to `out`; afterwards the file has been read to its end and its checksum is right.
  void read(uint8_t* out) {
    const size_t size = payload();
    const size_t got = read_some(out, size);
    if (got < size)
      fail(fmt::format("truncated: its header promises {} {} ({} bytes), it holds {} bytes of them", count_, kind_,
                       size, got));
    uint8_t extra = 0;
    if (read_some(&extra, 1) != 0)
      fail(fmt::format("too long: its header promises {} {} ({} bytes), more follow", count_, kind_, size));
  }

  [[noreturn]] void fail(const std::string& what) const { throw IoError(name_ + ": " + what); }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };

  IdxFile(const std::filesystem::path& directory, const std::string& name, const char* kind, uint32_t magic, int n_dims)
      : kind_(kind), item_bytes_(n_dims == 3 ? image_bytes : 1) {
    std::error_code error;
    std::filesystem::path path = directory / name;
    if (!std::filesystem::exists(path, error)) path += ".gz";
    name_ = shown(path);
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found)
      throw IoError(fmt::format("{}: not found, neither so nor without .gz (an IDX file of {})", name_, kind));
    if (error) fail(error.message());
    if (!std::filesystem::is_regular_file(status)) fail("not a regular file");
    const uint64_t file_size = std::filesystem::file_size(path, error);
    if (error) fail(error.message());
    if (file_size == 0) fail(fmt::format("empty; an IDX file of {} is expected", kind));

    errno = 0;
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) fail(errno != 0 ? std::strerror(errno) : "cannot be opened");
    gzbuffer(file_.get(), 1u << 17);

    uint32_t header[4] = {};
    for (int i = 0; i < 1 + n_dims; ++i) {
      uint8_t b[4] = {};
      if (read_some(b, 4) < 4)
        fail(fmt::format("truncated in its header of {} bytes; an IDX file of {} is expected", 4 * (1 + n_dims), kind));
      header[i] = uint32_t(b[0]) << 24 | uint32_t(b[1]) << 16 | uint32_t(b[2]) << 8 | uint32_t(b[3]);
      if (i == 0 && header[0] != magic)
        fail(fmt::format("magic number {:#010x}; {:#010x} (IDX {} of unsigned bytes) is expected", header[0], magic,
                         kind));
    }
    if (n_dims == 3 && (header[2] != uint32_t(side) || header[3] != uint32_t(side)))
      fail(fmt::format("images of {} x {} pixels; only {} x {} are read", header[2], header[3], side, side));
    if (header[1] == 0 || header[1] > uint32_t(max_images))
      fail(fmt::format("{} {}; 1 to {} are read", header[1], kind, max_images));
    count_ = int32_t(header[1]);

    const uint64_t header_bytes = 4 * uint64_t(1 + n_dims);
    const bool plain = gzdirect(file_.get()) != 0;
    const uint64_t most = plain ? file_size - header_bytes : file_size * deflate_ratio;
    if (payload() > most)
      fail(fmt::format("truncated: its header promises {} {} ({} bytes), a{} file of {} bytes holds at most {}", count_,
                       kind, payload(), plain ? "" : " gzip", file_size, most));
  }

  size_t payload() const { return size_t(count_) * item_bytes_; }

  // Up to `size` bytes, fewer only at the end of the file.
  size_t read_some(uint8_t* out, size_t size) {
    const int got = gzread(file_.get(), out, unsigned(size));
    int code = Z_OK;
    const char* text = gzerror(file_.get(), &code);
    if (code == Z_BUF_ERROR) fail("truncated gzip stream");
    if (code == Z_ERRNO) fail(fmt::format("cannot be read: {}", std::strerror(errno)));
    if (got < 0 || code != Z_OK) fail(fmt::format("damaged gzip stream ({})", text));
    return size_t(got);
  }

  std::unique_ptr<gzFile_s, Close> file_;
  std::string name_;  // as shown in messages
  const char* kind_;
  size_t item_bytes_;
  int32_t count_ = 0;
};

void require_equal_counts(const IdxFile& images, const IdxFile& labels) {
  if (images.count() != labels.count())
    labels.fail(fmt::format("{} labels for the {} images of {}", labels.count(), images.count(), images.name()));
}

void read_labels(IdxFile& file, uint8_t* labels) {
  file.read(labels);
  for (int32_t i = 0; i < file.count(); ++i)
    if (labels[i] > 9) file.fail(fmt::format("label {} of item {}; 0 to 9 are allowed", labels[i], i));
}

}  // namespace

Dataset ImageSet::view() const {
  Dataset data;
  data.pixels = pixels.data();
  data.labels = labels.data();
  data.rows = rows;
  data.cols = cols;
  std::copy_n(first, 3, data.first);
  std::copy_n(count, 3, data.count);
  return data;
}

ImageSet load_images(const std::string& directory, int32_t validation) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error))
    throw IoError(fmt::format("{}: {}; a directory with the IDX files of an image set is expected", shown(directory),
                              std::filesystem::exists(directory, error) ? "not a directory" : "no such directory"));
  IdxFile train_images = IdxFile::images(directory, "train-images-idx3-ubyte");
  IdxFile train_labels = IdxFile::labels(directory, "train-labels-idx1-ubyte");
  IdxFile test_images = IdxFile::images(directory, "t10k-images-idx3-ubyte");
  IdxFile test_labels = IdxFile::labels(directory, "t10k-labels-idx1-ubyte");
  require_equal_counts(train_images, train_labels);
  require_equal_counts(test_images, test_labels);

  const int32_t n_train = train_images.count(), n_test = test_images.count();
  if (validation == default_validation) validation = std::min(std::max(n_train / 12, 1), n_train - 1);
  if (validation < 0 || validation >= n_train)
    throw Error(fmt::format("task.validation = {}; 0 to {} are allowed, for {} holds {} images", validation,
                            n_train - 1, train_images.name(), n_train));

  ImageSet set;
  set.rows = set.cols = side;
  set.pixels.resize(size_t(n_train + n_test) * image_bytes);
  set.labels.resize(size_t(n_train + n_test));
  train_images.read(set.pixels.data());
  read_labels(train_labels, set.labels.data());
  test_images.read(set.pixels.data() + size_t(n_train) * image_bytes);
  read_labels(test_labels, set.labels.data() + n_train);

  std::mt19937 random(0);
  for (size_t i = size_t(n_train) - 1; i > 0; --i) {
    const size_t j = size_t((uint64_t(random()) * (i + 1)) >> 32);
    uint8_t* const a = set.pixels.data() + i * image_bytes;
    if (i != j) std::swap_ranges(a, a + image_bytes, set.pixels.data() + j * image_bytes);
    std::swap(set.labels[i], set.labels[j]);
  }
  const int32_t n[3] = {n_train - validation, validation, n_test};
  for (int32_t split = 0, first = 0; split < 3; first += n[split++]) {
    set.first[split] = first;
    set.count[split] = n[split];
  }
  return set;
}

ImageSet with_subset(const ImageSet& set, Split of, int32_t n, uint64_t seed) {
  const int32_t there = set.count[int(of)], most = of == Split::test ? there - 1 : there;
  if (n < 1 || n > most)
    throw Error(fmt::format("task.subset = {}; 1 to {} are allowed, for there are {} {} images", n, most, there,
                            of == Split::test ? "test" : "training"));
  std::vector<int32_t> images(static_cast<size_t>(there));
  std::iota(images.begin(), images.end(), set.first[int(of)]);
  std::mt19937 random(static_cast<uint32_t>(seed));
  for (size_t i = 0; i < size_t(n); ++i)
    std::swap(images[i], images[i + size_t((uint64_t(random()) * (images.size() - i)) >> 32)]);

  std::vector<int32_t> order[3];
  order[int(Split::train)].assign(images.begin(), images.begin() + n);
  for (const Split split : {Split::validation, Split::test}) {
    order[int(split)].resize(size_t(set.count[int(split)]));
    std::iota(order[int(split)].begin(), order[int(split)].end(), set.first[int(split)]);
  }
  if (of == Split::test) {
    order[int(Split::test)].assign(images.begin() + n, images.end());
    std::sort(order[int(Split::test)].begin(), order[int(Split::test)].end());
  }
  ImageSet result;
  result.rows = set.rows;
  result.cols = set.cols;
  for (int split = 0; split < 3; ++split) {
    result.first[split] = int32_t(result.labels.size());
    result.count[split] = int32_t(order[split].size());
    for (const int32_t i : order[split]) {
      const auto from = set.pixels.begin() + ptrdiff_t(size_t(i) * image_bytes);
      result.pixels.insert(result.pixels.end(), from, from + ptrdiff_t(image_bytes));
      result.labels.push_back(set.labels[size_t(i)]);
    }
  }
  return result;
}

std::string data_directory(const std::string& option) {
  if (!option.empty()) return option;
  const char* const environment = std::getenv("COHORT_DATA");
  if (environment != nullptr && *environment != '\0') return environment;
  throw Error(
      "this task reads a data set: name its directory by --data DIR or by the environment variable COHORT_DATA");
}

}  // namespace cohort::engine

// The part of the HDF5 C library that shards need, with owned identifiers and exceptions. Files live in memory: they
// are made there and written as bytes, read as bytes and opened there, so the library does no input or output of its
// own.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohort::engine::hdf5 {

// While one is alive its thread has the library for itself, nothing is printed, and no plugin is loaded.
class Session {
 public:
  Session();
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* print_data_ = nullptr;
};

// Throws IoError with `what` and the library's reason where a call has failed.
hid_t check(hid_t result, const std::string& what);

// An identifier, released at the end of its scope.
class Id {
 public:
  Id() = default;
  Id(hid_t id, herr_t (*close)(hid_t), const std::string& what) : id_(check(id, what)), close_(close) {}
  Id(Id&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Id& operator=(Id&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Id() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  herr_t (*close_)(hid_t) = nullptr;
};

using Shape = std::vector<hsize_t>;
hsize_t product(const Shape& shape);  // IoError on overflow

// Types as they are in memory and, on the machines that this is built for, in the file.
template <class T>
hid_t type_of();
template <>
inline hid_t type_of<double>() {
  return H5T_NATIVE_DOUBLE;
}
template <>
inline hid_t type_of<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
inline hid_t type_of<int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
inline hid_t type_of<uint8_t>() {
  return H5T_NATIVE_UINT8;
}
Id text_type(size_t bytes);  // UTF-8, padded with zeros

Id create_file();
std::string image(hid_t file);
Id open_file(std::string_view image, const std::string& what);

// A contiguous dataset without times. Without data (nullptr) it has a shape and nothing else.
Id write_dataset(hid_t file, const std::string& name, hid_t type, const Shape& shape, const void* data);

// Attributes of an object: text of a fixed size, or a whole number. What is absent or of another kind is std::nullopt.
void write_text(hid_t object, const std::string& name, std::string_view text);
void write_integer(hid_t object, const std::string& name, int64_t value);
std::optional<std::string> read_text(hid_t object, const std::string& name);
std::optional<int64_t> read_integer(hid_t object, const std::string& name);

// Dimension scales, as the HDF5 dimension scale specification stores them. A scale names a dimension; `label` is the
// dataset's name, or for a dimension without values what netCDF-4 writes.
void make_scale(hid_t dataset, const std::string& label);
struct Attachment {
  std::string dataset;
  std::vector<std::string> scales;  // one for each dimension
};
void attach_scales(hid_t file, const std::vector<Attachment>& attachments);

// Names of all members of the root group. IoError if one of them is not a hard link.
std::vector<std::string> members(hid_t file, const std::string& what);

// A dataset of an untrusted file of `file_bytes` bytes: contiguous, unfiltered, in the file itself and not beyond its
// end.
struct Dataset {
  Id id, type;
  Shape shape;
  size_t element_bytes = 0;
  bool stored = false;  // it has data, and the file covers them
};
Dataset open_dataset(hid_t file, const std::string& name, size_t file_bytes, const std::string& what);

// Elements of an opened dataset, unconverted, into memory of at least as many bytes.
void read(const Dataset& dataset, void* to, const std::string& what);

// All elements of a dataset that must be of this type. IoError, before anything is allocated, if it has no data.
void require(const Dataset& dataset, hid_t type, const std::string& what);
template <class T>
std::vector<T> values(const Dataset& dataset, const std::string& what) {
  require(dataset, type_of<T>(), what);
  std::vector<T> elements(product(dataset.shape));
  read(dataset, elements.data(), what);
  return elements;
}

}  // namespace cohort::engine::hdf5

// The part of the HDF5 C library that shards need, with owned identifiers and exceptions. Files live in memory: they
// are made there and written as bytes, read as bytes and opened there, so the library does no input or output of its
// own.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohort::engine::hdf5 {

// While one is alive its thread has the library for itself, and nothing is printed.
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
Id text_type(size_t bytes);         // UTF-8, padded with zeros
std::string type_word(hid_t type);  // "f8", "i8", ..., or "S" and the number of bytes

Id create_file();
std::string image(hid_t file);

// A contiguous dataset without times. Without data (nullptr) it has a shape and nothing else.
Id write_dataset(hid_t file, const std::string& name, hid_t type, const Shape& shape, const void* data);
// Where its data begin in the file; 0 if it has none.
uint64_t offset(hid_t dataset);

// Attributes of an object: text of a fixed size, or a whole number.
void write_text(hid_t object, const std::string& name, std::string_view text);
void write_integer(hid_t object, const std::string& name, int64_t value);

// Dimension scales, as the HDF5 dimension scale specification stores them. A scale names a dimension; `label` is the
// dataset's name, or for a dimension without values what netCDF-4 writes.
void make_scale(hid_t dataset, const std::string& label);
struct Attachment {
  std::string dataset;
  std::vector<std::string> scales;  // one for each dimension
};
void attach_scales(hid_t file, const std::vector<Attachment>& attachments);

}  // namespace cohort::engine::hdf5

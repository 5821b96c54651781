#include "run/hdf5.h"

#include <cstddef>
#include <map>

#include "cohort/error.h"

namespace cohort::engine::hdf5 {
namespace {

constexpr size_t kMaxText = 64000;  // an attribute's own limit is 64 KiB

std::mutex& library() {
  static std::mutex mutex;
  return mutex;
}

// The innermost description on the error stack.
std::string reason() {
  std::string text;
  const auto note = [](unsigned, const H5E_error2_t* error, void* to) -> herr_t {
    auto& said = *static_cast<std::string*>(to);
    if (error->desc && said.empty()) said = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note, &text);
  return text.empty() ? "HDF5 gives no reason" : text;
}

Id scalar() { return {H5Screate(H5S_SCALAR), H5Sclose, "HDF5 data space"}; }

Id terminated_text_type(size_t bytes) {
  Id type(H5Tcopy(H5T_C_S1), H5Tclose, "HDF5 text type");
  check(H5Tset_size(type, bytes), "HDF5 text type");
  return type;
}

void write_attribute(hid_t object, const std::string& name, hid_t type, hid_t space, const void* value) {
  const Id attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                     "attribute " + name);
  check(H5Awrite(attribute, type, value), "attribute " + name);
}

}  // namespace

Session::Session() : lock_(library()) {
  H5open();
  H5Eget_auto2(H5E_DEFAULT, &print_, &print_data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}
Session::~Session() { H5Eset_auto2(H5E_DEFAULT, print_, print_data_); }

hid_t check(hid_t result, const std::string& what) {
  if (result < 0) throw IoError(what + ": " + reason());
  return result;
}

hsize_t product(const Shape& shape) {
  hsize_t n = 1;
  for (const hsize_t size : shape)
    if (__builtin_mul_overflow(n, size, &n)) throw IoError("a dataset has an impossible size");
  return n;
}

Id text_type(size_t bytes) {
  Id type = terminated_text_type(bytes == 0 ? 1 : bytes);
  check(H5Tset_cset(type, H5T_CSET_UTF8), "HDF5 text type");
  check(H5Tset_strpad(type, H5T_STR_NULLPAD), "HDF5 text type");
  return type;
}

std::string type_word(hid_t type) {
  const H5T_class_t kind = H5Tget_class(type);
  const char* const letter = kind == H5T_STRING                  ? "S"
                             : kind == H5T_FLOAT                 ? "f"
                             : H5Tget_sign(type) == H5T_SGN_NONE ? "u"
                                                                 : "i";
  return letter + std::to_string(H5Tget_size(type));
}

// ---- files
Id create_file() {
  const Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "HDF5 file"),
      creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "HDF5 file");
  check(H5Pset_fapl_core(access, size_t(1) << 20, false), "HDF5 file");
  check(H5Pset_obj_track_times(creation, false), "HDF5 file");
  return {H5Fcreate("shard", H5F_ACC_TRUNC, creation, access), H5Fclose, "HDF5 file"};
}

std::string image(hid_t file) {
  check(H5Fflush(file, H5F_SCOPE_GLOBAL), "HDF5 file");
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  check(size, "HDF5 file");
  std::string bytes(size_t(size), '\0');
  check(H5Fget_file_image(file, bytes.data(), bytes.size()), "HDF5 file");
  return bytes;
}

// ---- writing
Id write_dataset(hid_t file, const std::string& name, hid_t type, const Shape& shape, const void* data) {
  const std::string what = "dataset " + name;
  const Id space(H5Screate_simple(int(shape.size()), shape.data(), nullptr), H5Sclose, what);
  const Id creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, what);
  check(H5Pset_obj_track_times(creation, false), what);
  Id dataset(H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT), H5Dclose, what);
  if (data && product(shape) > 0) check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), what);
  return dataset;
}

uint64_t offset(hid_t dataset) {
  const haddr_t at = H5Dget_offset(dataset);
  return at == HADDR_UNDEF ? 0 : at;
}

void write_text(hid_t object, const std::string& name, std::string_view text) {
  if (text.size() > kMaxText) throw Error("text of " + name + " is too long for a shard");
  std::string padded(text);
  if (padded.empty()) padded.push_back('\0');
  write_attribute(object, name, text_type(padded.size()), scalar(), padded.data());
}

void write_integer(hid_t object, const std::string& name, int64_t value) {
  write_attribute(object, name, H5T_NATIVE_INT64, scalar(), &value);
}

void make_scale(hid_t dataset, const std::string& label) {
  constexpr char scale_class[] = "DIMENSION_SCALE";
  write_attribute(dataset, "CLASS", terminated_text_type(sizeof scale_class), scalar(), scale_class);
  write_attribute(dataset, "NAME", terminated_text_type(label.size() + 1), scalar(), label.c_str());
}

void attach_scales(hid_t file, const std::vector<Attachment>& attachments) {
  struct BackReference {  // an element of REFERENCE_LIST
    hobj_ref_t dataset = 0;
    int32_t dimension = 0, padding = 0;
  };
  const auto reference = [&](const std::string& name) {
    hobj_ref_t to = 0;
    check(H5Rcreate(&to, file, name.c_str(), H5R_OBJECT, H5I_INVALID_HID), "reference to " + name);
    return to;
  };
  const auto open = [&](const std::string& name) {
    return Id(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, "dataset " + name);
  };
  const auto list = [](hsize_t size) { return Id(H5Screate_simple(1, &size, nullptr), H5Sclose, "HDF5 data space"); };

  const Id list_type(H5Tvlen_create(H5T_STD_REF_OBJ), H5Tclose, "dimension list");
  std::map<std::string, std::vector<BackReference>> users;
  for (const auto& [name, scales] : attachments) {
    std::vector<hobj_ref_t> references;
    for (size_t d = 0; d < scales.size(); ++d) {
      references.push_back(reference(scales[d]));
      users[scales[d]].push_back({reference(name), int32_t(d), 0});
    }
    std::vector<hvl_t> elements;
    for (hobj_ref_t& to : references) elements.push_back({1, &to});
    write_attribute(open(name), "DIMENSION_LIST", list_type, list(elements.size()), elements.data());
  }

  const Id user_type(H5Tcreate(H5T_COMPOUND, sizeof(BackReference)), H5Tclose, "reference list");
  check(H5Tinsert(user_type, "dataset", offsetof(BackReference, dataset), H5T_STD_REF_OBJ), "reference list");
  check(H5Tinsert(user_type, "dimension", offsetof(BackReference, dimension), H5T_NATIVE_INT32), "reference list");
  for (const auto& [scale, of] : users)
    write_attribute(open(scale), "REFERENCE_LIST", user_type, list(of.size()), of.data());
}

}  // namespace cohort::engine::hdf5

#include "inference/hdf5_columns.h"

#include <fmt/format.h>

#include <cmath>

#include "cohort/error.h"
#include "data/shown.h"
#include "run/hdf5.h"

namespace cohort::engine {
namespace {

using hdf5::Id;

constexpr hsize_t max_columns = 10'000;

// The file in memory, as the library's core driver sees it: nothing is read from or written to a disk.
Id open_image(std::string_view bytes) {
  const Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "HDF5 file");
  hdf5::check(H5Pset_fapl_core(access, size_t(1) << 20, false), "HDF5 file");
  hdf5::check(H5Pset_file_image(access, const_cast<char*>(bytes.data()), bytes.size()), "HDF5 file");
  return {H5Fopen("weights", H5F_ACC_RDONLY, access), H5Fclose, "not a whole HDF5 file"};
}

Columns read(std::string_view bytes, const std::string& name, const ColumnRequest& request) {
  const auto refuse = [](const std::string& what) { throw Error(what); };
  const Id file = open_image(bytes);
  const Id dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, "no such dataset");
  const Id creation(H5Dget_create_plist(dataset), H5Pclose, "dataset"), type(H5Dget_type(dataset), H5Tclose, "dataset"),
      space(H5Dget_space(dataset), H5Sclose, "dataset");
  const H5T_class_t kind = H5Tget_class(type);
  if (kind != H5T_FLOAT && kind != H5T_INTEGER) refuse("not a dataset of numbers");
  if (H5Pget_external_count(creation) > 0 || H5Pget_layout(creation) == H5D_VIRTUAL)
    refuse("its data are in other files");
  const int n_dims = H5Sget_simple_extent_ndims(space);
  if (n_dims != 1 && n_dims != 2) refuse(fmt::format("{} dimensions; shapes [n] and [n][k] are read", n_dims));
  hdf5::Shape shape(size_t(n_dims), 0);
  hdf5::check(H5Sget_simple_extent_dims(space, shape.data(), nullptr), "dataset");
  const hsize_t rows = shape[0], n_columns = n_dims == 2 ? shape[1] : 1;
  if (rows > max_synapses || n_columns < 1 || n_columns > max_columns)
    refuse(
        fmt::format("shape [{}][{}]; up to {} rows of 1 to {} are read", rows, n_columns, max_synapses, max_columns));

  Columns columns;
  if (rows == 0) return Columns(request.count);
  const Id memory(H5Screate_simple(1, &rows, nullptr), H5Sclose, "dataset");
  for (const size_t c : numbered_columns(request, n_columns)) {
    const hsize_t start[2] = {0, c}, count[2] = {rows, 1};
    hdf5::check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr), "dataset");
    std::vector<double>& column = columns.emplace_back(rows);
    hdf5::check(H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, column.data()), "cannot be read");
    for (hsize_t r = 0; r < rows; ++r)
      if (!std::isfinite(column[r])) refuse(fmt::format("row {}, column {}: not finite", r + 1, c + 1));
  }
  return columns;
}

}  // namespace

bool is_hdf5(std::string_view bytes) { return bytes.starts_with("\x89HDF\r\n\x1a\n"); }

Columns read_hdf5(std::string_view bytes, const std::string& dataset, const ColumnRequest& request) {
  const hdf5::Session session;
  try {
    return read(bytes, dataset, request);
  } catch (const IoError& e) {  // the library's word on a damaged file
    throw Error(fmt::format("{}:{}: {}", request.file, printable(dataset), printable(e.what())));
  } catch (const Error& e) {
    throw Error(fmt::format("{}:{}: {}", request.file, printable(dataset), e.what()));
  }
}

}  // namespace cohort::engine

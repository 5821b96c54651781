#include "run/shard.h"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <cstring>

#include "cohort/error.h"
#include "fixture.h"
#include "run/atomic_file.h"
#include "run/shard_index.h"

namespace cohort::engine {
namespace {

ShardMetadata words() {
  return {"small",
          "0123456789abcdef",
          7,
          {{"tool", "cohort"}, {"backend", "cpu"}, {"empty", ""}},
          {{"rule.geometry", std::vector<std::string>{"euclidean", "", "p_norm \xC2\xB5"}},
           {"init.rank", std::vector<int64_t>{1, -2, int64_t(1) << 60}},
           {"rule.lr", std::vector<double>{0.1, 1e-300, 3}},
           {"network.bias", std::vector<bool>{true, false, true}},
           {"seed", std::vector<int64_t>{5, 6, 7}}},
          {5, 6, 7}};
}

void expect_equal(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    if (std::isnan(a[i]))
      EXPECT_TRUE(std::isnan(b[i]));
    else
      EXPECT_EQ(a[i], b[i]);
}

TEST(Shard, RoundTrip) {
  const UnitResult result = made_up({2, 3, 11});
  const Shard shard = decode_shard(encode_shard(result, words()), "memory");
  EXPECT_EQ(shard.metadata.experiment, "small");
  EXPECT_EQ(shard.metadata.config_xxh3, "0123456789abcdef");
  EXPECT_EQ(shard.metadata.unit, 7);
  EXPECT_EQ(shard.metadata.made_by, words().made_by);
  EXPECT_EQ(shard.metadata.seed, words().seed);
  ASSERT_EQ(shard.metadata.swept.size(), words().swept.size());
  for (size_t k = 0; k < words().swept.size(); ++k) {
    EXPECT_EQ(shard.metadata.swept[k].key, words().swept[k].key);
    EXPECT_EQ(shard.metadata.swept[k].value, words().swept[k].value);
  }
  EXPECT_EQ(shard.result.net, result.net);
  EXPECT_EQ(shard.result.diverged_at, result.diverged_at);
  EXPECT_EQ(shard.result.overflowed_at, (std::vector<int64_t>{5, 6, -1}));
  ASSERT_EQ(shard.result.columns.size(), result.columns.size());
  for (size_t i = 0; i < result.columns.size(); ++i) {
    EXPECT_EQ(shard.result.columns[i].name, result.columns[i].name);
    EXPECT_EQ(shard.result.columns[i].doc, result.columns[i].doc);
    expect_equal(shard.result.columns[i].value, result.columns[i].value);
  }
  ASSERT_EQ(shard.result.series.size(), result.series.size());
  for (size_t i = 0; i < result.series.size(); ++i) {
    EXPECT_EQ(shard.result.series[i].name, result.series[i].name);
    EXPECT_EQ(shard.result.series[i].step, result.series[i].step);
    expect_equal(shard.result.series[i].value, result.series[i].value);
  }
  ASSERT_EQ(shard.result.arrays.size(), result.arrays.size());
  for (size_t i = 0; i < result.arrays.size(); ++i) {
    EXPECT_EQ(shard.result.arrays[i].name, result.arrays[i].name);
    EXPECT_EQ(shard.result.arrays[i].dims, result.arrays[i].dims);
    EXPECT_EQ(shard.result.arrays[i].shape, result.arrays[i].shape);
    EXPECT_EQ(shard.result.arrays[i].value, result.arrays[i].value);
  }
}

// A dataset as the HDF5 library reads it, which the engine does not.
template <class T>
std::vector<T> as_hdf5_reads_it(hid_t file, const char* name, hid_t type) {
  const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(dataset);
  std::vector<T> values(size_t(H5Sget_simple_extent_npoints(space)));
  EXPECT_GE(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0) << name;
  H5Sclose(space);
  H5Dclose(dataset);
  return values;
}

TEST(Shard, Hdf5ReadsTheSame) {
  const TemporaryDirectory here;
  const UnitResult result = made_up({2, 3, 11});
  write_shard(here / "shard.h5", result, words());
  const hid_t file = H5Fopen((here / "shard.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  ASSERT_GE(file, 0);
  EXPECT_EQ(as_hdf5_reads_it<int64_t>(file, "net", H5T_NATIVE_INT64), result.net);
  EXPECT_EQ(as_hdf5_reads_it<int64_t>(file, "diverged_at", H5T_NATIVE_INT64), result.diverged_at);
  EXPECT_EQ(as_hdf5_reads_it<int64_t>(file, "overflowed_at", H5T_NATIVE_INT64), result.overflowed_at);
  for (const auto& column : result.columns)
    expect_equal(as_hdf5_reads_it<double>(file, column.name.c_str(), H5T_NATIVE_DOUBLE), column.value);
  for (const auto& series : result.series)
    expect_equal(as_hdf5_reads_it<double>(file, series.name.c_str(), H5T_NATIVE_DOUBLE), series.value);
  for (const auto& array : result.arrays)
    EXPECT_EQ(as_hdf5_reads_it<float>(file, array.name.c_str(), H5T_NATIVE_FLOAT), array.value);
  H5Fclose(file);
}

TEST(Shard, TheSameResultsGiveTheSameBytes) {
  const TemporaryDirectory here;
  const UnitResult result = made_up({2, 3, 11});
  const ShardFile a = write_shard(here / "a.h5", result, words());
  ::usleep(1100000);  // HDF5 keeps times in seconds
  const ShardFile b = write_shard(here / "b.h5", result, words());
  EXPECT_EQ(a, b);
  EXPECT_EQ(slurp(here / "a.h5"), slurp(here / "b.h5"));
  EXPECT_EQ(a.xxh3, xxh3(slurp(here / "a.h5")));
  EXPECT_EQ(a.bytes, int64_t(slurp(here / "a.h5").size()));
}

TEST(Shard, WithoutSweptKeysSeriesAndArrays) {
  UnitResult result = made_up({0});
  result.series.clear();
  result.arrays.clear();
  const Shard shard = decode_shard(encode_shard(result, {"one", "x", 0, {}, {}, {42}}), "memory");
  EXPECT_TRUE(shard.metadata.swept.empty());
  EXPECT_EQ(shard.metadata.seed, std::vector<int64_t>{42});
}

TEST(Shard, WhatDoesNotFitIsRefused) {
  const ShardMetadata metadata{"one", "x", 0, {}, {}, {1, 2}};
  const UnitResult good = made_up({0, 1});
  const auto refused = [&](UnitResult r, const ShardMetadata& m) { EXPECT_THROW(encode_shard(r, m), Error); };
  refused(made_up({}), {"one", "x", 0, {}, {}, {}});
  refused(good, {"one", "x", 0, {}, {}, {1}});
  refused(good, {"one", "x", 0, {}, {{"a", std::vector<double>{1}}}, {1, 2}});
  UnitResult r = good;
  r.columns[0].value.pop_back();
  refused(r, metadata);
  r = good;
  r.overflowed_at.pop_back();
  refused(r, metadata);
  r = good;
  r.columns[1].name = r.columns[0].name;
  refused(r, metadata);
  r = good;
  r.columns[0].name = "a/b";
  refused(r, metadata);
  r = good;
  r.series[0].value.pop_back();
  refused(r, metadata);
  r = good;
  r.arrays[0].shape[0] = 5;
  refused(r, metadata);
  r = good;
  r.arrays[0].dims = {"to", "to"};
  r.arrays[0].shape = {2, 2};
  r.arrays[0].value.resize(8);
  refused(r, metadata);
  r = good;
  r.arrays[0].dims = {"to"};
  refused(r, metadata);
}

// What versions without other precisions wrote: here the same, its index with another word for the dataset.
TEST(Shard, WithoutOverflowsNoNetworkOverflowed) {
  std::string bytes = encode_shard(made_up({2, 3, 11}), words());
  const std::string_view mark = kShardMark;
  const size_t footer = bytes.size() - kShardFooter, length = std::stoul(bytes.substr(footer, 16), nullptr, 16);
  std::string hashed = bytes.substr(0, footer + 16);
  for (size_t at = footer - length; (at = hashed.find("overflowed_at", at)) != std::string::npos;)
    hashed.replace(at, 13, "something_new");
  const Shard shard = decode_shard(hashed + xxh3(hashed) + std::string(mark), "memory");
  EXPECT_EQ(shard.result.overflowed_at, (std::vector<int64_t>{-1, -1, -1}));
  EXPECT_EQ(shard.result.diverged_at, made_up({2, 3, 11}).diverged_at);
}

// Python with xarray and h5netcdf: $COHORT_PYTHON, else python3; "" if there is none.
std::string python_with_xarray() {
  for (const std::string& python :
       {std::string(std::getenv("COHORT_PYTHON") ? std::getenv("COHORT_PYTHON") : ""), std::string("python3")})
    if (!python.empty() && std::system((python + " -c 'import xarray, h5netcdf' > /dev/null 2>&1").c_str()) == 0)
      return python;
  return "";
}

constexpr const char* kLook = R"(
import sys, numpy as np, xarray as xr
d = xr.open_dataset(sys.argv[1], engine="h5netcdf").load()
assert dict(d.sizes) == {"net": 3, "step": 3, "step.eval.loss": 2, "to": 2, "from_3": 3, "from_1": 1}, d.sizes
assert set(d.coords) == {"net", "seed", "status", "init.rank", "rule.geometry", "rule.lr", "network.bias", "step", "step.eval.loss"}, d.coords
assert d["net"].values.tolist() == [2, 3, 11]
assert d["status"].values.tolist() == ["ok", "diverged@7", "ok"], d["status"].values
assert d["overflowed_at"].dims == ("net",) and d["overflowed_at"].values.tolist() == [5, 6, -1]
assert d["rule.geometry"].values.tolist() == ["euclidean", "", "p_norm \u00b5"]
assert d["init.rank"].values.tolist() == [1, -2, 2**60]
assert d["network.bias"].values.tolist() == [True, False, True] and d["network.bias"].dtype == bool
assert d["seed"].values.tolist() == [5, 6, 7]
assert d["loss"].dims == ("net", "step") and d["loss"].sel(net=11, step=5).item() == 1105
assert d["eval.loss"].dims == ("net", "step.eval.loss")
assert d["final.loss"].sel(net=2).item() == 1 / 3 and np.isnan(d["final.loss"].sel(net=3).item())
assert d["weights.recurrent.final"].dims == ("net", "to", "from_3") and d["weights.recurrent.final"].dtype == np.float32
assert d["weights.recurrent.final"].values[2].tolist() == [[11, 11.125, 11.25], [11.375, 11.5, 11.625]]
assert d["loss"].attrs["long_name"] == "training loss" and d["loss"].attrs["units"] == "1"
assert d.attrs["title"] == "small" and d.attrs["unit"] == 7 and d.attrs["backend"] == "cpu"
# Every dataset of the file is a variable or a dimension.
import h5py
with h5py.File(sys.argv[1]) as f:
    assert set(f) == set(d.variables) | set(d.sizes), set(f) ^ set(d.variables)
    for name in f:
        assert f[name].is_scale or all(len(x) == 1 for x in f[name].dims), name
)";

TEST(Shard, OpensInXarrayAsItIs) {
  const std::string python = python_with_xarray();
  if (python.empty()) GTEST_SKIP() << "no Python with xarray and h5netcdf ($COHORT_PYTHON or python3)";
  const TemporaryDirectory here;
  write_shard(here / "shard.h5", made_up({2, 3, 11}), words());
  spill(here / "look.py", kLook);
  EXPECT_EQ(std::system((python + " '" + (here / "look.py") + "' '" + (here / "shard.h5") + "'").c_str()), 0);
}

}  // namespace
}  // namespace cohort::engine

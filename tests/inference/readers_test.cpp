// Weights from files: what is read, what is refused and with which words; damaged files never crash.
#include <gtest/gtest.h>
#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "cohort/error.h"
#include "inference/csv_columns.h"
#include "inference/hdf5_columns.h"
#include "inference/npy_columns.h"
#include "inference/weight_pairs.h"

namespace cohort::engine {
namespace {

ColumnRequest two(std::vector<std::string> names = {}) {
  return {.file = "w", .count = 2, .names = std::move(names), .usual = {"before", "after"}};
}
ColumnRequest one(std::vector<std::string> names = {}) {
  return {.file = "w", .count = 1, .names = std::move(names), .usual = {"before"}};
}

template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    return e.what();
  }
  return "no error";
}
std::string csv_error(const std::string& text, const ColumnRequest& request = two()) {
  return message_of([&] { read_csv(text, request); });
}

const Columns expected = {{1, -2.5, 3e-3}, {0.5, 4, -1}};

TEST(Csv, ReadsEverySeparatorWithAndWithoutNames) {
  for (const std::string separator : {",", ";", "\t", " ", ", ", "   "}) {
    const auto row = [&](const char* a, const char* b) { return a + separator + b + "\n"; };
    const std::string rows = row("1", ".5") + row("-2.5", "4e0") + row("3e-3", "-1");
    EXPECT_EQ(read_csv(rows, two()), expected) << "'" << separator << "'";
    EXPECT_EQ(read_csv(row("before", "after") + rows, two()), expected);
    EXPECT_EQ(read_csv("# a remark\n\n" + row("\"w 0\"", "\"w 1\"") + rows, two()), expected);
  }
  EXPECT_EQ(read_csv("\xEF\xBB\xBF"
                     "a,b\r\n1,0.5\r\n-2.5,+4\r\n3e-3,-1",
                     two()),
            expected);
}

TEST(Csv, ChoosesColumnsByNameAndNumber) {
  const std::string text = "id,after,before,3\ns1,.5,1,x\ns2,4,-2.5,y\ns3,-1,.003,z\n";
  EXPECT_EQ(read_csv(text, two()), expected) << "the usual names";
  EXPECT_EQ(read_csv(text, two({"before", "after"})), expected);
  EXPECT_EQ(read_csv(text, two({"before", "2"})), expected);
  EXPECT_EQ(read_csv("7,1,.5\n7,-2.5,4\n7,.003,-1\n", two({"2", "3"})), expected);
  EXPECT_EQ(read_csv("1\n-2.5\n.003\n", one()), Columns{expected[0]});
}

TEST(Csv, RefusesWithThePlace) {
  EXPECT_EQ(csv_error("a,b\n1,2\n3, x\n"), "w:3:4: \"x\" is not a number");
  EXPECT_EQ(csv_error("a,b\n1,2\n3,\n"), "w:3:3: an empty field where a number is expected");
  EXPECT_EQ(csv_error("a,b\n1,nan\n"), "w:2:3: \"nan\" is not finite");
  EXPECT_EQ(csv_error("a,b\n1,1e999\n"), "w:2:3: \"1e999\" is not finite");
  EXPECT_EQ(csv_error("a,b\n1,2\n1\n"), "w:3:2: 1 fields where the first row has 2");
  EXPECT_EQ(csv_error("a,b\n1,2\n1,2,3\n"), "w:3:5: 3 fields where the first row has 2");
  EXPECT_EQ(csv_error("\xC3\xA4,b\n1,2\n\"\xC3\xA4\",3\n"), "w:3:1: \"\xC3\xA4\" is not a number");
  EXPECT_EQ(csv_error("a,\"b\n1,2\n"), "w:1:3: a quote without its end in this line");
  EXPECT_EQ(csv_error("a,\"b\"c\n1,2\n"), "w:1:6: text after a closing quote");
  EXPECT_EQ(csv_error(std::string("a,b\n1,\0\n", 8)),
            "w:2:3: a control character: neither text (CSV) nor an NPY or HDF5 file");
  EXPECT_EQ(csv_error(""), "w:0:1: no rows; a table of numbers is expected");
  EXPECT_EQ(csv_error("a,b\n"), "w:1:1: names of columns and no numbers");
  EXPECT_EQ(csv_error("1,2,3\n"), "w: 3 columns; choose 2 by --columns");
  EXPECT_EQ(csv_error("1,2,3\n", two({"4", "1"})), "--columns \"4\": w has columns 1 to 3 and no names");
  EXPECT_EQ(csv_error("before,aftre\n1,2\n", two({"before", "after"})),
            "w:1:1: no column \"after\" (--columns); did you mean \"aftre\"?");
  EXPECT_EQ(csv_error("a,a,b\n1,2,3\n", two({"a", "b"})), "w:1:1: two columns named \"a\"; choose by number");
}

// ---- NPY
template <class Real>
std::string npy(const std::string& dtype, const std::string& order, const std::string& shape,
                const std::vector<double>& values, int version = 1, bool swapped = false) {
  std::string header = "{'descr': '" + dtype + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  header.resize((header.size() + 64) / 64 * 64, ' ');
  header.back() = '\n';
  std::string out = "\x93NUMPY";
  out += char(version);
  out += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out += char(header.size() >> (8 * i) & 0xff);
  out += header;
  for (const double value : values) {
    const Real real = Real(value);
    char bytes[sizeof(Real)];
    std::memcpy(bytes, &real, sizeof bytes);
    if (swapped) std::reverse(bytes, bytes + sizeof bytes);
    out.append(bytes, sizeof bytes);
  }
  return out;
}
const std::vector<double> by_rows = {1, 0.5, -2.5, 4, 0.25, -1}, by_columns = {1, -2.5, 0.25, 0.5, 4, -1};
const Columns exact = {{1, -2.5, 0.25}, {0.5, 4, -1}};  // in float, too

TEST(Npy, ReadsBothOrdersByteOrdersSizesAndVersions) {
  for (const int version : {1, 2, 3}) {
    EXPECT_EQ(read_npy(npy<double>("<f8", "False", "(3, 2)", by_rows, version), two()), exact);
    EXPECT_EQ(read_npy(npy<double>("<f8", "True", "(3, 2)", by_columns, version), two()), exact);
    EXPECT_EQ(read_npy(npy<double>(">f8", "False", "(3, 2)", by_rows, version, true), two()), exact);
    EXPECT_EQ(read_npy(npy<float>("<f4", "False", "(3, 2)", by_rows, version), two()), exact);
    EXPECT_EQ(read_npy(npy<float>(">f4", "True", "(3, 2)", by_columns, version, true), two()), exact);
  }
  EXPECT_EQ(read_npy(npy<double>("<f8", "False", "(6,)", by_rows), one())[0], by_rows);
  EXPECT_EQ(read_npy(npy<double>("<f8", "True", "(6,)", by_rows), one())[0], by_rows);
  EXPECT_EQ(read_npy(npy<double>("<f8", "False", "(3, 2)", by_rows), two({"2", "1"})), (Columns{exact[1], exact[0]}));
}

TEST(Npy, RefusesWhatItIsNot) {
  const auto error = [](const std::string& bytes) { return message_of([&] { read_npy(bytes, two()); }); };
  const auto whole = npy<double>("<f8", "False", "(3, 2)", by_rows);
  EXPECT_NE(error(whole.substr(0, whole.size() - 1)).find("has 48 bytes of data; this one has 47"), std::string::npos);
  EXPECT_NE(error(whole + "x").find("this one has 49"), std::string::npos);
  EXPECT_NE(error(npy<double>("|O", "False", "(3, 2)", by_rows)).find("dtype \"|O\""), std::string::npos);
  EXPECT_NE(error(npy<double>("<i8", "False", "(3, 2)", by_rows)).find("dtype \"<i8\""), std::string::npos);
  EXPECT_NE(error(npy<double>("<f2", "False", "(3, 2)", by_rows)).find("dtype \"<f2\""), std::string::npos);
  EXPECT_NE(error(npy<double>("<f8", "False", "()", {1})).find("0 dimensions"), std::string::npos);
  EXPECT_NE(error(npy<double>("<f8", "False", "(3, 2, 1)", by_rows)).find("3 dimensions"), std::string::npos);
  for (const char* absurd : {"(18446744073709551615, 2)", "(4611686018427387904, 4)", "(3, 18446744073709551615)",
                             "(99999999999999999999999, 2)", "(-3, 2)", "(3.0, 2)", "(3, 0)", "('a', 2)", "3, 2"})
    EXPECT_NE(error(npy<double>("<f8", "False", absurd, by_rows)), "no error") << absurd;
  EXPECT_NE(error(npy<double>("<f8", "Maybe", "(3, 2)", by_rows)).find("neither True nor False"), std::string::npos);
  EXPECT_NE(error(npy<double>("<f8", "False", "(3, 2)", {1, 2, 3, 4, 5, HUGE_VAL})).find("row 3, column 2: not finite"),
            std::string::npos);
  EXPECT_NE(error(std::string("\x93NUMPY\x09\0\x10\0", 10)).find("NPY format 9.0"), std::string::npos);
  EXPECT_NE(error(std::string("\x93NUMPY\x01\0\xff\xff", 10)).find("header of 65535 bytes"), std::string::npos);
}

// ---- HDF5
std::string hdf5_file(bool compressed = false) {
  const std::string path = testing::TempDir() + "readers_test.h5";
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t group = H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t shape[2] = {3, 2};
  const hid_t plane = H5Screate_simple(2, shape, nullptr), line = H5Screate_simple(1, shape, nullptr);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  if (compressed) {
    H5Pset_chunk(creation, 2, shape);
    H5Pset_deflate(creation, 6);
  }
  const auto write = [&](hid_t where, const char* name, hid_t type, hid_t space, hid_t memory, const void* data,
                         hid_t how) {
    const hid_t dataset = H5Dcreate2(where, name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
    if (data) H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    H5Dclose(dataset);
  };
  write(group, "w", H5T_IEEE_F64BE, plane, H5T_NATIVE_DOUBLE, by_rows.data(), creation);
  write(group, "before", H5T_IEEE_F32LE, line, H5T_NATIVE_DOUBLE, exact[0].data(), H5P_DEFAULT);
  const hid_t text = H5Tcopy(H5T_C_S1);
  write(file, "text", text, line, text, "abc", H5P_DEFAULT);
  const hsize_t absurd[1] = {hsize_t(1) << 60};
  const hid_t huge = H5Screate_simple(1, absurd, nullptr), chunks = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t chunk[1] = {1024};
  H5Pset_chunk(chunks, 1, chunk);
  write(file, "huge", H5T_NATIVE_DOUBLE, huge, H5T_NATIVE_DOUBLE, nullptr, chunks);
  const hid_t elsewhere = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(elsewhere, "/etc/passwd", 0, 24);
  write(file, "elsewhere", H5T_NATIVE_DOUBLE, line, H5T_NATIVE_DOUBLE, nullptr, elsewhere);
  for (const hid_t id : {plane, line, huge}) H5Sclose(id);
  for (const hid_t id : {creation, chunks, elsewhere}) H5Pclose(id);
  H5Tclose(text);
  H5Gclose(group);
  H5Fclose(file);
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Hdf5, ReadsDatasetsOfAnyNumbers) {
  for (const bool compressed : {false, true}) {
    const std::string file = hdf5_file(compressed);
    EXPECT_TRUE(is_hdf5(file));
    EXPECT_EQ(read_hdf5(file, "/g/w", two()), exact);
    EXPECT_EQ(read_hdf5(file, "/g/w", one({"2"})), Columns{exact[1]});
    EXPECT_EQ(read_hdf5(file, "/g/before", one()), Columns{exact[0]});
  }
}

TEST(Hdf5, RefusesWhatItIsNot) {
  const std::string file = hdf5_file();
  const auto error = [&](const std::string& bytes, const char* dataset) {
    return message_of([&] { read_hdf5(bytes, dataset, one()); });
  };
  EXPECT_NE(error(file, "/g/none").find("w:/g/none: no such dataset"), std::string::npos);
  EXPECT_NE(error(file, "/text").find("not a dataset of numbers"), std::string::npos);
  EXPECT_NE(error(file, "/huge").find("up to 50000000 rows"), std::string::npos);
  EXPECT_NE(error(file, "/elsewhere").find("its data are in other files"), std::string::npos);
  EXPECT_NE(error(file, "/g/w").find("2 columns; choose one by --columns"), std::string::npos);
  EXPECT_NE(error(file.substr(0, file.size() / 2), "/g/w").find("not a whole HDF5 file"), std::string::npos);
}

// ---- damage
TEST(Damage, NeverCrashes) {
  std::mt19937_64 random(1);
  const auto damaged = [&](std::string bytes) {
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    for (int i = 0; i < 3 && !bytes.empty(); ++i) bytes[random() % bytes.size()] = char(random());
    return bytes;
  };
  const std::string table = npy<double>("<f8", "False", "(3, 2)", by_rows);
  const std::string text = "before;after\n1;.5\n-2.5;4\n\"3e-3\";-1\n";
  for (int i = 0; i < 20000; ++i) {
    try {
      read_npy(damaged(table) + std::string(10, ' '), two());
    } catch (const Error&) {
    }
    try {
      read_csv(damaged(text), two());
    } catch (const Error&) {
    }
  }
}

// ---- pairs
TEST(WeightPairs, AreCheckedTogether) {
  const std::string folder = testing::TempDir();
  const auto file = [&](const char* name, const std::string& text) {
    const std::string path = folder + name;
    std::ofstream(path) << text;
    return path;
  };
  std::string numbers, both;
  for (int i = 0; i < 12; ++i) numbers += std::to_string(i + 1) + "\n", both += std::to_string(i + 1) + " 2\n";
  const std::string a = file("a.csv", numbers), b = file("b.csv", both), h5 = folder + "readers_test.h5";
  hdf5_file();
  EXPECT_EQ(read_weight_pairs(b, "", {}).after, std::vector<double>(12, 2));
  EXPECT_EQ(read_weight_pairs(a, b, {"1", "2"}).after, std::vector<double>(12, 2));
  EXPECT_EQ(read_weight_pairs(h5 + ":/g/w", "", {}).after, exact[1]);
  EXPECT_EQ(read_weight_pairs(h5 + ":/g/before", h5 + ":/g/w", {"1", "2"}).after, exact[1]);
  EXPECT_EQ(message_of([&] { read_weight_pairs(h5, "", {}); }), h5 + ": an HDF5 file; name its dataset, FILE:/DATASET");
  EXPECT_EQ(message_of([&] { read_weight_pairs(b, "", {"1"}); }), "--columns: 1 names; BEFORE,AFTER are expected");
  EXPECT_THROW(read_weight_pairs(folder + "absent.csv", "", {}), IoError);
  EXPECT_THROW(read_weight_pairs(folder, "", {}), IoError);

  const auto check = [](WeightPairs pairs) { return message_of([&] { check_weight_pairs(pairs); }); };
  const std::vector<double> ten(10, 1), nine(9, 1);
  std::vector<double> moved = ten, broken = ten;
  moved[3] = 2;
  broken[4] = std::nan("");
  EXPECT_EQ(check({ten, moved}), "no error");
  EXPECT_EQ(check({ten, ten}), "no weight has changed: nothing can be said about a geometry");
  EXPECT_EQ(check({ten, nine}), "10 weights before learning and 9 after; as many are expected");
  EXPECT_EQ(check({nine, nine}), "9 pairs of weights; at least 10 are needed");
  EXPECT_EQ(check({ten, broken}), "pair 5: not finite");
}

}  // namespace
}  // namespace cohort::engine

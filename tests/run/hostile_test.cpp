// Shards that were truncated, changed, or made to do harm: an IoError, never a crash.
#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstring>
#include <functional>
#include <random>

#include "cohort/error.h"
#include "fixture.h"
#include "run/shard.h"

namespace cohort::engine {
namespace {

constexpr unsigned kSeconds = 300;  // for all of a child's work
constexpr rlim_t kMemory = rlim_t(1) << 30;

struct Sample {
  TemporaryDirectory here;
  std::string path = here / "shard.h5", bytes;
  ShardFile file;
  Sample() {
    ShardMetadata metadata{"small", "0123456789abcdef", 0, {{"backend", "cpu"}}, {}, {1, 2, 3, 4}};
    metadata.swept = {{"rule.geometry", std::vector<std::string>{"a", "bb", "ccc", "d"}},
                      {"init.rank", std::vector<int64_t>{1, 2, 3, 4}}};
    file = write_shard(path, made_up({2, 3, 5, 7}), metadata);
    bytes = slurp(path);
  }
};

// Runs `body` in a process of its own, with little memory and time; true if it ended well.
bool survives(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kSeconds);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const rlimit limit{kMemory, kMemory};
    ::setrlimit(RLIMIT_AS, &limit);
#endif
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Reads without the help of a hash; whatever is not an IoError ends the process.
void read_unverified(const std::string& bytes) {
  try {
    decode_shard(bytes, "hostile");
  } catch (const IoError&) {
  }
}

TEST(Hostile, TruncationsAreFoundAndDoNoHarm) {
  const Sample sample;
  std::vector<size_t> lengths;
  for (size_t n = 0; n < sample.bytes.size(); n += 97) lengths.push_back(n);
  for (const size_t n : lengths) {
    spill(sample.path, sample.bytes.substr(0, n));
    EXPECT_THROW(read_shard(sample.path, sample.file), IoError) << n;
  }
  EXPECT_TRUE(survives([&] {
    for (const size_t n : lengths) read_unverified(sample.bytes.substr(0, n));
  }));
}

TEST(Hostile, FlippedBitsAreFoundAndDoNoHarm) {
  const Sample sample;
  std::mt19937_64 random(1);
  std::vector<std::string> changed;
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = sample.bytes;
    const size_t bit = random() % (8 * bytes.size());
    bytes[bit / 8] = char(bytes[bit / 8] ^ (1 << (bit % 8)));
    changed.push_back(bytes);
    spill(sample.path, bytes);
    EXPECT_THROW(read_shard(sample.path, sample.file), IoError) << "bit " << bit;
  }
  constexpr size_t batch = 100;
  for (size_t first = 0; first < changed.size(); first += batch)
    EXPECT_TRUE(survives([&] {
      for (size_t i = first; i < first + batch; ++i) read_unverified(changed[i]);
    })) << "among flips "
        << first << " to " << first + batch;
}

TEST(Hostile, OtherFilesAreNoShards) {
  const TemporaryDirectory here;
  for (const std::string& bytes :
       {std::string(), std::string("hello"), std::string(5000, '\0'), std::string("\x89HDF\r\n\x1a\n")}) {
    spill(here / "x.h5", bytes);
    EXPECT_NE(message_of<IoError>([&] { read_shard(here / "x.h5"); }).find("x.h5"), std::string::npos);
  }
  EXPECT_THROW(read_shard(here / "absent.h5"), IoError);
}

// A shard with one thing added to it by someone else.
std::string message_with(const std::function<void(hid_t)>& add) {
  const Sample sample;
  const hid_t file = H5Fopen(sample.path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  add(file);
  EXPECT_GE(H5Fclose(file), 0);
  EXPECT_THROW(read_shard(sample.path, sample.file), IoError);
  return message_of<IoError>([&] { read_shard(sample.path); });
}

void label(hid_t dataset, const char* kind) {
  const hid_t space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, std::strlen(kind));
  const hid_t text = H5Acreate2(dataset, "kind", type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(text, type, kind);
  const hid_t order = H5Acreate2(dataset, "order", H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT);
  const int64_t last = 1000;
  H5Awrite(order, H5T_NATIVE_INT64, &last);
  H5Aclose(order);
  H5Aclose(text);
  H5Tclose(type);
  H5Sclose(space);
}

hid_t dataset(hid_t file, hid_t type, std::vector<hsize_t> shape, hid_t creation = H5P_DEFAULT,
              const char* kind = "column") {
  const hid_t space = H5Screate_simple(int(shape.size()), shape.data(), nullptr);
  const hid_t made = H5Dcreate2(file, "zz", type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  EXPECT_GE(made, 0);
  label(made, kind);
  H5Sclose(space);
  return made;
}

TEST(Hostile, LinksAreRefused) {
  EXPECT_NE(message_with([](hid_t file) {
              H5Lcreate_external("/etc/passwd", "/x", file, "zz", H5P_DEFAULT, H5P_DEFAULT);
            }).find("link"),
            std::string::npos);
  EXPECT_NE(message_with([](hid_t file) { H5Lcreate_soft("/net", file, "zz", H5P_DEFAULT, H5P_DEFAULT); }).find("link"),
            std::string::npos);
  EXPECT_NE(message_with([](hid_t file) {
              H5Gclose(H5Gcreate2(file, "zz", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
            }).find("not a dataset"),
            std::string::npos);
  EXPECT_NE(message_with([](hid_t file) {
              H5Lcreate_hard(file, "/", file, "zz", H5P_DEFAULT, H5P_DEFAULT);
            }).find("not a dataset"),
            std::string::npos);
}

TEST(Hostile, FiltersAndExternalStorageAreRefused) {
  EXPECT_NE(message_with([](hid_t file) {
              const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
              const hsize_t chunk = 4;
              H5Pset_chunk(creation, 1, &chunk);
              H5Pset_shuffle(creation);
              H5Dclose(dataset(file, H5T_NATIVE_DOUBLE, {4}, creation));
              H5Pclose(creation);
            }).find("refused"),
            std::string::npos);
  EXPECT_NE(message_with([](hid_t file) {
              const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
              H5Pset_external(creation, "/etc/passwd", 0, 32);
              H5Dclose(dataset(file, H5T_NATIVE_DOUBLE, {4}, creation));
              H5Pclose(creation);
            }).find("refused"),
            std::string::npos);
}

TEST(Hostile, SizesAndTypesThatLieAreRefused) {
  const std::vector<double> four(4, 1.0);
  EXPECT_NE(message_with([](hid_t file) { H5Dclose(dataset(file, H5T_NATIVE_DOUBLE, {4})); }).find("without data"),
            std::string::npos);
  EXPECT_NE(message_with([](hid_t file) { H5Dclose(dataset(file, H5T_NATIVE_FLOAT, {4})); }).find("another type"),
            std::string::npos);
  EXPECT_NE(message_with([](hid_t file) {
              H5Dclose(dataset(file, H5T_NATIVE_FLOAT, {4, hsize_t(1) << 50}, H5P_DEFAULT, "array"));
            }),
            "");
  EXPECT_NE(message_with([&](hid_t file) {
              const hid_t made = dataset(file, H5T_NATIVE_DOUBLE, {3});
              H5Dwrite(made, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, four.data());
              H5Dclose(made);
            }).find("another shape"),
            std::string::npos);
  EXPECT_NE(message_with([](hid_t file) {
              const hid_t text = H5Tcopy(H5T_C_S1);
              H5Tset_size(text, H5T_VARIABLE);
              const hid_t made = dataset(file, text, {4}, H5P_DEFAULT, "swept");
              const char* four_words[] = {"a", "b", "c", "d"};
              H5Dwrite(made, text, H5S_ALL, H5S_ALL, H5P_DEFAULT, four_words);
              H5Dclose(made);
              H5Tclose(text);
            }).find("text of a fixed size"),
            std::string::npos);
  EXPECT_NE(message_with([](hid_t file) { H5Ldelete(file, "net", H5P_DEFAULT); }).find("'net' is missing"),
            std::string::npos);
  EXPECT_NE(message_with([](hid_t file) { H5Adelete(file, "format"); }).find("'format' is missing"), std::string::npos);
}

}  // namespace
}  // namespace cohort::engine

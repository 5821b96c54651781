// The reader of IDX files: small sets that the tests write, every way in which they can lie, and, where COHORT_DATA
// names it, the real MNIST.
#include "data/idx.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "cohort/error.h"

namespace cohort::engine {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<uint8_t>;

const char* const train_images = "train-images-idx3-ubyte";
const char* const train_labels = "train-labels-idx1-ubyte";
const char* const test_images = "t10k-images-idx3-ubyte";
const char* const test_labels = "t10k-labels-idx1-ubyte";

void append(Bytes& bytes, uint32_t word) {
  for (int shift : {24, 16, 8, 0}) bytes.push_back(uint8_t(word >> shift));
}
// `count`, `rows` and `cols` are what the header claims; the content is that of n images.
Bytes image_file(int n, uint32_t count, uint32_t rows = 28, uint32_t cols = 28, uint32_t magic = 0x803) {
  Bytes bytes;
  for (uint32_t word : {magic, count, rows, cols}) append(bytes, word);
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < 784; ++k) bytes.push_back(uint8_t((i + 3 * k) % 251));
  return bytes;
}
Bytes image_file(int n) { return image_file(n, uint32_t(n)); }
Bytes label_file(int n, uint32_t count, uint32_t magic = 0x801) {
  Bytes bytes;
  append(bytes, magic);
  append(bytes, count);
  for (int i = 0; i < n; ++i) bytes.push_back(uint8_t(i % 10));
  return bytes;
}
Bytes label_file(int n) { return label_file(n, uint32_t(n)); }

Bytes gzip(const Bytes& bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes out(deflateBound(&stream, bytes.size()));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = uInt(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = uInt(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// A directory of its own, gone at the end.
class Idx : public ::testing::Test {
 protected:
  static constexpr int n_train = 36, n_test = 5;

  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "cohort-idx-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    write(train_images, image_file(n_train));
    write(train_labels, label_file(n_train));
    write(test_images, image_file(n_test));
    write(test_labels, label_file(n_test));
  }
  void TearDown() override { fs::remove_all(directory_); }

  void write(const std::string& name, const Bytes& bytes) const {
    std::ofstream file(directory_ / name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
    ASSERT_TRUE(file.good());
  }
  void write_gzip(const std::string& name, const Bytes& unpacked) const {
    fs::remove(directory_ / name);
    write(name + ".gz", gzip(unpacked));
  }
  ImageSet load() const { return load_images(directory_.string()); }

  // Loading fails by an IoError of one line that has all of `parts`.
  void expect_refused(const std::vector<std::string>& parts) const {
    try {
      load();
      ADD_FAILURE() << "accepted; expected: " << parts.front();
    } catch (const IoError& error) {
      const std::string what = error.what();
      EXPECT_EQ(what.find('\n'), std::string::npos) << what;
      for (const std::string& part : parts) EXPECT_NE(what.find(part), std::string::npos) << part << " in: " << what;
    }
  }

  fs::path directory_;
};

// Which of the written images this is: their first pixels are 0, 1, 2, ...
int image_number(const ImageSet& set, int place) { return set.pixels[size_t(place) * 784]; }

void expect_small_set(const ImageSet& set) {
  EXPECT_EQ(set.rows, 28);
  EXPECT_EQ(set.cols, 28);
  EXPECT_EQ(set.labels.size(), 41u);
  EXPECT_EQ(set.pixels.size(), 41u * 784);
  const int count[3] = {33, 3, 5}, first[3] = {0, 33, 36};
  for (int split = 0; split < 3; ++split) {
    EXPECT_EQ(set.count[split], count[split]);
    EXPECT_EQ(set.first[split], first[split]);
  }
  std::vector<int> seen(36);
  for (int place = 0; place < 41; ++place) {
    const int number = image_number(set, place);
    if (place < 36)
      ++seen[size_t(number)];
    else
      ASSERT_EQ(number, place - 36);
    EXPECT_EQ(set.labels[size_t(place)], number % 10);
    for (int k = 0; k < 784; ++k) ASSERT_EQ(set.pixels[size_t(place) * 784 + size_t(k)], (number + 3 * k) % 251);
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 36);
}

TEST_F(Idx, ReadsPlainFiles) { expect_small_set(load()); }
TEST_F(Idx, ReadsGzippedFiles) {
  write_gzip(train_images, image_file(n_train));
  write_gzip(train_labels, label_file(n_train));
  write_gzip(test_images, image_file(n_test));
  write_gzip(test_labels, label_file(n_test));
  expect_small_set(load());
}
TEST_F(Idx, ReadsAMixture) {
  write_gzip(train_labels, label_file(n_train));
  write_gzip(test_images, image_file(n_test));
  expect_small_set(load());
}
TEST_F(Idx, PrefersThePlainFile) {
  write(std::string(train_images) + ".gz", gzip(image_file(7)));
  expect_small_set(load());
}

TEST_F(Idx, ViewPointsIntoTheSet) {
  const ImageSet set = load();
  const Dataset view = set.view();
  EXPECT_EQ(view.pixels, set.pixels.data());
  EXPECT_EQ(view.labels, set.labels.data());
  EXPECT_EQ(view.rows, 28);
  EXPECT_EQ(view.cols, 28);
  for (int split = 0; split < 3; ++split) {
    EXPECT_EQ(view.first[split], set.first[split]);
    EXPECT_EQ(view.count[split], set.count[split]);
  }
}

// The order is part of the results: it must never change.
TEST_F(Idx, OrderIsTheDocumentedOne) {
  const ImageSet set = load();
  std::vector<int> order(n_train);
  for (int i = 0; i < n_train; ++i) order[size_t(i)] = i;
  std::mt19937 random(0);
  for (uint64_t i = n_train - 1; i > 0; --i) std::swap(order[i], order[(uint64_t(random()) * (i + 1)) >> 32]);
  for (int i = 0; i < n_train; ++i) EXPECT_EQ(image_number(set, i), order[size_t(i)]) << i;
}
TEST_F(Idx, SizeOfTheValidationSplitIsTheCallers) {
  const ImageSet none = load_images(directory_.string(), 0);
  EXPECT_EQ(none.count[0], 36);
  EXPECT_EQ(none.count[1], 0);
  EXPECT_EQ(none.count[2], 5);
  const ImageSet ten = load_images(directory_.string(), 10);
  EXPECT_EQ(ten.count[0], 26);
  EXPECT_EQ(ten.first[1], 26);
  EXPECT_EQ(ten.count[1], 10);
  EXPECT_EQ(ten.pixels, none.pixels);
  EXPECT_THROW(load_images(directory_.string(), 36), Error);
  EXPECT_THROW(load_images(directory_.string(), -2), Error);
}
// A subset of n of the images of a split: the same for everyone, without an image in two splits.
TEST_F(Idx, SubsetsAreDrawnBySeed) {
  const ImageSet set = load_images(directory_.string(), 10);
  const auto numbers = [](const ImageSet& s, Split split) {
    std::vector<int> found;
    for (int i = 0; i < s.count[int(split)]; ++i) found.push_back(image_number(s, s.first[int(split)] + i));
    return found;
  };
  const auto sorted = [](std::vector<int> v) {
    std::sort(v.begin(), v.end());
    return v;
  };
  const ImageSet of_train = with_subset(set, Split::train, 20, 1), all = with_subset(set, Split::train, 26, 1),
                 of_test = with_subset(set, Split::test, 3, 1);
  EXPECT_EQ(numbers(of_train, Split::train).size(), 20u);
  EXPECT_EQ(sorted(numbers(all, Split::train)), sorted(numbers(set, Split::train)));
  for (const int image : numbers(of_train, Split::train)) {
    const std::vector<int> there = numbers(set, Split::train);
    EXPECT_EQ(std::count(there.begin(), there.end(), image), 1);
  }
  EXPECT_EQ(numbers(of_train, Split::validation), numbers(set, Split::validation));
  EXPECT_EQ(numbers(of_train, Split::test), numbers(set, Split::test));
  std::vector<int> both = numbers(of_test, Split::train), rest = numbers(of_test, Split::test);
  EXPECT_EQ(both.size(), 3u);
  EXPECT_TRUE(std::is_sorted(rest.begin(), rest.end()));
  both.insert(both.end(), rest.begin(), rest.end());
  EXPECT_EQ(sorted(both), sorted(numbers(set, Split::test)));
  EXPECT_EQ(numbers(of_test, Split::validation), numbers(set, Split::validation));
  for (const ImageSet* s : {&of_train, &of_test})  // labels come along
    for (int i = 0; i < int(s->labels.size()); ++i) {
      const uint8_t* const image = s->pixels.data() + size_t(i) * 784;
      int k = 0;
      while (!std::equal(image, image + 784, set.pixels.data() + size_t(k) * 784)) ++k;
      EXPECT_EQ(s->labels[size_t(i)], set.labels[size_t(k)]);
    }
  EXPECT_EQ(with_subset(set, Split::train, 20, 1).pixels, of_train.pixels);
  EXPECT_NE(numbers(with_subset(set, Split::train, 20, 2), Split::train), numbers(of_train, Split::train));
  // The documented draw: Fisher and Yates from the front, by the Mersenne twister of the seed.
  std::vector<int> order = numbers(set, Split::test), wanted;
  std::mt19937 random(1);
  for (size_t i = 0; i < 3; ++i) {
    std::swap(order[i], order[i + ((uint64_t(random()) * (order.size() - i)) >> 32)]);
    wanted.push_back(order[i]);
  }
  EXPECT_EQ(numbers(of_test, Split::train), wanted);
  EXPECT_THROW(with_subset(set, Split::train, 0, 1), Error);
  EXPECT_THROW(with_subset(set, Split::train, 27, 1), Error);
  EXPECT_THROW(with_subset(set, Split::test, 5, 1), Error);
}
TEST_F(Idx, TheSmallestSetHasOneImageOfEachSplit) {
  write(train_images, image_file(2));
  write(train_labels, label_file(2));
  const ImageSet set = load();
  EXPECT_EQ(set.count[0], 1);
  EXPECT_EQ(set.count[1], 1);
}

// ---- what is refused ------------------------------------------------------------------------------------------------

TEST_F(Idx, RefusesAMissingFile) {
  fs::remove(directory_ / test_labels);
  expect_refused({directory_.string(), test_labels, ".gz", "not found"});
}
TEST_F(Idx, RefusesWhatIsNoDirectory) {
  EXPECT_THROW(load_images((directory_ / "absent").string()), IoError);
  EXPECT_THROW(load_images((directory_ / train_labels).string()), IoError);
  EXPECT_THROW(load_images(std::string("a\nb")), IoError);
  try {
    load_images(std::string("a\nb"));
  } catch (const IoError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}
TEST_F(Idx, RefusesWhatIsNoRegularFile) {
  fs::remove(directory_ / train_images);
  fs::create_directory(directory_ / train_images);
  expect_refused({train_images, "not a regular file"});
  fs::remove(directory_ / train_images);
  ASSERT_EQ(mkfifo((directory_ / train_images).c_str(), 0600), 0);  // to open it would wait for ever
  expect_refused({train_images, "not a regular file"});
}
TEST_F(Idx, RefusesAnUnreadableFile) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads every file";
  fs::permissions(directory_ / train_images, fs::perms::none);
  expect_refused({train_images, "ermission"});
}
TEST_F(Idx, RefusesAnEmptyFile) {
  write(train_images, {});
  expect_refused({train_images, "empty"});
}
TEST_F(Idx, RefusesAWrongMagicNumber) {
  write(train_images, label_file(1000));
  expect_refused({train_images, "0x00000801", "0x00000803"});
  write(train_images, image_file(n_train, n_train, 28, 28, 0x0d03));  // floats
  expect_refused({train_images, "0x00000d03", "0x00000803"});
  write(train_images, image_file(n_train));
  write(test_labels, image_file(n_test));
  expect_refused({test_labels, "0x00000803", "0x00000801"});
}
TEST_F(Idx, RefusesOtherShapes) {
  write(train_images, image_file(n_train, n_train, 32, 32));
  expect_refused({train_images, "32 x 32", "28 x 28"});
  write(train_images, image_file(n_train, 0xffffffff, 0xffffffff, 0xffffffff));
  expect_refused({train_images, "4294967295 x 4294967295", "28 x 28"});
  write(train_images, image_file(0, n_train, 0, 0));
  expect_refused({train_images, "0 x 0", "28 x 28"});
}
TEST_F(Idx, RefusesNoImagesAndTooMany) {
  write(train_images, image_file(0, 0));
  expect_refused({train_images, "0 images", "1 to 300000"});
  write(train_images, image_file(1, 0xffffffff));
  expect_refused({train_images, "4294967295 images", "1 to 300000"});
  write_gzip(train_images, image_file(1, 300'001));
  expect_refused({train_images, "300001 images", "1 to 300000"});
}
TEST_F(Idx, RefusesAWrongCount) {
  write(train_labels, label_file(n_train - 1));
  expect_refused({train_labels, "35 labels", "36 images", train_images});
}
TEST_F(Idx, RefusesALabelAboveNine) {
  Bytes bytes = label_file(n_train);
  bytes[8 + 17] = 10;
  write(train_labels, bytes);
  expect_refused({train_labels, "label 10", "item 17", "0 to 9"});
}
TEST_F(Idx, RefusesMoreThanTheHeaderPromises) {
  write(train_images, image_file(n_train + 1, n_train));
  expect_refused({train_images, "too long", "36 images"});
  write_gzip(train_images, image_file(n_train + 1, n_train));
  expect_refused({train_images, "too long", "36 images"});
}

// Every length of a file that is too short, plain and packed.
TEST_F(Idx, RefusesEveryTruncation) {
  const Bytes whole = label_file(n_train), packed = gzip(whole);
  for (size_t size = 1; size < whole.size(); ++size) {
    write(train_labels, Bytes(whole.begin(), whole.begin() + ptrdiff_t(size)));
    expect_refused({train_labels, "truncated"});
  }
  fs::remove(directory_ / train_labels);
  for (size_t size = 1; size < packed.size(); ++size) {
    write(std::string(train_labels) + ".gz", Bytes(packed.begin(), packed.begin() + ptrdiff_t(size)));
    expect_refused({train_labels});
  }
}
TEST_F(Idx, RefusesDamagedGzip) {
  const Bytes packed = gzip(image_file(n_train));
  fs::remove(directory_ / train_images);
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {  // bytes from the deflate stream to the checksum and length behind it
    Bytes damaged = packed;
    damaged[10 + random() % (packed.size() - 10)] ^= uint8_t(1 + random() % 255);
    write(std::string(train_images) + ".gz", damaged);
    expect_refused({train_images});
  }
}

// Headers that promise much cost no memory: a small file is refused before anything is taken for it, and a file that
// holds far more than its header says is not unpacked further.
TEST_F(Idx, LyingHeadersAndBombsCostNoMemory) {
  const fs::path packed = directory_ / (std::string(train_images) + ".gz");
  const gzFile bomb = gzopen(packed.c_str(), "wb1");
  ASSERT_NE(bomb, nullptr);
  const Bytes start = image_file(n_train), zeros(1 << 20);
  gzwrite(bomb, start.data(), unsigned(start.size()));
  for (int i = 0; i < 256; ++i) gzwrite(bomb, zeros.data(), unsigned(zeros.size()));
  ASSERT_EQ(gzclose(bomb), Z_OK);
  ASSERT_LT(fs::file_size(packed), 4u << 20);

  const auto peak_kb = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = peak_kb();
  fs::remove(directory_ / train_images);
  expect_refused({train_images, "too long"});
  write(train_labels, label_file(1, 300'000));
  write_gzip(train_images, image_file(1, 300'000));
  expect_refused({train_images, "truncated", "300000 images"});
  write(train_images, image_file(1, 300'000));
  expect_refused({train_images, "truncated", "300000 images"});
  EXPECT_LT(peak_kb() - before, 16 << 10);
}

// Arbitrary bytes in place of a file, or in its header: an IoError or a set, never anything else.
TEST_F(Idx, SurvivesArbitraryBytes) {
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    const bool packed = i % 2 == 1;
    Bytes bytes = packed ? gzip(label_file(n_train)) : label_file(n_train);
    const size_t changes = 1 + random() % 4;
    for (size_t k = 0; k < changes; ++k) bytes[random() % (i % 3 == 0 ? bytes.size() : 12)] = uint8_t(random());
    fs::remove(directory_ / train_labels);
    write(packed ? std::string(train_labels) + ".gz" : train_labels, bytes);
    try {
      const ImageSet set = load();
      EXPECT_EQ(set.labels.size(), 41u);
      EXPECT_LE(*std::max_element(set.labels.begin(), set.labels.end()), 9);
    } catch (const IoError&) {
    }
    fs::remove(directory_ / (std::string(train_labels) + ".gz"));
  }
}

// ---- where the data are ---------------------------------------------------------------------------------------------

class DataDirectory : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* value = std::getenv("COHORT_DATA")) saved_ = value;
  }
  void TearDown() override {
    if (saved_)
      setenv("COHORT_DATA", saved_->c_str(), 1);
    else
      unsetenv("COHORT_DATA");
  }
  std::optional<std::string> saved_;
};
TEST_F(DataDirectory, OptionGoesBeforeTheEnvironment) {
  setenv("COHORT_DATA", "/environment", 1);
  EXPECT_EQ(data_directory("/option"), "/option");
  EXPECT_EQ(data_directory(""), "/environment");
}
TEST_F(DataDirectory, MissingNamesBothWays) {
  for (bool empty : {false, true}) {
    unsetenv("COHORT_DATA");
    if (empty) setenv("COHORT_DATA", "", 1);
    try {
      data_directory("");
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("--data"), std::string::npos);
      EXPECT_NE(std::string(error.what()).find("COHORT_DATA"), std::string::npos);
    }
  }
}

TEST(Mnist, HasItsCountsAndItsMean) {
  const char* const directory = std::getenv("COHORT_DATA");
  if (directory == nullptr || *directory == '\0') GTEST_SKIP() << "COHORT_DATA is not set";
  const ImageSet set = load_images(directory);
  const int count[3] = {55'000, 5'000, 10'000}, first[3] = {0, 55'000, 60'000};
  for (int split = 0; split < 3; ++split) {
    ASSERT_EQ(set.count[split], count[split]);
    ASSERT_EQ(set.first[split], first[split]);
  }
  double sum = 0, square = 0;
  const size_t n = size_t(60'000) * 784;
  for (size_t k = 0; k < n; ++k) {
    sum += set.pixels[k];
    square += double(set.pixels[k]) * set.pixels[k];
  }
  const double mean = sum / double(n) / 255, sd = std::sqrt(square / double(n) / 255 / 255 - mean * mean);
  EXPECT_NEAR(mean, 0.1307, 0.00005);
  EXPECT_NEAR(sd, 0.3081, 0.00005);
  for (int split = 0; split < 3; ++split) {  // every digit is about a tenth of every split
    int digits[10] = {};
    for (int i = 0; i < count[split]; ++i) ++digits[set.labels[size_t(first[split] + i)]];
    for (int c : digits) EXPECT_NEAR(double(c) / count[split], 0.1, 0.02);
  }
  const uint8_t first_of_test[] = {7, 2, 1, 0, 4, 1, 4, 9, 5, 9};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(set.labels[size_t(60'000 + i)], first_of_test[i]);
}

}  // namespace
}  // namespace cohort::engine

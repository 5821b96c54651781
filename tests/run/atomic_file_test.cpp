#include "run/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cohort/error.h"
#include "fixture.h"

namespace cohort::engine {
namespace {

namespace fs = std::filesystem;

TEST(AtomicFile, HoldsWhatWasWrittenLast) {
  const TemporaryDirectory here;
  const std::string path = here / "file";
  write_file_atomically(path, "first");
  write_file_atomically(path, std::string("sec\0nd", 6));
  EXPECT_EQ(read_whole_file(path, 6), std::string("sec\0nd", 6));
  EXPECT_FALSE(fs::exists(path + ".tmp"));
}

TEST(AtomicFile, LeftOverTemporaryIsReplaced) {
  const TemporaryDirectory here;
  spill(here / "file.tmp", "cut short");
  write_file_atomically(here / "file", "whole");
  EXPECT_EQ(slurp(here / "file"), "whole");
  EXPECT_FALSE(fs::exists(here / "file.tmp"));
}

TEST(AtomicFile, FailureKeepsWhatWasThereAndNamesThePath) {
  const TemporaryDirectory here;
  const std::string missing = here / "nowhere/file";
  EXPECT_NE(message_of<IoError>([&] { write_file_atomically(missing, "x"); }).find("nowhere/file"), std::string::npos);
  EXPECT_NE(message_of<IoError>([&] { write_file_atomically(missing, "x"); }).find("No such file"), std::string::npos);
  EXPECT_THROW(write_file_atomically("/dev/full/x", "x"), IoError);

  spill(here / "target", "untouched");
  fs::create_symlink("target", here / "link");
  EXPECT_THROW(write_file_atomically(here / "link", "x"), IoError);
  EXPECT_EQ(slurp(here / "target"), "untouched");
  fs::create_directory(here / "directory");
  EXPECT_THROW(write_file_atomically(here / "directory", "x"), IoError);
  EXPECT_FALSE(fs::exists(here / "directory.tmp"));
}

TEST(AtomicFile, ReadsOnlyRegularFilesOfABoundedSize) {
  const TemporaryDirectory here;
  spill(here / "file", "12345");
  EXPECT_EQ(read_whole_file(here / "file", 5), "12345");
  EXPECT_THROW(read_whole_file(here / "file", 4), IoError);
  EXPECT_THROW(read_whole_file(here / "absent", 4), IoError);
  EXPECT_THROW(read_whole_file(here.path(), 4), IoError);
  fs::create_symlink("file", here / "link");
  EXPECT_THROW(read_whole_file(here / "link", 5), IoError);
  ASSERT_EQ(::mkfifo((here / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(read_whole_file(here / "pipe", 5), IoError) << "and does not wait for a writer";
}

TEST(Xxh3, KnownAnswers) {
  // XXH3_64bits of the specification's implementation (xxHash 0.8), seed 0.
  EXPECT_EQ(xxh3(""), "2d06800538d394c2");
  EXPECT_TRUE(is_xxh3(xxh3("abc")));
  EXPECT_FALSE(is_xxh3("2D06800538D394C2"));
  EXPECT_FALSE(is_xxh3("2d06800538d394c"));
  EXPECT_NE(xxh3("abc"), xxh3("abd"));
}

}  // namespace
}  // namespace cohort::engine

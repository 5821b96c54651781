#include "run/directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "cohort/error.h"
#include "fixture.h"
#include "run/export.h"
#include "run/version.h"

namespace cohort::engine {
namespace {

namespace fs = std::filesystem;

// All files below a directory with their contents.
std::map<std::string, std::string> contents(const std::string& path) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) files[fs::relative(entry.path(), path)] = slurp(entry.path());
  return files;
}

TEST(Version, IsTheProjects) { EXPECT_STREQ(version, COHORT_VERSION); }

TEST(RunDirectory, IsMadeWithItsParents) {
  const TemporaryDirectory here;
  const std::string path = here / "a/b/run";
  RunDirectory run = RunDirectory::open(path, small(), kCpu);
  EXPECT_EQ(slurp(path + "/sweep.toml"), small_toml());
  EXPECT_TRUE(fs::is_directory(path + "/units"));
  EXPECT_EQ(run.manifest().n_networks, 24);
  EXPECT_EQ(run.manifest().canonical, small().canonical());
  ASSERT_EQ(run.n_units(), 2);
  EXPECT_EQ(run.pending(), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(run.networks(1).front(), 12);
}

TEST(RunDirectory, ResumesWhereItStopped) {
  const TemporaryDirectory here;
  const std::string path = here / "run";
  {
    RunDirectory run = RunDirectory::open(path, small(), kCpu);
    run.finish_unit(1, made_up(run.networks(1)));
    EXPECT_EQ(run.pending(), std::vector<int64_t>{0});
  }
  const std::string shard = slurp(path + "/units/000001.h5");
  {
    RunDirectory run = RunDirectory::open(path, small(), kCpu);
    EXPECT_EQ(run.pending(), std::vector<int64_t>{0});
    EXPECT_TRUE(run.lost().empty());
    finish_all(run);
  }
  const RunDirectory run = RunDirectory::open(path, small(), kCpu);
  EXPECT_TRUE(run.pending().empty());
  EXPECT_EQ(slurp(path + "/units/000001.h5"), shard);
  EXPECT_EQ(run.manifest().units[0].done->n_diverged, 1);
  // A file that only looks different is the same sweep.
  EXPECT_EQ(run.read_unit(0).result.net, run.networks(0));
}

TEST(RunDirectory, OrderOfTheUnitsDoesNotMatterForTheFiles) {
  const TemporaryDirectory here;
  {
    RunDirectory a = RunDirectory::open(here / "a", small(), kCpu), b = RunDirectory::open(here / "b", small(), kCpu);
    for (const int64_t unit : {0, 1}) a.finish_unit(unit, made_up(a.networks(unit)));
    for (const int64_t unit : {1, 0, 1}) b.finish_unit(unit, made_up(b.networks(unit)));
  }
  EXPECT_EQ(contents(here / "a"), contents(here / "b"));
}

TEST(RunDirectory, AnotherSweepIsRefusedWithTheDifference) {
  const TemporaryDirectory here;
  const std::string path = here / "run";
  {
    RunDirectory run = RunDirectory::open(path, small(), kCpu);
    finish_all(run);
  }
  const auto before = contents(path);
  const std::string message = message_of<Error>([&] { RunDirectory::open(path, small("0.25"), kCpu); });
  EXPECT_NE(message.find("--out " + path + " holds another sweep: rule.lr: "), std::string::npos) << message;
  EXPECT_NE(message.find("0.003, 0.1, 0.003] -> [0.25, 0.1, 0.003]"), std::string::npos) << message;
  EXPECT_EQ(contents(path), before);
}

TEST(RunDirectory, OtherBitsAreRefused) {
  const TemporaryDirectory here;
  const std::string path = here / "run";
  MadeBy other = kCpu;
  other[1].second = "x86-64-v4";
  RunDirectory::open(path, small(), other);
  {
    RunDirectory run = RunDirectory::open(path, small(), kCpu);  // nothing was done yet
    EXPECT_EQ(run.manifest().made_by, kCpu);
    run.finish_unit(0, made_up(run.networks(0)));
  }
  EXPECT_NE(message_of<Error>([&] { RunDirectory::open(path, small(), other); }).find("isa x86-64-v3"),
            std::string::npos);
  EXPECT_EQ(RunDirectory::open(path, small(), other, true).pending(), std::vector<int64_t>{1});
}

TEST(RunDirectory, KilledBetweenShardAndManifestTheUnitIsRedone) {
  const TemporaryDirectory here;
  const std::string path = here / "run";
  {
    RunDirectory run = RunDirectory::open(path, small(), kCpu);
    run.finish_unit(1, made_up(run.networks(1)));
    const std::string manifest = slurp(path + "/manifest.json");
    run.finish_unit(0, made_up(run.networks(0)));
    spill(path + "/manifest.json", manifest);
  }
  const std::string shard = slurp(path + "/units/000000.h5");
  spill(path + "/units/000000.h5.tmp", "cut short");
  spill(path + "/manifest.json.tmp", "cut short");
  RunDirectory run = RunDirectory::open(path, small(), kCpu);
  EXPECT_EQ(run.pending(), std::vector<int64_t>{0});
  EXPECT_TRUE(run.lost().empty());
  run.finish_unit(0, made_up(run.networks(0)));
  EXPECT_EQ(slurp(path + "/units/000000.h5"), shard);
  EXPECT_FALSE(fs::exists(path + "/units/000000.h5.tmp"));
  EXPECT_FALSE(fs::exists(path + "/manifest.json.tmp"));
}

TEST(RunDirectory, LostAndDamagedShardsAreRedone) {
  const TemporaryDirectory here;
  const std::string path = here / "run";
  {
    RunDirectory run = RunDirectory::open(path, small(), kCpu);
    finish_all(run);
  }
  const auto whole = contents(path);
  fs::remove(path + "/units/000000.h5");
  std::string bytes = slurp(path + "/units/000001.h5");
  bytes[bytes.size() / 2] ^= 1;
  spill(path + "/units/000001.h5", bytes);
  EXPECT_THROW(RunDirectory::read(path).read_unit(0), IoError);
  EXPECT_NE(message_of<IoError>([&] { RunDirectory::read(path).read_unit(1); }).find("000001.h5: damaged"),
            std::string::npos);
  {
    RunDirectory run = RunDirectory::open(path, small(), kCpu);
    EXPECT_EQ(run.lost(), (std::vector<int64_t>{0, 1}));
    EXPECT_EQ(run.pending(), (std::vector<int64_t>{0, 1}));
    finish_all(run);
  }
  EXPECT_EQ(contents(path), whole);
}

TEST(RunDirectory, ShardsThatChangedPlacesAreFound) {
  const TemporaryDirectory here;
  const std::string path = here / "run";
  RunDirectory run = RunDirectory::open(path, small(), kCpu);
  finish_all(run);
  spill(path + "/units/000000.h5", slurp(path + "/units/000001.h5"));
  EXPECT_THROW(run.read_unit(0), IoError);
}

TEST(RunDirectory, CreationThatWasCutShortIsTakenUp) {
  const TemporaryDirectory here;
  const std::string path = here / "run";
  fs::create_directories(path + "/units");
  spill(path + "/lock", "");
  spill(path + "/sweep.toml.tmp", "cut sh");
  EXPECT_EQ(RunDirectory::open(path, small(), kCpu).pending().size(), 2u);
}

TEST(RunDirectory, AnythingElseIsRefusedUntouched) {
  const TemporaryDirectory here;
  fs::create_directory(here / "full");
  spill(here / "full/thesis.tex", "precious");
  spill(here / "full/sweep.toml", "mine");
  EXPECT_NE(message_of<Error>([&] { RunDirectory::open(here / "full", small(), kCpu); }).find("is not empty"),
            std::string::npos);
  EXPECT_EQ(contents(here / "full"),
            (std::map<std::string, std::string>{{"thesis.tex", "precious"}, {"sweep.toml", "mine"}}));
  fs::create_directory(here / "config");
  spill(here / "config/sweep.toml", "mine");
  EXPECT_THROW(RunDirectory::open(here / "config", small(), kCpu), Error);
  spill(here / "file", "x");
  EXPECT_THROW(RunDirectory::open(here / "file", small(), kCpu), Error);
  EXPECT_THROW(RunDirectory::open("", small(), kCpu), Error);
  EXPECT_THROW(RunDirectory::read(here / "full"), Error);
  EXPECT_THROW(RunDirectory::read(here / "absent"), IoError);
  fs::create_directory(here / "empty");
  EXPECT_NO_THROW(RunDirectory::open(here / "empty", small(), kCpu));
}

TEST(RunDirectory, UnwritableIsAnIoError) {
  EXPECT_NE(
      message_of<IoError>([] { RunDirectory::open("/proc/nowhere/run", small(), kCpu); }).find("/proc/nowhere/run"),
      std::string::npos);
  const TemporaryDirectory here;
  fs::create_directory(here / "sealed");
  fs::permissions(here / "sealed", fs::perms(0555));
  fs::permissions(here.path(), fs::perms(0755));
  const bool root = ::geteuid() == 0;  // who writes everywhere
  ASSERT_TRUE(!root || ::seteuid(65534) == 0);
  const std::string inside = message_of<IoError>([&] { RunDirectory::open(here / "sealed", small(), kCpu); }),
                    below = message_of<IoError>([&] { RunDirectory::open(here / "sealed/run", small(), kCpu); });
  ASSERT_TRUE(!root || ::seteuid(0) == 0);
  EXPECT_NE(inside.find("Permission denied"), std::string::npos) << inside;
  EXPECT_NE(below.find("Permission denied"), std::string::npos) << below;
}

TEST(RunDirectory, SymbolicLinksInsideAreRefused) {
  for (const char* name : {"manifest.json", "sweep.toml", "lock", "units", "log.jsonl"}) {
    const TemporaryDirectory here;
    const std::string path = here / "run", elsewhere = here / "elsewhere";
    {
      RunDirectory run = RunDirectory::open(path, small(), kCpu);
      run.log("start");
    }
    fs::rename(path + "/" + name, elsewhere);
    fs::create_symlink(elsewhere, path + "/" + name);
    EXPECT_THROW(RunDirectory::open(path, small(), kCpu), IoError) << name;
    EXPECT_THROW(RunDirectory::read(path), IoError) << name;
  }
  const TemporaryDirectory here;
  const std::string path = here / "run";
  RunDirectory run = RunDirectory::open(path, small(), kCpu);
  finish_all(run);
  fs::rename(path + "/units/000000.h5", here / "shard");
  fs::create_symlink(here / "shard", path + "/units/000000.h5");
  EXPECT_THROW(run.read_unit(0), IoError);
  EXPECT_THROW(run.finish_unit(0, made_up(run.networks(0))), IoError);
}

TEST(RunDirectory, HasOneWriterAndManyReaders) {
  const TemporaryDirectory here;
  const std::string path = here / "run";
  {
    RunDirectory run = RunDirectory::open(path, small(), kCpu);
    EXPECT_NE(message_of<IoError>([&] { RunDirectory::open(path, small(), kCpu); }).find("another process"),
              std::string::npos);
    RunDirectory reader = RunDirectory::read(path);
    EXPECT_THROW(reader.finish_unit(0, made_up(reader.networks(0))), Error);
    EXPECT_THROW(reader.log("x"), Error);
    RunDirectory moved = std::move(run);
    finish_all(moved);
  }
  EXPECT_TRUE(RunDirectory::open(path, small(), kCpu).pending().empty());
}

TEST(RunDirectory, ResultsOfOtherNetworksAreRefused) {
  const TemporaryDirectory here;
  RunDirectory run = RunDirectory::open(here / "run", small(), kCpu);
  EXPECT_THROW(run.finish_unit(0, made_up(run.networks(1))), Error);
  EXPECT_THROW(run.finish_unit(2, made_up(run.networks(1))), Error);
  EXPECT_THROW(run.read_unit(0), Error);
  EXPECT_THROW((void)run.done(-1), Error);
}

TEST(RunDirectory, LogIsAppended) {
  const TemporaryDirectory here;
  const std::string path = here / "run";
  for (const char* event : {"start", "resume"}) RunDirectory::open(path, small(), kCpu).log(event, "\"unit\": 3");
  const std::string log = slurp(path + "/log.jsonl");
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2);
  EXPECT_NE(log.find("\"event\": \"start\", \"unit\": 3}\n{\"time\": \"20"), std::string::npos) << log;
}

}  // namespace
}  // namespace cohort::engine

// Shards that were truncated, changed, or made to do harm: an IoError, never a crash.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "cohort/error.h"
#include "fixture.h"
#include "run/atomic_file.h"
#include "run/shard.h"
#include "run/shard_index.h"

namespace cohort::engine {
namespace {

using nlohmann::json;

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

TEST(Hostile, EveryTruncationIsFound) {
  const Sample sample;
  for (size_t n = 0; n < sample.bytes.size(); n += 97) {
    EXPECT_THROW(decode_shard(sample.bytes.substr(0, n), "hostile"), IoError) << n;
    spill(sample.path, sample.bytes.substr(0, n));
    EXPECT_THROW(read_shard(sample.path, sample.file), IoError) << n;
  }
}

TEST(Hostile, EveryFlippedBitIsFound) {
  const Sample sample;
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = sample.bytes;
    const size_t bit = random() % (8 * bytes.size());
    bytes[bit / 8] = char(bytes[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THROW(decode_shard(bytes, "hostile"), IoError) << "bit " << bit;
    spill(sample.path, bytes);
    EXPECT_THROW(read_shard(sample.path, sample.file), IoError) << "bit " << bit;
  }
}

TEST(Hostile, OtherFilesAreNoShards) {
  const TemporaryDirectory here;
  for (const std::string& bytes : {std::string(), std::string("hello"), std::string(5000, '\0'),
                                   std::string("\x89HDF\r\n\x1a\n"), std::string(kShardMark)}) {
    spill(here / "x.h5", bytes);
    EXPECT_NE(message_of<IoError>([&] { read_shard(here / "x.h5"); }).find("x.h5"), std::string::npos);
  }
  EXPECT_THROW(read_shard(here / "absent.h5"), IoError);
}

// ---- with all hashes put right, as an attacker would
std::string with_footer(std::string file, const std::string& index) {
  char length[17];
  std::snprintf(length, sizeof length, "%016zx", index.size());
  file += index + length;
  return file + xxh3(file) + std::string(kShardMark);
}

struct Parts {
  std::string file, index;
  explicit Parts(const std::string& shard) {
    const size_t n = std::stoul(shard.substr(shard.size() - kShardFooter, 16), nullptr, 16);
    file = shard.substr(0, shard.size() - kShardFooter - n);
    index = shard.substr(file.size(), n);
  }
};

TEST(Hostile, ForgedIndicesDoNoHarm) {
  const Sample sample;
  const Parts parts(sample.bytes);
  ASSERT_EQ(with_footer(parts.file, parts.index), sample.bytes);
  std::mt19937_64 random(2);
  const std::string some = "0123456789-.eE\"[]{},:aSfiu";
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string index = parts.index;
    for (uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
      const size_t at = random() % index.size();
      switch (random() % 4) {
        case 0:
          index[at] = some[random() % some.size()];
          break;
        case 1:
          index.insert(at, 1, some[random() % some.size()]);
          break;
        case 2:
          index.erase(at, 1 + random() % 8);
          break;
        default:
          index[at] = char(random());
      }
    }
    try {
      const Shard shard = decode_shard(with_footer(parts.file, index), "hostile");
      ++accepted;  // a changed name, say: then at least the sizes agree
      for (const auto& column : shard.result.columns) ASSERT_EQ(column.value.size(), shard.result.net.size());
      for (const auto& series : shard.result.series)
        ASSERT_EQ(series.value.size(), shard.result.net.size() * series.step.size());
    } catch (const IoError&) {
    }
  }
  EXPECT_GT(accepted, 0);
}

// What decode_shard() says of a shard whose index `change` was applied to.
std::string message_after(const std::function<void(json&)>& change) {
  static const Sample sample;
  static const Parts parts(sample.bytes);
  json index = json::parse(parts.index);
  change(index);
  return message_of<IoError>([&] { decode_shard(with_footer(parts.file, index.dump()), "hostile"); });
}

json& dataset(json& index, const char* name) {
  for (json& d : index["datasets"])
    if (d["name"] == name) return d;
  throw std::runtime_error(std::string("no dataset ") + name);
}

TEST(Hostile, SizesOffsetsAndTypesThatLieAreRefused) {
  const auto refused = [](const char* because, const std::function<void(json&)>& change) {
    const std::string message = message_after(change);
    EXPECT_NE(message.find("hostile: damaged shard: "), std::string::npos) << because;
    EXPECT_NE(message.find(because), std::string::npos) << message;
  };
  EXPECT_EQ(message_after([](json&) {}), "");
  refused("larger than the file", [](json& i) { dataset(i, "final.loss")["at"] = 1 << 30; });
  refused("larger than the file", [](json& i) { dataset(i, "net")["shape"] = {int64_t(1) << 40}; });
  refused("larger than the file", [](json& i) {
    for (json& d : i["datasets"])  // every size agrees with every other
      for (json& extent : d["shape"])
        if (extent == 4) extent = 100000;
  });
  refused("impossible size", [](json& i) { dataset(i, "net")["shape"] = {int64_t(1) << 62}; });
  refused("impossible size", [](json& i) { dataset(i, "rule.geometry")["type"] = "S18446744073709551615"; });
  refused("another type", [](json& i) { dataset(i, "rule.geometry")["type"] = "S99999999999999999999"; });
  refused("another type", [](json& i) { dataset(i, "rule.geometry")["type"] = "S0"; });
  refused("another type", [](json& i) { dataset(i, "final.loss")["type"] = "f4"; });
  refused("another type", [](json& i) { dataset(i, "init.rank")["type"] = "c8"; });
  refused("another shape", [](json& i) { dataset(i, "final.loss")["shape"] = {3}; });
  refused("another shape", [](json& i) { dataset(i, "loss")["shape"] = {4, 2}; });
  refused("another shape", [](json& i) { dataset(i, "weights.recurrent.final")["dims"] = {"to"}; });
  refused("another shape", [](json& i) { dataset(i, "weights.recurrent.final")["shape"] = json::array(); });
  refused("'shape' is not an integer", [](json& i) { dataset(i, "final.loss")["shape"] = {-4}; });
  refused("'at' is not an integer", [](json& i) { dataset(i, "final.loss")["at"] = -8; });
  refused("'at' is not an integer", [](json& i) { dataset(i, "final.loss")["at"] = 8.5; });
  refused("no networks", [](json& i) { dataset(i, "net")["shape"] = {0}; });
  refused("'nowhere' is missing", [](json& i) { dataset(i, "loss")["steps"] = "nowhere"; });
  refused("'net' is missing", [](json& i) { dataset(i, "net")["name"] = "nets"; });
  refused("'format' is not an integer", [](json& i) { i["format"] = 2; });
  refused("no 'datasets'", [](json& i) { i.erase("datasets"); });
  refused("no 'format'", [](json& i) { i = json::array(); });
}

}  // namespace
}  // namespace cohort::engine
